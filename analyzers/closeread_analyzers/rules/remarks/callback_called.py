"""The call of a function that returns nothing, where a function is wanted."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import argument, called_function, own_nodes

visits = (ir.Call,)
mends = (ir.Argument,)
title = "Pass the function itself"
safe = False

_WANTED = {
    "threading.Thread": (1, "target"),
    "threading.Timer": (1, "function"),
    "multiprocessing.Process": (1, "target"),
    "atexit.register": (0, "func"),
    "setTimeout": (0, ""),
    "setInterval": (0, ""),
    "setImmediate": (0, ""),
}
calls = frozenset(path.rpartition(".")[2] for path in _WANTED)


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call that stands in the callback's place."""
    wanted = _WANTED.get(context.path(node.callee) or "")
    if wanted is None:
        return
    given = argument(node, *wanted)
    if type(given) is not ir.Call:
        return
    function = called_function(given, context)
    if function is None or function.decorators or function.is_async or function.is_generator:
        return
    context.wide = True
    if not any(isinstance(part, ir.Return) and part.value is not None for part in own_nodes(function)):
        yield Report(given, name=context.text(given))


def fix(node: ir.Argument, context: FixContext) -> Iterator[Edit]:
    """`work()` becomes `work`, where it is called without arguments."""
    if isinstance(node.value, ir.Call) and not node.value.arguments:
        yield context.edit(node.value.callee.end, node.value.end, "")
