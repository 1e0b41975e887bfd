"""An assertion on a tuple that is not empty."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Assert,)


def check(node: ir.Assert, context: Context) -> Iterator[Report]:
    """Reports the tuple."""
    if isinstance(node.test, ir.Sequence) and node.test.kind == "tuple" and node.test.items:
        yield Report(node.test)
