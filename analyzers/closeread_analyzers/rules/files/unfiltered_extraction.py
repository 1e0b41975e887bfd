"""The filter for data."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Refuse members that leave the folder"


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`filter="data"` is added, or takes the place of another filter."""
    yield from context.pass_argument(node, "filter", '"data"')
