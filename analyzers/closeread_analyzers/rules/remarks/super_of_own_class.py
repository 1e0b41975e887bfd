"""A super call whose class is taken from the object."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Call,)
calls = frozenset({"super"})
mends = (ir.Call,)
title = "Write super()"


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the first argument."""
    if len(node.arguments) != 2 or context.path(node.callee) != "super":
        return
    first = node.arguments[0].value
    if (isinstance(first, ir.Attribute) and first.name == "__class__") or (
        isinstance(first, ir.Call) and context.path(first.callee) == "type" and len(first.arguments) == 1
    ):
        yield Report(first, name=context.text(first))


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`super(self.__class__, self)` becomes `super()`, in a method whose first parameter is that object."""
    method, given = context.method, node.arguments[-1].value if node.arguments else None
    if method is None or method is not context.function or not method.parameters or not isinstance(given, ir.Name):
        return
    if given.id == method.parameters[0].name:
        yield context.edit(node.arguments[0].start, node.arguments[-1].end, "")
