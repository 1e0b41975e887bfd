"""A literal absolute part after the first of a joined path."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Call,)
calls = frozenset({"join", "resolve"})

_JOINS = ("os.path.join", "posixpath.join", "path.resolve", "node:path.resolve")


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the part."""
    if len(node.arguments) < 2 or context.path(node.callee) not in _JOINS:
        return
    for given in node.arguments[1:]:
        value = context.constant(given.value)
        if isinstance(value, str) and value.startswith("/") and not context.is_test:
            yield Report(given, name=context.text(given))
