"""A lambda that is kept for later and reads a loop's variable."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...scope import targets
from ...shapes import last_name, names_read

visits = (ir.FunctionExpression,)

_KEEPERS = ("append", "insert", "add", "appendleft", "push")


def check(node: ir.FunctionExpression, context: Context) -> Iterator[Report]:
    """Reports the lambda."""
    looped = _loop_names(node, context)
    if not looped:
        return
    own = {parameter.name for parameter in node.function.parameters}
    # what the lambda's own comprehensions bind is not the loop's
    for name in names_read(*node.function.body):
        if name in looped and name not in own:
            yield Report(node, name=name)
            return


def _loop_names(node: ir.FunctionExpression, context: Context) -> set[str]:
    """The variables of the loops around, where the lambda is kept beyond the turn."""
    parents = context.parents
    parent = parents[-1] if parents else None
    if isinstance(parent, ir.Comprehension) and parent.element is node and parent.kind != "generator":
        return {name for clause in parent.clauses for name in targets(clause.target)}
    if isinstance(parent, ir.Argument):
        call = parents[-2]
        if not isinstance(call, ir.Call) or last_name(call.callee) not in _KEEPERS:
            return set()
    elif not (isinstance(parent, ir.Assign) and isinstance(parent.targets[0], ir.Subscript)):
        return set()
    names: set[str] = set()
    for around in reversed(parents):
        if isinstance(around, ir.Function):
            break
        if isinstance(around, ir.For):
            names.update(targets(around.target))
    return names
