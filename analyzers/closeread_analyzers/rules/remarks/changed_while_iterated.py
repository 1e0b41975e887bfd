"""Elements removed from the container that a loop walks over."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import bodies, is_plain, leaves, same

visits = (ir.For,)

_VIEWS = ("items", "keys", "values")
_REMOVALS = ("remove", "discard", "popitem")


def check(node: ir.For, context: Context) -> Iterator[Report]:
    """Reports the statement that removes. Where the loop is left right afterwards, no harm is done."""
    iterable = node.iterable
    if isinstance(iterable, ir.Call) and not iterable.arguments and isinstance(iterable.callee, ir.Attribute):
        if iterable.callee.name not in _VIEWS:
            return
        iterable = iterable.callee.value
    if not isinstance(iterable, ir.Name | ir.Attribute) or not is_plain(iterable):
        return
    pending = [node.body]
    while pending:
        body = pending.pop()
        if leaves(body) and not isinstance(body[-1], ir.Continue):
            continue
        for statement in body:
            if _rebinds(statement, iterable):
                break
            if not isinstance(statement, ir.For | ir.While):
                pending.extend(bodies(statement))
            if _removes(statement, iterable):
                yield Report(statement, name=context.text(iterable))


def _rebinds(statement: ir.Statement, container: ir.Expression) -> bool:
    return isinstance(statement, ir.Assign) and any(same(target, container) for target in statement.targets)


def _removes(statement: ir.Statement, container: ir.Expression) -> bool:
    if isinstance(statement, ir.Delete):
        return any(isinstance(t, ir.Subscript) and same(t.value, container) for t in statement.targets)
    if not isinstance(statement, ir.ExpressionStatement) or not isinstance(statement.value, ir.Call):
        return False
    callee = statement.value.callee
    if not isinstance(callee, ir.Attribute) or not same(callee.value, container):
        return False
    return callee.name in _REMOVALS or (callee.name == "pop" and bool(statement.value.arguments))
