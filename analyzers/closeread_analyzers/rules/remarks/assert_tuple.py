"""An assertion on a tuple that is not empty."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Assert,)
mends = (ir.Assert,)
title = "Take the parentheses away"
safe = False  # an assertion that never failed now may


def check(node: ir.Assert, context: Context) -> Iterator[Report]:
    """Reports the tuple."""
    if isinstance(node.test, ir.Sequence) and node.test.kind == "tuple" and node.test.items:
        yield Report(node.test)


def fix(node: ir.Assert, context: FixContext) -> Iterator[Edit]:
    """`assert (a, b)` becomes `assert a, b`."""
    test = node.test
    if isinstance(test, ir.Sequence) and len(test.items) == 2:
        first, second = test.items
        yield context.replace(test, f"{context.text(first)}, {context.text(second)}")
