"""A try whose only handler does nothing but throw again."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Try,)


def check(node: ir.Try, context: Context) -> Iterator[Report]:
    """Reports the handler."""
    if len(node.handlers) != 1 or node.orelse or node.final:
        return
    handler = node.handlers[0]
    if len(handler.body) != 1 or not isinstance(handler.body[0], ir.Raise) or context.is_explained(handler):
        return
    again = handler.body[0]
    if again.cause is None and (
        again.value is None or (isinstance(again.value, ir.Name) and again.value.id == handler.name)
    ):
        yield Report(context.first_line(handler))
