"""A super call whose class is taken from the object."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Call,)
calls = frozenset({"super"})


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the first argument."""
    if len(node.arguments) != 2 or context.path(node.callee) != "super":
        return
    first = node.arguments[0].value
    if (isinstance(first, ir.Attribute) and first.name == "__class__") or (
        isinstance(first, ir.Call) and context.path(first.callee) == "type" and len(first.arguments) == 1
    ):
        yield Report(first, name=context.text(first))
