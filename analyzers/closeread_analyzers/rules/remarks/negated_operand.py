"""A negation as the left operand of a membership or type test."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Comparison,)


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    left = node.left
    if node.operator not in ("in", "not in", "instanceof") or not isinstance(left, ir.Unary):
        return
    if left.operator == "not" and not context.text(node).startswith("("):
        yield Report(node, name=node.operator)
