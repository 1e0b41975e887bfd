"""An exception handler whose type is a chain of or."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Handler,)


def check(node: ir.Handler, context: Context) -> Iterator[Report]:
    """Reports the chain."""
    for caught in node.types:
        if not isinstance(caught, ir.Boolean):
            continue
        first = caught.operands[0]
        if isinstance(first, ir.Name | ir.Attribute) and context.path(first):
            yield Report(caught, name=context.text(caught))
