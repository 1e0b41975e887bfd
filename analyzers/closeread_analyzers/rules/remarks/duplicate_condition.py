"""A condition that stands in an if-else chain twice."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import same, walk

visits = (ir.If,)

_PLAIN = (ir.Name, ir.Attribute, ir.Constant, ir.Comparison, ir.Boolean, ir.Unary, ir.Subscript)


def check(node: ir.If, context: Context) -> Iterator[Report]:
    """Reports the second one."""
    if not node.orelse or len(node.orelse) != 1 or type(node.orelse[0]) is not ir.If:
        return
    parent = context.parents[-1] if context.parents else None
    if isinstance(parent, ir.If) and parent.orelse == [node]:
        return
    tests: list[ir.Expression] = []
    at: ir.Statement = node
    while isinstance(at, ir.If):
        # a chain of hundreds of branches is a table; comparing all pairs would cost too much
        seen = len(tests) < 50 and any(same(at.test, test) for test in tests)
        if seen and all(isinstance(part, _PLAIN) for part in walk(at.test)):
            yield Report(at.test)
        tests.append(at.test)
        if len(at.orelse) != 1:
            return
        at = at.orelse[0]
