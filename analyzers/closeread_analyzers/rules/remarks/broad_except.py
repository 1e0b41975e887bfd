"""A broad handler that answers every failure with a constant."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Try,)


def check(node: ir.Try, context: Context) -> Iterator[Report]:
    """Reports the handler's type."""
    if len(node.body) < 2 or context.is_test:
        return
    for handler in node.handlers:
        if len(handler.types) != 1 or context.path(handler.types[0]) not in ("Exception", "BaseException"):
            continue
        if len(handler.body) == 1 and _is_constant(handler.body[0]) and not context.is_explained(handler):
            yield Report(handler.types[0])


def _is_constant(statement: ir.Statement) -> bool:
    if isinstance(statement, ir.Return):
        return isinstance(statement.value, ir.Constant | None)
    return isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Constant)
