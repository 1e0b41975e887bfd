"""A comparison by identity with a literal or a fresh container."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import is_fresh_container

visits = (ir.Comparison,)
mends = (ir.Comparison,)
title = "Compare by value"

_BY_REFERENCE = ("==", "!=", "===", "!==")


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    if node.operator in ("is", "is not"):
        for side in (node.left, node.right):
            if is_fresh_container(side) or (type(side) is ir.Constant and type(side.value) in (str, bytes, int, float)):
                yield Report(node)
                return
    elif node.operator in _BY_REFERENCE and "loose-equality" in context.traits:
        # `x == []` converts the list to "" where equality is loose; only an object is never equal to anything
        strict = len(node.operator) == 3
        for side in (node.left, node.right):
            if isinstance(side, ir.Mapping) or (strict and is_fresh_container(side)):
                yield Report(node)
                return


def fix(node: ir.Comparison, context: FixContext) -> Iterator[Edit]:
    """`is` becomes `==`. What equality means for objects that are compared by reference, only their author knows."""
    if node.operator in ("is", "is not"):
        yield from context.operator(node, "==" if node.operator == "is" else "!=")
