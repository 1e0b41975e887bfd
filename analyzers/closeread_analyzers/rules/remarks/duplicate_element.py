"""A constant that stands in a set display twice."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Sequence,)


def check(node: ir.Sequence, context: Context) -> Iterator[Report]:
    """Reports the second one."""
    if node.kind != "set":
        return
    seen: set[tuple[type, object]] = set()
    for item in node.items:
        if type(item) is ir.Constant:
            key = (type(item.value), item.value)
            if key in seen:
                yield Report(item, name=context.text(item))
            seen.add(key)
