"""The switch that is on goes off."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Leave external entities alone"
safe = False


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`resolve_entities=True` and `setFeature(feature_external_ges, True)` become `False`."""
    yield from context.flip(node, "resolve_entities", "noent")
    if isinstance(node.callee, ir.Attribute) and node.callee.name == "setFeature" and len(node.arguments) == 2:
        given = node.arguments[1].value
        if isinstance(given, ir.Constant) and given.value in (True, 1):
            yield context.replace(given, "False")
