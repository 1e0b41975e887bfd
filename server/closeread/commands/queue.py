"""`closeread queue list | show | retry | purge`: what the sidecar has still to do or to deliver.

The sidecar's own module does it, in a process of its own; nothing of it is imported here.
"""

from __future__ import annotations

import typer

from ..sidecar import foreground


def register(app: typer.Typer) -> None:
    """Attach the command."""
    anything = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(add_help_option=False, context_settings=anything)(queue)


def queue(context: typer.Context) -> None:
    """What the sidecar has still to do or to deliver."""
    foreground(context, "queue")
