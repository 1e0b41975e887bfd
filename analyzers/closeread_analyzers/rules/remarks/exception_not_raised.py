"""A statement that only makes an exception."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.ExpressionStatement,)
mends = (ir.ExpressionStatement,)
title = "Raise it"
safe = False

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


def fix(node: ir.ExpressionStatement, context: FixContext) -> Iterator[Edit]:
    """The word that is missing, where the language raises with one."""
    if "catch-by-type" in context.traits:
        yield context.edit(node.start, node.start, "raise ")
