"""forEach with an async function that awaits."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Call,)
calls = frozenset({"forEach"})


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the function's first word."""
    if not node.arguments or not isinstance(node.callee, ir.Attribute):
        return
    callback = node.arguments[0].value
    if isinstance(callback, ir.FunctionExpression) and callback.function.is_async:
        yield Report(ir.Node(callback.start, callback.start + len("async")))
