"""The call of an async function of this module, or of this class, as a statement of its own."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import called_function

visits = (ir.ExpressionStatement,)
mends = (ir.ExpressionStatement,)
title = "Await it"
safe = False


def check(node: ir.ExpressionStatement, context: Context) -> Iterator[Report]:
    """Reports the call."""
    call = node.value
    if type(call) is not ir.Call:
        return
    function = called_function(call, context)
    if function is not None and function.is_async and not function.is_generator and not function.decorators:
        yield Report(call, name=function.name)


def fix(node: ir.ExpressionStatement, context: FixContext) -> Iterator[Edit]:
    """`await` goes before the call, where that can stand."""
    if context.function is not None and context.function.is_async:
        yield context.edit(node.start, node.start, "await ")
