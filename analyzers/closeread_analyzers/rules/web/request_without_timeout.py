"""Ten seconds, which is a guess that suits most; whoever knows better changes the number."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Give up after ten seconds"
safe = False  # a slow partner that was waited for no longer is


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`timeout=10` is added, or takes the place of None."""
    yield from context.pass_argument(node, "timeout", "10")
