"""A raise in a finaliser, outside any try."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Raise,)


def check(node: ir.Raise, context: Context) -> Iterator[Report]:
    """Reports the raise."""
    function = context.function
    if function is None or function.name != "__del__" or context.method is not function:
        return
    if not any(isinstance(parent, ir.Try) for parent in context.parents):
        yield Report(node)
