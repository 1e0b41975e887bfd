"""A WebSocket handler that says yes to every site."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.FunctionDefinition,)


def check(node: ir.FunctionDefinition, context: Context) -> Iterator[Report]:
    """Reports the method."""
    function = node.function
    if function.name != "check_origin" or context.is_test:
        return
    last = function.body[-1] if function.body else None
    always = isinstance(last, ir.Return) and isinstance(last.value, ir.Constant) and last.value.value is True
    if last is not None and always and not any(isinstance(part, (ir.If, ir.Raise)) for part in function.body):
        yield Report(last)
