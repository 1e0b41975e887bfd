"""Each value is quoted for the shell where a command is put together. A value that was meant to be several words is then one."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext
from ...pieces import Piece, origin, pieces

mends = (ir.Call,)
title = "Quote it for the shell"
safe = False


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`"ping " + host` becomes `"ping " + shlex.quote(host)`. What stands in quotes already is left alone."""
    made = origin(node.arguments[0].value, context) if node.arguments else None
    found = pieces(made, context) if made is not None else None
    imported = context.imported("shlex", "quote")
    if made is None or found is None or imported is None or not _are_words(made, found):
        return
    name, edits = imported
    yield from edits
    for piece in found:
        if isinstance(piece, ir.Expression):
            yield context.replace(piece, f"{name}({context.text(piece)})")


def _are_words(made: ir.Expression, found: list[Piece]) -> bool:
    """Whether the values are texts, as all are that are added up, and none stands in quotes."""
    values = sum(isinstance(piece, ir.Expression) for piece in found)
    added = isinstance(made, ir.Binary) and made.operator == "+"
    return (added or values == 1) and not any(isinstance(p, str) and ("'" in p or '"' in p) for p in found)
