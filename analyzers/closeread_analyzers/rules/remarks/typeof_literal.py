"""typeof compared with a literal that it never gives."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Comparison,)

_WORDS = frozenset(["undefined", "object", "boolean", "number", "bigint", "string", "symbol", "function"])


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the literal. `unknown` is what very old engines gave."""
    left = node.left
    if node.operator not in ("==", "===", "!=", "!=="):
        return
    if type(left) is not ir.Unary or left.operator != "typeof" or type(node.right) is not ir.Constant:
        return
    word = node.right.value
    if isinstance(word, str) and word not in _WORDS and word != "unknown":
        yield Report(node.right, name=context.text(node.right))
