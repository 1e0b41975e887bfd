"""`closeread explain RULE`: a rule's page."""

from __future__ import annotations

import difflib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import complaints, fail

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command()(explain)


def explain(rule: Annotated[str, typer.Argument(help="A rule's name, as in a finding.")]) -> None:
    """Show a rule's page: why it matters, what to do, what is and is not flagged."""
    with complaints():
        from closeread_analyzers.catalogue import builtin

        rules = builtin().rules
        if rule not in rules:
            near = [name for name in rules if rule and rule in name][:3] or difflib.get_close_matches(rule, rules)
            hint = f" Did you mean {', '.join(near)}?" if near else " `closeread rules` lists them all."
            fail(f"there is no rule {rule!r}.{hint}")
        page = _page(rules[rule])
        if not sys.stdout.isatty():
            typer.echo(page)
            return
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(page))


def _page(rule: Rule) -> str:
    weakness = f", CWE-{rule.cwe}" if rule.cwe is not None else ""
    document = rule.document.read_text("utf-8")
    body = document.split("\n+++\n", 1)[-1].strip()
    fix = f"\n\n**Fix:** {rule.fix}" if rule.fix else ""
    return f"{body}\n\n---\n\n`{rule.id}`: {rule.kind}, {rule.severity.label} severity{weakness}{fix}"
