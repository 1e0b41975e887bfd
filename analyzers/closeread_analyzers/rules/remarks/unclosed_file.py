"""A file that is opened, used in place or by a local name only, and never closed."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import walk

visits = (ir.Call,)
calls = frozenset({"open"})

_OPENERS = ("open", "io.open", "codecs.open", "gzip.open", "bz2.open", "lzma.open")
_READS = frozenset({"read", "readline", "readlines", "write", "writelines"})
_USES = _READS | {"seek", "tell", "flush", "truncate", "fileno", "isatty", "name", "mode"}
_CONSUMERS = ("json.load", "json.dump", "pickle.load", "pickle.dump", "yaml.load", "yaml.safe_load", "tomllib.load")


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call that opens."""
    if context.path(node.callee) not in _OPENERS or not context.parents or context.is_test:
        return
    parent = context.parents[-1]
    if isinstance(parent, ir.Attribute):
        if parent.name in _READS and len(context.parents) > 1 and isinstance(context.parents[-2], ir.Call):
            yield Report(node)
    elif isinstance(parent, ir.Argument):
        call = context.parents[-2]
        if isinstance(call, ir.Call) and context.path(call.callee) in _CONSUMERS:
            yield Report(node)
    elif isinstance(parent, ir.Assign) and parent.value is node:
        function = context.function
        target = parent.targets[0]
        if function is None or len(parent.targets) != 1 or not isinstance(target, ir.Name):
            return
        if target.id not in context.scope(function).outer and _only_used(function, target):
            yield Report(node)


def _only_used(function: ir.Function, variable: ir.Name) -> bool:
    """Whether the variable's file is read or written and nothing else ever happens to it."""
    used: set[int] = {id(variable)}
    for node in walk(*function.body):
        if isinstance(node, ir.Attribute) and isinstance(node.value, ir.Name) and node.value.id == variable.id:
            if node.name not in _USES:
                return False
            used.add(id(node.value))
        elif isinstance(node, ir.For) and isinstance(node.iterable, ir.Name) and node.iterable.id == variable.id:
            used.add(id(node.iterable))
        elif isinstance(node, ir.Name) and node.id == variable.id and id(node) not in used:
            return False
    return True
