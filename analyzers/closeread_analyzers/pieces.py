"""A text that is put together from literals and expressions, taken apart for a fix.

Deliberately absent: `str.format`, conversions and format specifications, and texts built in several statements: where
it is not plain what the pieces are, there are none, and no fix.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import ir
from .shapes import own_nodes
from .tree import walk

if TYPE_CHECKING:
    from .fixing import FixContext

Piece = str | ir.Expression


def pieces(node: ir.Expression, context: FixContext) -> list[Piece] | None:
    """Literal texts and expressions in order; None where they are not plain, or there is no expression."""
    found: list[Piece] = []
    if not _gather(node, context, found) or not any(isinstance(piece, ir.Expression) for piece in found):
        return None
    return found


def _gather(node: ir.Expression, context: FixContext, found: list[Piece]) -> bool:
    if isinstance(node, ir.Constant):
        found.append(node.value if isinstance(node.value, str) else "")
        return isinstance(node.value, str)
    if isinstance(node, ir.Template):
        return all(_gather_part(part, context, found) for part in node.parts)
    if isinstance(node, ir.Binary) and node.operator == "+":
        return _gather(node.left, context, found) and _gather(node.right, context, found)
    if isinstance(node, ir.Binary) and node.operator == "%":
        return _gather_percent(node, found)
    found.append(node)
    return True


def _gather_part(part: ir.Expression, context: FixContext, found: list[Piece]) -> bool:
    if isinstance(part, ir.Constant):
        return _gather(part, context, found)
    found.append(part)
    return context.bytes(part.start - 1, part.start) == b"{" and context.bytes(part.end, part.end + 1) == b"}"


def _gather_percent(node: ir.Binary, found: list[Piece]) -> bool:
    if not isinstance(node.left, ir.Constant) or not isinstance(node.left.value, str):
        return False
    values = node.right.items if isinstance(node.right, ir.Sequence) else [node.right]
    texts = node.left.value.split("%s")
    if len(texts) != len(values) + 1 or any("%" in text for text in texts) or isinstance(node.right, ir.Mapping):
        return False
    for text, value in zip(texts, values, strict=False):
        found += [text, value]
    found.append(texts[-1])
    return True


def origin(node: ir.Expression, context: FixContext) -> ir.Expression | None:
    """Where a text is put together: here, or where a variable that serves for nothing else is assigned."""
    if not isinstance(node, ir.Name):
        return node
    function = context.function
    if function is None:
        return None
    made = [
        part.value
        for part in own_nodes(function)
        if isinstance(part, ir.Assign) and any(isinstance(t, ir.Name) and t.id == node.id for t in part.targets)
    ]
    uses = sum(isinstance(part, ir.Name) and part.id == node.id for part in walk(*function.body))
    return made[0] if len(made) == 1 and uses == 2 else None


def quoted(text: str) -> str | None:
    """A literal of this text; None where that takes escapes."""
    if "\\" in text or not text.replace("\n", "").isprintable():
        return None
    if "\n" in text:
        return f'"""{text}"""' if '"""' not in text and not text.endswith('"') else None
    for quote in ('"', "'"):
        if quote not in text:
            return f"{quote}{text}{quote}"
    return None
