"""A handler that catches everything, does nothing, and does not say why."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Handler,)

_EVERYTHING = ("Exception", "BaseException")
_NOTHING = (ir.Pass, ir.Continue)
_SILENT_BY_NATURE = ("__del__", "__exit__", "__aexit__", "atexit")


def check(node: ir.Handler, context: Context) -> Iterator[Report]:
    """Reports the handler."""
    if not all(isinstance(statement, _NOTHING) for statement in node.body):
        return
    if node.types and not any(context.path(caught) in _EVERYTHING for caught in node.types):
        return
    if context.is_explained(node):
        return
    function = context.function
    if function is None or function.name not in _SILENT_BY_NATURE:
        yield Report(context.first_line(node))
