"""`httponly` that is off goes on."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call, ir.Assign)
title = "Keep it from scripts"


def fix(node: ir.Call | ir.Assign, context: FixContext) -> Iterator[Edit]:
    """Off becomes on."""
    yield from context.flip(node, "httponly", "httpOnly")
