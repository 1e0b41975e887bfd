"""Escaping goes on."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Escape values in templates"
safe = False  # values that are markup on purpose would show their tags


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`autoescape` becomes true, or is added."""
    flipped = list(context.flip(node, "autoescape"))
    if flipped:
        yield from flipped
    elif context.path(node.callee) == "jinja2.Environment":
        yield from context.pass_argument(node, "autoescape", "True")
