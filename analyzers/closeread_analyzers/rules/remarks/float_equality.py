"""Arithmetic compared for equality with a fraction that has no exact form."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from decimal import Decimal

visits = (ir.Comparison,)


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the literal. A variable may well hold the very literal; the result of arithmetic does not."""
    if node.operator not in ("==", "!=", "===", "!==") or context.is_test:
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if type(side) is ir.Constant and type(side.value) is float and isinstance(other, ir.Binary):
            if side.value - side.value == 0 and Decimal(repr(side.value)) != Decimal(side.value):
                yield Report(side, name=context.text(side))
