"""Raising the value that is for comparisons."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Raise,)
mends = (ir.Raise,)
title = "Raise NotImplementedError"


def check(node: ir.Raise, context: Context) -> Iterator[Report]:
    """Reports what is raised."""
    value = node.value
    raised = value.callee if isinstance(value, ir.Call) else value
    if type(raised) is ir.Name and raised.id == "NotImplemented" and context.path(raised) == "NotImplemented":
        yield Report(raised)


def fix(node: ir.Raise, context: FixContext) -> Iterator[Edit]:
    """The constant becomes the exception."""
    for report in check(node, context):
        yield context.replace(report.node, "NotImplementedError")
