"""A test of True or False by equality, where it decides a branch."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import is_boolean_test

visits = (ir.Comparison,)
mends = (ir.Comparison,)
title = "Test the value itself"
safe = False


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    if node.operator not in ("==", "!=") or context.is_test:
        return
    right = node.right
    if type(right) is ir.Constant and type(right.value) is bool and is_boolean_test(node, context.parents):
        yield Report(node, name=context.text(node.left))


def fix(node: ir.Comparison, context: FixContext) -> Iterator[Edit]:
    """`x == True` becomes `x`, `x == False` becomes `not x`. Other true values then count, so nobody does this unasked."""
    wanted = (node.operator == "==") is (isinstance(node.right, ir.Constant) and node.right.value is True)
    text = context.text(node.left)
    if wanted or isinstance(node.left, ir.Name | ir.Attribute | ir.Call | ir.Subscript):
        yield context.replace(node, text if wanted else f"not {text}")
