"""This machine alone. Whoever is to be reached by others says so where it runs."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Listen on this machine alone"
safe = False


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`"0.0.0.0"` becomes `"127.0.0.1"`, alone or as the first of a pair."""
    for argument in node.arguments:
        given = argument.value
        if isinstance(given, ir.Sequence) and given.items:
            given = given.items[0]
        if isinstance(given, ir.Constant) and given.value == "0.0.0.0":
            quote = context.text(given)[0]
            yield context.replace(given, f"{quote}127.0.0.1{quote}")
