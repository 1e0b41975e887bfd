"""A test of True or False by equality, where it decides a branch."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import is_boolean_test

visits = (ir.Comparison,)


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    if node.operator not in ("==", "!=") or context.is_test:
        return
    right = node.right
    if type(right) is ir.Constant and type(right.value) is bool and is_boolean_test(node, context.parents):
        yield Report(node, name=context.text(node.left))
