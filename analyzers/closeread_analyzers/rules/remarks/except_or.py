"""An exception handler whose type is a chain of or."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Handler,)


def check(node: ir.Handler, context: Context) -> Iterator[Report]:
    """Reports the chain."""
    for caught in node.types:
        if isinstance(caught, ir.Boolean) and isinstance(caught.operands[0], ir.Name | ir.Attribute):
            if context.path(caught.operands[0]):
                yield Report(caught, name=context.text(caught))
