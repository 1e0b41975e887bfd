"""`closeread why FILE:LINE`: why a line was or was not reported."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from ..console import complaints, fail


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command()(why)


def why(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="A line of a source file.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say why a line was or was not reported: what reaches it, what cleared it, where it was lost."""
    with complaints():
        from .. import why as why_

        try:
            told = why_.ask(place)
        except why_.BadQuestion as error:
            fail(f"{error}.")
        if as_json:
            typer.echo(json.dumps(why_.as_json(told), indent=2))
        else:
            typer.echo(why_.text(told), nl=False)
