"""A plain loop over an async generator of this module."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import called_function

visits = (ir.For,)


def check(node: ir.For, context: Context) -> Iterator[Report]:
    """Reports the call of the generator."""
    if node.is_async or type(node.iterable) is not ir.Call:
        return
    function = called_function(node.iterable, context)
    if function is not None and function.is_async and function.is_generator and not function.decorators:
        yield Report(node.iterable, name=function.name)
