"""The command line's commands, one module each; the folder is the registry.

A command's module offers `register(app)`, which attaches it. Modules are imported for every call of the program, so
heavy libraries are imported where they are used: a scan answered from the cache is quick. Standard output has
what people asked for; standard error, progress and complaints (`console.py`).
"""

from __future__ import annotations

import importlib
import pkgutil
from typing import Annotated

import typer

from .. import version


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"closeread {version()}")
        raise typer.Exit


def _common(
    version_: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


def application() -> typer.Typer:
    """The whole command line."""
    app = typer.Typer(
        name="closeread",
        help="Reads code for security bugs and review remarks, on this machine alone.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_common)
    for info in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{info.name}").register(app)
    return app
