"""One more argument."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Send it over encrypted connections alone"


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`secure=True` is added."""
    yield from context.pass_argument(node, "secure", "True")
