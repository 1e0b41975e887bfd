"""Membership in a literal that is a word between parentheses."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...pattern import later

visits = (ir.Comparison,)

_WORD = later(r"in\s*\([\"'][A-Za-z_]{3,}[\"']\)")


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the text."""
    if node.operator not in ("in", "not in") or type(node.right) is not ir.Constant:
        return
    # the parentheses are not part of the literal's own span
    around = ir.Node(node.left.end, node.right.end + 1)
    if isinstance(node.right.value, str) and _WORD.search(context.text(around)):
        yield Report(node.right, name=context.text(node.right))
