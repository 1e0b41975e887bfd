"""A statement that only makes an exception."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.ExpressionStatement,)

_EXCEPTIONS = {
    name for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, Exception)
} | {"Error", "RangeError", "EvalError", "URIError"}


def check(node: ir.ExpressionStatement, context: Context) -> Iterator[Report]:
    """Reports the call."""
    call = node.value
    if type(call) is not ir.Call or type(call.callee) is not ir.Name or call.callee.id not in _EXCEPTIONS:
        return
    if context.path(call.callee) == call.callee.id and not context.is_test:
        yield Report(call)
