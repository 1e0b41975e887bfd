"""`closeread sidecar`: chat platforms, a local gateway and a queue, in a process of their own.

The sidecar's own module does it, in a process of its own; nothing of it is imported here.
"""

from __future__ import annotations

import typer

from ..sidecar import foreground


def register(app: typer.Typer) -> None:
    """Attach the command."""
    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(add_help_option=False, context_settings=anything)(sidecar)


def sidecar(context: typer.Context) -> None:
    """Run the sidecar, or pair and unpair who may ask it by chat."""
    foreground(context, "sidecar")
