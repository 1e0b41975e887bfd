"""A way out of a finally block that drops what was on its way."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import bodies

visits = (ir.Try,)


def check(node: ir.Try, context: Context) -> Iterator[Report]:
    """Reports the statement that leaves."""
    pending = [(statement, False) for statement in node.final]
    while pending:
        statement, in_loop = pending.pop()
        if isinstance(statement, ir.Return) or (isinstance(statement, ir.Break | ir.Continue) and not in_loop):
            yield Report(statement)
            continue
        inside = in_loop or isinstance(statement, ir.For | ir.While | ir.Match)
        pending.extend((child, inside) for body in bodies(statement) for child in body)
