"""A Django project's list of middlewares that lets any site show its pages in a frame."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from .csrf_middleware_missing import lacks

visits = (ir.Assign,)


def check(node: ir.Assign, context: Context) -> Iterator[Report]:
    """Reports the end of the setting: where the missing line would be."""
    if lacks(node, context, "XFrameOptionsMiddleware") and b"frame-ancestors" not in context.module.source:
        assert isinstance(node.value, ir.Sequence)
        yield Report(node.value.items[-1])
