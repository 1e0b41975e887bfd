"""Raising the value that is for comparisons."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Raise,)


def check(node: ir.Raise, context: Context) -> Iterator[Report]:
    """Reports what is raised."""
    value = node.value
    raised = value.callee if isinstance(value, ir.Call) else value
    if type(raised) is ir.Name and raised.id == "NotImplemented" and context.path(raised) == "NotImplemented":
        yield Report(raised)
