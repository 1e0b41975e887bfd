"""A mode put together from bits, the write bit for others among them. Plain numbers are in the library models."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import argument

visits = (ir.Call,)
mends = (ir.Call,)
title = "Take the bit for others away"
safe = False
calls = frozenset({"chmod", "fchmod", "lchmod", "chmodSync"})

_OTHERS_WRITE = 0o002
_BITS = ("stat.S_IWOTH", "stat.S_IRWXO", "fs.constants.S_IWOTH", "fs.constants.S_IRWXO")


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the mode."""
    place = 0 if len(node.arguments) == 1 else 1
    mode = argument(node, place, "mode")
    if not isinstance(mode, ir.Binary) or mode.operator != "|":
        return
    # a mask that is taken away is below another operator and is not looked into
    pending: list[ir.Expression] = [mode]
    while pending:
        part = pending.pop()
        if isinstance(part, ir.Binary):
            if part.operator == "|":
                pending.extend((part.left, part.right))
        elif _lets_others_write(part, context):
            yield Report(mode)
            return


def _lets_others_write(part: ir.Expression, context: Context) -> bool:
    if isinstance(part, ir.Constant):
        return type(part.value) is int and bool(part.value & _OTHERS_WRITE)
    return isinstance(part, ir.Attribute | ir.Name) and context.path(part) in _BITS


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`0o777` becomes `0o775`; a mode in which names stand for bits is left alone."""
    mode = argument(node, 0 if len(node.arguments) == 1 else 1, "mode")
    parts = (mode.left, mode.right) if isinstance(mode, ir.Binary) else (mode,)
    for part in parts:
        if isinstance(part, ir.Constant) and type(part.value) is int and context.text(part).startswith("0o"):
            yield context.replace(part, f"0o{part.value & ~_OTHERS_WRITE:o}")
