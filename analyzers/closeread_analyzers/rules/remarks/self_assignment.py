"""A variable or attribute assigned to itself inside a function."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import same

visits = (ir.Assign,)


def check(node: ir.Assign, context: Context) -> Iterator[Report]:
    """Reports the assignment."""
    value = node.value
    kind = type(value)
    if kind is ir.Attribute:
        # setting an attribute that is a property may well do something
        return
    if kind is not ir.Name or len(node.targets) != 1 or type(node.targets[0]) is not ir.Name:
        return
    if node.annotation is None and same(node.targets[0], value):
        parent = context.parents[-1] if context.parents else None
        function = context.function
        if function is None or isinstance(parent, ir.Class) or context.is_test:
            return
        yield Report(node, name=node.targets[0].id)
