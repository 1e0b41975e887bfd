"""The oldest version that is still sound. A partner that knows only older ones is refused from then on."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (
    ir.Call,
    ir.Assign,
)
title = "Ask for TLS 1.2"
safe = False

_OLD = ("ssl.TLSVersion.SSLv3", "ssl.TLSVersion.TLSv1", "ssl.TLSVersion.TLSv1_1")
_OLD_NAMES = ("TLSv1", "TLSv1.1")


def fix(node: ir.Call | ir.Assign, context: FixContext) -> Iterator[Edit]:
    """`TLSVersion.TLSv1` becomes `TLSv1_2`, and `minVersion: "TLSv1"` becomes `"TLSv1.2"`. A `PROTOCOL_` has no such twin."""
    if isinstance(node, ir.Assign):
        if isinstance(node.value, ir.Attribute) and context.path(node.value) in _OLD:
            yield from context.rename(node.value, "TLSv1_2")
        return
    for argument in node.arguments:
        for key, value in argument.value.entries if isinstance(argument.value, ir.Mapping) else ():
            named = isinstance(key, ir.Constant) and key.value == "minVersion"
            if named and isinstance(value, ir.Constant) and value.value in _OLD_NAMES:
                quote = context.text(value)[0]
                yield context.replace(value, f"{quote}TLSv1.2{quote}")
