"""An equality with NaN."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Comparison,)
mends = (ir.Comparison,)
title = "Ask math.isnan"
safe = False  # the outcome was always the same before

_NAN = frozenset(("math.nan", "numpy.nan", "numpy.NaN", "NaN", "Number.NaN"))
_OUTCOME = {"==": "false", "===": "false", "!=": "true", "!==": "true"}


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    outcome = _OUTCOME.get(node.operator)
    if outcome is None:
        return
    for side in (node.right, node.left):
        if _is_nan(side, context):
            yield Report(node, outcome=outcome)
            return


def _is_nan(side: ir.Expression, context: Context) -> bool:
    if isinstance(side, ir.Call):
        if type(side.callee) is not ir.Name or side.callee.id != "float" or len(side.arguments) != 1:
            return False
        value = context.constant(side.arguments[0].value)
        return isinstance(value, str) and value.lower() == "nan"
    if isinstance(side, ir.Attribute | ir.Name) and getattr(side, "name", getattr(side, "id", "")).lower() == "nan":
        return context.path(side) in _NAN
    return False


def fix(node: ir.Comparison, context: FixContext) -> Iterator[Edit]:
    """`x == nan` becomes `math.isnan(x)`."""
    if node.operator in ("==", "!="):
        other = node.left if _is_nan(node.right, context) else node.right
        form = f"{'not ' if node.operator == '!=' else ''}{{}}({context.text(other)})"
        yield from context.use(node, "math", "isnan", form)
