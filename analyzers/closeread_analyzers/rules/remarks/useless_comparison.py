"""A comparison that is a statement."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.ExpressionStatement,)


def check(node: ir.ExpressionStatement, context: Context) -> Iterator[Report]:
    """Reports the comparison. Where an exception is expected from it, it has its use."""
    if type(node.value) is not ir.Comparison or context.is_test:
        return
    if not any(isinstance(parent, ir.Try | ir.With) for parent in context.parents):
        yield Report(node.value)
