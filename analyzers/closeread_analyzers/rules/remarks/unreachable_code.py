"""A statement behind one that always leaves, in the same block."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import bodies, leaves, walk_here

# Arms of a switch share statements when they fall through, so they are not looked at.
visits = (ir.Function, ir.If, ir.For, ir.While, ir.With, ir.Try)

_LEAVING = (ir.Return, ir.Raise, ir.Break, ir.Continue, ir.If)


def check(node: ir.Node, context: Context) -> Iterator[Report]:
    """Reports the first statement that is not reached."""
    for body in bodies(node):
        for at in range(len(body) - 1):
            statement = body[at]
            if not isinstance(statement, _LEAVING) or not leaves((statement,)):
                continue
            rest = body[at + 1 :]
            # the update of a C-style loop stands last in the body, and before it in the source
            first = next((dead for dead in rest if dead.start > statement.start and _runs(dead)), None)
            if first is not None and not any(isinstance(part, ir.Yield) for part in walk_here(*rest)):
                yield Report(first)
            break


def _runs(statement: ir.Statement) -> bool:
    """Definitions and bare declarations are no code that was meant to run there."""
    if isinstance(statement, ir.Assign):
        return statement.value is not None
    return not isinstance(statement, ir.FunctionDefinition | ir.Pass | ir.ClassDefinition | ir.Break)
