"""`closeread hook`: what is staged, before it is committed. `closeread hook install | uninstall` for plain git."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ..console import complaints
from ..settings import severity


def register(app: typer.Typer) -> None:
    """Attach the commands."""
    group = typer.Typer(name="hook", help="Look at what is staged, and stop a commit that brings vulnerabilities.")
    group.callback(invoke_without_command=True)(hook)
    group.command()(install)
    group.command()(uninstall)
    app.add_typer(group)


def hook(
    context: typer.Context,
    fail_on: Annotated[
        Literal["low", "medium", "high", "critical"] | None,
        typer.Option(help="Stop the commit for this severity or more; else the settings', or high."),
    ] = None,
    callers: Annotated[
        bool, typer.Option("--callers", help="Look also at files that rest on what is staged: surer, and slower.")
    ] = False,
) -> None:
    """Look at what is staged (the index, not the working files)."""
    if context.invoked_subcommand is not None:
        return
    with complaints():
        from ..hooks import before_commit

        code = before_commit(severity(fail_on) if fail_on is not None else None, callers=callers)
    raise typer.Exit(code)


def install() -> None:
    """Make git run this before every commit of this repository; a hook that is there already still runs."""
    with complaints():
        from .. import hooks
        from ..review import repository_of

        typer.echo(f"Installed: {hooks.install(repository_of(Path.cwd()))}")


def uninstall() -> None:
    """Take the hook away, and put back the one that was there before."""
    with complaints():
        from .. import hooks
        from ..review import repository_of

        typer.echo(f"Taken away: {hooks.uninstall(repository_of(Path.cwd()))}")
