"""new Promise with an async function."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Call,)
calls = frozenset({"Promise"})


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the function."""
    if not node.new or not node.arguments or context.path(node.callee) != "Promise":
        return
    executor = node.arguments[0].value
    if isinstance(executor, ir.FunctionExpression) and executor.function.is_async:
        yield Report(ir.Node(executor.start, executor.start + len("async")))
