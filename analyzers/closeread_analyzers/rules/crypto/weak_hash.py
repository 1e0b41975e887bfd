"""Another hash function in the same place. What was stored with the old one no longer matches, so nobody does this unasked."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Use SHA-256"
safe = False

_WEAK = ("hashlib.md5", "hashlib.sha1", "hashlib.md4")


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`hashlib.md5` becomes `hashlib.sha256`; so does a name in quotes."""
    if context.path(node.callee) in _WEAK:
        yield from context.rename(node.callee, "sha256")
    elif node.arguments and isinstance(node.arguments[0].value, ir.Constant):
        name = node.arguments[0].value
        if isinstance(name.value, str) and name.value.lower() in ("md5", "sha1"):
            quote = context.text(name)[0]
            yield context.replace(name, f"{quote}sha256{quote}")
