"""A literal that is raised."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Raise,)


def check(node: ir.Raise, context: Context) -> Iterator[Report]:
    """Reports the literal."""
    if isinstance(node.value, ir.Constant | ir.Template):
        yield Report(node.value)
