"""A fresh container that is repeated as it is."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import argument, is_fresh_container

visits = (ir.Binary, ir.Call)
calls = frozenset({"fromkeys"})


def check(node: ir.Binary | ir.Call, context: Context) -> Iterator[Report]:
    """Reports the expression."""
    if context.is_test:
        return
    if isinstance(node, ir.Call):
        if context.path(node.callee) == "dict.fromkeys" and is_fresh_container(argument(node, 1)):
            yield Report(node, name=context.text(node))
        return
    if node.operator != "*" or not isinstance(node.left, ir.Sequence) or node.left.kind != "list":
        return
    if any(_is_container(item) for item in node.left.items) and not _is_one(node.right):
        yield Report(node, name=context.text(node))


def _is_container(item: ir.Expression) -> bool:
    if isinstance(item, ir.Binary) and item.operator == "*":
        return isinstance(item.left, ir.Sequence) and item.left.kind == "list"
    return is_fresh_container(item)


def _is_one(times: ir.Expression) -> bool:
    return isinstance(times, ir.Constant) and times.value in (0, 1)
