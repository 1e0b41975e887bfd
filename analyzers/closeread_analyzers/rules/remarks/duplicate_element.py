"""A constant that stands in a set display twice."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Sequence,)
mends = (ir.Sequence,)
title = "Remove the second one"


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


def fix(node: ir.Sequence, context: FixContext) -> Iterator[Edit]:
    """Every element that stands there already goes, with the comma before it."""
    seen: set[tuple[type, object]] = set()
    for before, item in zip((None, *node.items), node.items, strict=False):
        if type(item) is not ir.Constant:
            continue
        key = (type(item.value), item.value)
        between = context.bytes(before.end, item.start) if before is not None else b""
        if key in seen and before is not None and between.strip() == b",":
            yield context.edit(before.end, item.end, "")
        seen.add(key)
