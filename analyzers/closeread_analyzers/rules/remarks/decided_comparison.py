"""Two comparisons of one value with different constants that decide each other."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import is_plain, same

visits = (ir.Boolean,)

_DECIDED = {"or": ("!=", "!=="), "and": ("==", "===")}


def check(node: ir.Boolean, context: Context) -> Iterator[Report]:
    """Reports the chain."""
    operators = _DECIDED.get(node.operator)
    if operators is None:
        return
    seen: list[ir.Comparison] = []
    for operand in node.operands:
        if type(operand) is not ir.Comparison or operand.operator not in operators:
            continue
        right = operand.right
        if type(right) is not ir.Constant or type(right.value) not in (str, int) or not is_plain(operand.left):
            continue
        for other in seen[:20]:
            if _differ(right, other.right) and same(operand.left, other.left):
                outcome = "true" if node.operator == "or" else "false"
                yield Report(node, name=context.text(operand.left), outcome=outcome)
                return
        seen.append(operand)


def _differ(left: ir.Constant, right: ir.Expression) -> bool:
    return isinstance(right, ir.Constant) and type(left.value) is type(right.value) and left.value != right.value
