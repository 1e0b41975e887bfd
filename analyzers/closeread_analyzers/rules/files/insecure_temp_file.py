"""A file that is made together with its name; whoever wanted the name alone has it."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Make the file and its name in one step"

_PARAMETERS = ("suffix", "prefix", "dir")


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`tempfile.mktemp(...)` becomes `tempfile.NamedTemporaryFile(..., delete=False).name`."""
    if context.path(node.callee) != "tempfile.mktemp" or not isinstance(node.callee, ir.Attribute):
        return
    if any(given.spread for given in node.arguments) or len(node.arguments) > len(_PARAMETERS):
        return
    yield from context.rename(node.callee, "NamedTemporaryFile")
    for given, name in zip(node.arguments, _PARAMETERS, strict=False):
        if given.name is None:
            yield context.edit(given.start, given.start, f"{name}=")
    yield from context.pass_argument(node, "delete", "False")
    yield context.edit(node.end, node.end, ".name")
