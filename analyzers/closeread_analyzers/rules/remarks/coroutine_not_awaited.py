"""The call of an async function of this module, or of this class, as a statement of its own."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import called_function

visits = (ir.ExpressionStatement,)


def check(node: ir.ExpressionStatement, context: Context) -> Iterator[Report]:
    """Reports the call."""
    call = node.value
    if type(call) is not ir.Call:
        return
    function = called_function(call, context)
    if function is not None and function.is_async and not function.is_generator and not function.decorators:
        yield Report(call, name=function.name)
