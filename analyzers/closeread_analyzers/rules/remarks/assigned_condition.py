"""An assignment of a constant, or of anything by a bare =, as a whole condition."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.If, ir.While, ir.Conditional)
mends = (ir.Bind,)
title = "Compare instead of assigning"
safe = False


def check(node: ir.If | ir.While | ir.Conditional, context: Context) -> Iterator[Report]:
    """Reports the assignment."""
    test = node.test
    if type(test) is not ir.Bind:
        return
    if type(test.value) is ir.Constant:
        yield Report(test, name=context.text(test.target))
    elif "loose-equality" in context.traits and isinstance(node, ir.If):
        head = context.text(ir.Node(node.start, test.start)).replace(" ", "")
        if not head.endswith("((") and type(test.value) in (ir.Name, ir.Attribute):
            yield Report(test, name=context.text(test.target))


def fix(node: ir.Bind, context: FixContext) -> Iterator[Edit]:
    """`=` becomes `===`, and `:=` becomes `==`."""
    between = context.bytes(node.target.end, node.value.start).decode("utf-8", "replace")
    operator = {"=": "===", ":=": "=="}.get(between.strip())
    if operator is not None:
        yield context.edit(node.target.end, node.value.start, f" {operator} ")
