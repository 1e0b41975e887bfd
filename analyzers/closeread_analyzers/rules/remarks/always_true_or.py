"""A chain of or that decides a branch, in which a comparison stands before a true literal."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import is_boolean_test

visits = (ir.Boolean,)


def check(node: ir.Boolean, context: Context) -> Iterator[Report]:
    """Reports the literal."""
    if node.operator != "or" or not isinstance(node.operands[0], ir.Comparison):
        return
    for operand in node.operands[1:]:
        if isinstance(operand, ir.Constant) and type(operand.value) is str and operand.value:
            if is_boolean_test(node, context.parents):
                yield Report(operand, name=context.text(operand))
            return
