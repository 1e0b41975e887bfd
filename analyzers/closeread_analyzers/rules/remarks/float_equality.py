"""Arithmetic compared for equality with a fraction that has no exact form."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

from ... import ir
from ...check import Context, Report

visits = (ir.Comparison,)


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the literal. A variable may well hold the very literal; the result of arithmetic does not."""
    if node.operator not in ("==", "!=", "===", "!==") or context.is_test:
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if type(side) is not ir.Constant or type(side.value) is not float or not isinstance(other, ir.Binary):
            continue
        if math.isfinite(side.value) and Decimal(repr(side.value)) != Decimal(side.value):
            yield Report(side, name=context.text(side))
