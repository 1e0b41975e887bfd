"""An exception handler whose type is a chain of or."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Handler,)
mends = (ir.Boolean,)
title = "Catch each of them"
safe = False


def check(node: ir.Handler, context: Context) -> Iterator[Report]:
    """Reports the chain."""
    for caught in node.types:
        if not isinstance(caught, ir.Boolean):
            continue
        first = caught.operands[0]
        if isinstance(first, ir.Name | ir.Attribute) and context.path(first):
            yield Report(caught, name=context.text(caught))


def fix(node: ir.Boolean, context: FixContext) -> Iterator[Edit]:
    """`A or B` becomes `(A, B)`. What is caught is more than before, so nobody does this unasked."""
    text = ", ".join(context.text(operand) for operand in node.operands)
    yield context.replace(node, text if context.bytes(node.start - 1, node.start) == b"(" else f"({text})")
