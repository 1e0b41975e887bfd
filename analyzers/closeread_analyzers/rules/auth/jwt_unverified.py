"""The switch that leaves the signature unchecked, where the key is at hand; and algorithms that are none."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Check the signature"

_DECODE = ("jwt.decode", "jose.jwt.decode")


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`verify_signature` becomes true, and "none" is no algorithm. Without a key in the call, nothing is sure."""
    has_key = sum(given.name is None for given in node.arguments) > 1 or any(g.name == "key" for g in node.arguments)
    if context.path(node.callee) not in _DECODE or not has_key:
        return
    yield from context.flip(node, "verify_signature", "verify")
    for given in node.arguments:
        names = given.value
        if given.name == "algorithms" and isinstance(names, ir.Sequence):
            kept = [one for one in names.items if not _is_none(one)]
            if kept and len(kept) < len(names.items):
                yield context.edit(names.start + 1, names.end - 1, ", ".join(context.text(one) for one in kept))


def _is_none(item: ir.Expression) -> bool:
    return isinstance(item, ir.Constant) and str(item.value).lower() == "none"
