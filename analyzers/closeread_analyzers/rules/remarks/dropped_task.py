"""A task that is made in a statement of its own."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Call,)
calls = frozenset({"create_task", "ensure_future"})


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    if not context.parents or not isinstance(context.parents[-1], ir.ExpressionStatement) or context.is_test:
        return
    if context.path(node.callee) in ("asyncio.create_task", "asyncio.ensure_future"):
        yield Report(node, name=context.text(node.callee))
