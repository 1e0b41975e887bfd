"""`closeread mend FILE:LINE`: a fix for the finding on a line, as a patch to read. Writes nothing."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import complain, complaints, fail


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command()(mend)


def mend(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="A line with a finding.")],
    rule: Annotated[str | None, typer.Option(help="Of several findings there, this rule's.")] = None,
) -> None:
    """Print a patch for a finding: a rule's own fix, or what the local model proposes and the analysis accepts."""
    with complaints():
        from .. import mending
        from ..model.shelf import ModelProblem

        try:
            mended = mending.mend(place, rule)
        except mending.BadQuestion as error:
            fail(f"{error}.")
        except ModelProblem as error:
            fail(f"{error}.")
        if mended.patch is None:
            reasons = "".join(f"\n  {number}. {why}" for number, why in enumerate(mended.refused, 1))
            fail(f"no proposal of {mended.model} was accepted:{reasons}")
        if mended.model:
            complain(
                f"proposed by {mended.model}: the finding is gone and nothing new appeared; whether the program still "
                "does what it should, only you can tell."
            )
        typer.echo(mended.patch, nl=False)
