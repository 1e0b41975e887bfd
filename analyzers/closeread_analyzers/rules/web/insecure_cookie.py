"""`secure` that is off goes on."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call, ir.Assign)
title = "Send it over encrypted connections alone"


def fix(node: ir.Call | ir.Assign, context: FixContext) -> Iterator[Edit]:
    """Off becomes on."""
    yield from context.flip(node, "secure", "SESSION_COOKIE_SECURE")
