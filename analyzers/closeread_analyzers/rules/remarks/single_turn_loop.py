"""A loop that returns one boolean or the other in its first turn."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import walk_here

visits = (ir.For,)


def check(node: ir.For, context: Context) -> Iterator[Report]:
    """Reports the return that came too early."""
    body = node.body
    last = body[-1] if body else None
    if isinstance(last, ir.If) and last.orelse:
        first, second = last.body, last.orelse
    elif len(body) > 1 and isinstance(body[-2], ir.If) and not body[-2].orelse:
        first, second = body[-2].body, body[-1:]
    else:
        return
    if not (_returns_boolean(first) and _returns_boolean(second)):
        return
    if not any(isinstance(part, ir.Continue) for part in walk_here(*body)):
        yield Report(second[-1])


def _returns_boolean(body: list[ir.Statement]) -> bool:
    last = body[-1] if body else None
    return isinstance(last, ir.Return) and isinstance(last.value, ir.Constant) and type(last.value.value) is bool
