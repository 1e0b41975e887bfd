"""A strip whose argument is plainly a word: an extension, a scheme, or one with a letter twice."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...pattern import later

visits = (ir.Call,)
calls = frozenset({"strip", "lstrip", "rstrip"})

_EXTENSION = later(r"\.[a-z][a-z0-9]+$")
_SCHEME = later(r"[a-z]+://$|0[xbo]$")


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    if len(node.arguments) != 1 or not isinstance(node.callee, ir.Attribute):
        return
    text = context.constant(node.arguments[0].value)
    if isinstance(text, str) and _is_word(text):
        yield Report(node, name=f"{node.callee.name}({context.text(node.arguments[0])})")


def _is_word(text: str) -> bool:
    if _EXTENSION.match(text) or _SCHEME.match(text):
        return True
    letters = [character for character in text if character.isalpha()]
    return len(letters) >= 3 and len(set(letters)) < len(letters) and " " not in text
