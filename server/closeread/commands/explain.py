"""`closeread explain RULE | FILE:LINE`: a rule's page, or the finding on a line explained."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import complain, complaints, fail

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command()(explain)


def explain(
    what: Annotated[str, typer.Argument(metavar="RULE|FILE:LINE", help="A rule's name, or a line with a finding.")],
    rule: Annotated[str | None, typer.Option(help="Of several findings on a line, this rule's.")] = None,
) -> None:
    """Show a rule's page, or explain the finding on a line: what happens step by step, why it matters, what to do."""
    with complaints():
        if what.rpartition(":")[2].isdecimal():
            _finding(what, rule)
            return
        from closeread_analyzers.catalogue import builtin

        rules = builtin().rules
        if what not in rules:
            near = [name for name in rules if what and what in name][:3] or difflib.get_close_matches(what, rules)
            hint = f" Did you mean {', '.join(near)}?" if near else " `closeread rules` lists them all."
            fail(f"there is no rule {what!r}.{hint}")
        page = _page(rules[what])
        if not sys.stdout.isatty():
            typer.echo(page)
            return
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(page))


def _finding(what: str, rule: str | None) -> None:
    """The engine's words, then the model's as they are written, if one is in use."""
    from .. import explanation, mending
    from ..model import teacher
    from ..model.assistant import assistant
    from ..model.shelf import ModelProblem

    try:
        explained = mending.explained(what, rule)
    except mending.BadQuestion as error:
        fail(f"{error}.")
    typer.echo(explanation.text(explained))
    try:
        with assistant() as model:
            if model is not None:
                typer.echo(f"\nIn the words of {model.model.name}, a model that may be wrong:")
                for sentence in teacher.written(explained, model):
                    typer.echo(sentence)
    except ModelProblem as error:
        complain(f"warning: the model says nothing: {error}.")


def _page(rule: Rule) -> str:
    weakness = f", CWE-{rule.cwe}" if rule.cwe is not None else ""
    document = rule.document.read_text("utf-8")
    body = document.split("\n+++\n", 1)[-1].strip()
    fix = f"\n\n**Fix:** {rule.fix}" if rule.fix else ""
    return f"{body}\n\n---\n\n`{rule.id}`: {rule.kind}, {rule.severity.label} severity{weakness}{fix}"
