"""Membership in a literal that is a word between parentheses."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...pattern import later

visits = (ir.Comparison,)
mends = (ir.Comparison,)
title = "Make it a tuple"
safe = False

_WORD = later(r"in\s*\([\"'][A-Za-z_]{3,}[\"']\)")


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the text."""
    if node.operator not in ("in", "not in") or type(node.right) is not ir.Constant:
        return
    # the parentheses are not part of the literal's own span
    around = ir.Node(node.left.end, node.right.end + 1)
    if isinstance(node.right.value, str) and _WORD.search(context.text(around)):
        yield Report(node.right, name=context.text(node.right))


def fix(node: ir.Comparison, context: FixContext) -> Iterator[Edit]:
    """A comma makes it one."""
    yield context.edit(node.right.end, node.right.end, ",")
