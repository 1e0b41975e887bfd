"""A plain loop over an async generator of this module."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import called_function

visits = (ir.For,)
mends = (ir.For,)
title = "Iterate asynchronously"
safe = False


def check(node: ir.For, context: Context) -> Iterator[Report]:
    """Reports the call of the generator."""
    if node.is_async or type(node.iterable) is not ir.Call:
        return
    function = called_function(node.iterable, context)
    if function is not None and function.is_async and function.is_generator and not function.decorators:
        yield Report(node.iterable, name=function.name)


def fix(node: ir.For, context: FixContext) -> Iterator[Edit]:
    """`for` becomes `async for`, or `for await`, in an async function."""
    if context.function is None or not context.function.is_async or context.bytes(node.start, node.start + 3) != b"for":
        return
    if "builtin-names" in context.traits:
        yield context.edit(node.start, node.start, "async ")
    else:
        yield context.edit(node.start + 3, node.start + 3, " await")
