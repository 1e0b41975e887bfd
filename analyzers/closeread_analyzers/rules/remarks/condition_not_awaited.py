"""A condition that is the call of an async function, without await."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import called_function

visits = (ir.If, ir.While, ir.Conditional)


def check(node: ir.If | ir.While | ir.Conditional, context: Context) -> Iterator[Report]:
    """Reports the call."""
    pending = [node.test]
    while pending:
        test = pending.pop()
        if isinstance(test, ir.Boolean):
            pending.extend(test.operands)
        elif isinstance(test, ir.Unary) and test.operator == "not":
            pending.append(test.operand)
        elif type(test) is ir.Call:
            function = called_function(test, context)
            if function is not None and function.is_async and not function.decorators:
                yield Report(test, name=function.name)
