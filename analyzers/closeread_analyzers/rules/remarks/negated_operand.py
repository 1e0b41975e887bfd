"""A negation as the left operand of a membership or type test."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Comparison,)
mends = (ir.Comparison,)
title = "Negate the whole test"
safe = False


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    left = node.left
    if node.operator not in ("in", "not in", "instanceof") or not isinstance(left, ir.Unary):
        return
    if left.operator == "not" and not context.text(node).startswith("("):
        yield Report(node, name=node.operator)


def fix(node: ir.Comparison, context: FixContext) -> Iterator[Edit]:
    """`!a in b` becomes `!(a in b)`, `!a instanceof B` likewise."""
    left = node.left
    if isinstance(left, ir.Unary) and context.bytes(left.start, left.start + 1) == b"!":
        yield context.replace(node, f"!({context.text(ir.Node(left.start + 1, node.end)).strip()})")
