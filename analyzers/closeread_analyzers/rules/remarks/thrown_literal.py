"""A literal that is raised."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Raise,)
mends = (ir.Raise,)
title = "Throw an exception with this text"
safe = False


def check(node: ir.Raise, context: Context) -> Iterator[Report]:
    """Reports the literal."""
    if isinstance(node.value, ir.Constant | ir.Template):
        yield Report(node.value)


def fix(node: ir.Raise, context: FixContext) -> Iterator[Edit]:
    """The text becomes the message of an `Exception`, or of an `Error` where there are no built-in names like that."""
    if node.value is None or not _is_text(node.value):
        return
    made = "Exception" if "builtin-names" in context.traits else "new Error"
    yield context.replace(node.value, f"{made}({context.text(node.value)})")


def _is_text(node: ir.Expression) -> bool:
    return isinstance(node, ir.Template) or (isinstance(node, ir.Constant) and isinstance(node.value, str))
