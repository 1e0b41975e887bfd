"""`closeread rules`: all rules, as a table or as JSON."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..console import complaints

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command()(rules)


def rules(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the rules."""
    with complaints():
        from closeread_analyzers.catalogue import builtin

        known = sorted(builtin().rules.values(), key=lambda rule: (rule.kind != "vulnerability", rule.topic, rule.id))
        if as_json:
            typer.echo(json.dumps([_facts(rule) for rule in known], indent=2))
            return
        rows = [
            (rule.id, rule.topic, rule.severity.label, f"CWE-{rule.cwe}" if rule.cwe else "", rule.title)
            for rule in known
        ]
        head = ("rule", "topic", "severity", "weakness", "title")
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.table import Table

            table = Table(box=None, pad_edge=False)
            for name in head:
                table.add_column(name, no_wrap=name != "title")
            for row in rows:
                table.add_row(*row)
            Console().print(table)
            return
        widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
        for row in (head, *rows):
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _facts(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "topic": rule.topic,
        "title": rule.title,
        "kind": rule.kind,
        "severity": rule.severity.label,
        "confidence": rule.confidence.label,
        "cwe": rule.cwe,
        "fix": rule.fix,
    }
