"""A longer key in the same place. Keys that there are stay as they are."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Make a key of 2,048 bits"
safe = False

_SHORT = (512, 768, 1024)


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """The number of bits, given as a number, becomes 2048; in an object of options, too."""
    for argument in node.arguments:
        values = (
            [value for _, value in argument.value.entries]
            if isinstance(argument.value, ir.Mapping)
            else [argument.value]
        )
        for value in values:
            if isinstance(value, ir.Constant) and value.value in _SHORT:
                yield context.replace(value, "2048")
