"""An assertion that takes something out of a container."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import walk_here

visits = (ir.Assert,)

_CHANGES = frozenset(
    ["pop", "popitem", "popleft", "append", "remove", "extend", "insert", "discard", "appendleft", "commit"]
)


def check(node: ir.Assert, context: Context) -> Iterator[Report]:
    """Reports the call inside the assertion."""
    if context.is_test:
        return
    for part in walk_here(node.test):
        if isinstance(part, ir.Call) and isinstance(part.callee, ir.Attribute) and part.callee.name in _CHANGES:
            yield Report(part, name=context.text(part))
            return
