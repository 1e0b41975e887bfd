"""`closeread doctor --security`: what is open, who may ask, what may leave; non-zero if that is unsafe or has drifted.

The sidecar's own module does it, in a process of its own; nothing of it is imported here.
"""

from __future__ import annotations

import typer

from ..sidecar import foreground


def register(app: typer.Typer) -> None:
    """Attach the command."""
    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(add_help_option=False, context_settings=anything)(doctor)


def doctor(context: typer.Context) -> None:
    """Say what is open, who may ask and what may leave."""
    foreground(context, "doctor")
