"""A constant key that stands in a display twice, with different values."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import same

visits = (ir.Mapping,)


def check(node: ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports the second one."""
    if len(node.entries) < 2:
        return
    seen: dict[tuple[type, object], ir.Expression] = {}
    for key, value in node.entries:
        if key is None:
            seen.clear()
            continue
        if type(key) is not ir.Constant or key.value is None:
            continue
        known = seen.get((type(key.value), key.value))
        if known is not None and not isinstance(value, ir.FunctionExpression) and not same(known, value):
            yield Report(key, name=context.text(key))
        seen[type(key.value), key.value] = value
