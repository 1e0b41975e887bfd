"""A constructor that returns a value or yields."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import own_nodes

visits = (ir.Function,)

_VALUES = (ir.Constant, ir.Name, ir.Sequence, ir.Mapping, ir.Template, ir.Comparison)
"""What is surely not the None that a call may return."""


def check(node: ir.Function, context: Context) -> Iterator[Report]:
    """Reports the return or the yield."""
    if node.name != "__init__" or context.class_at(node) is None:
        return
    for part in own_nodes(node):
        if isinstance(part, ir.Yield):
            yield Report(part)
        elif isinstance(part, ir.Return) and isinstance(part.value, _VALUES):
            if isinstance(part.value, ir.Constant) and part.value.value is None:
                continue
            yield Report(part)
