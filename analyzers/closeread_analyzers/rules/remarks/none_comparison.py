"""A test of None by equality, where it decides a branch."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import is_boolean_test

visits = (ir.Comparison,)
mends = (ir.Comparison,)
title = "Compare by identity"


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    if node.operator not in ("==", "!=") or context.is_test:
        return
    for side in (node.left, node.right):
        if type(side) is ir.Constant and side.value is None and context.text(side) != "...":
            if is_boolean_test(node, context.parents):
                yield Report(node, name=node.operator)
            return


def fix(node: ir.Comparison, context: FixContext) -> Iterator[Edit]:
    """`==` becomes `is`."""
    yield from context.operator(node, "is" if node.operator == "==" else "is not")
