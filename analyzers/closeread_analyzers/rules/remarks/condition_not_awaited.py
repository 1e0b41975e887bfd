"""A condition that is the call of an async function, without await."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import called_function

visits = (ir.If, ir.While, ir.Conditional)
mends = (ir.Call,)
title = "Await it"
safe = False


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


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`await` goes before the call, where that can stand; it binds closer than `not`, `and` and `or`."""
    if context.function is not None and context.function.is_async:
        yield context.edit(node.start, node.start, "await ")
