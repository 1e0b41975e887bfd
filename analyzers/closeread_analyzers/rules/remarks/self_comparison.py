"""A comparison of two equal operands that has a fixed outcome."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import is_plain, same

visits = (ir.Comparison,)

# == and != with oneself are the idiom for NaN.
_DECIDED = frozenset(("<", ">", "<=", ">=", "is", "is not", "===", "in", "not in"))


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    left = node.left
    if type(left) is not type(node.right) or node.operator not in _DECIDED or context.is_test:
        return
    if isinstance(left, ir.Name | ir.Attribute | ir.Subscript) and same(left, node.right) and is_plain(left):
        yield Report(node, name=context.text(left))
