"""A strip whose argument is plainly a word: an extension, a scheme, or one with a letter twice."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...pattern import later

visits = (ir.Call,)
calls = frozenset({"strip", "lstrip", "rstrip"})
mends = (ir.Call,)
title = "Remove the word"
safe = False

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


_REMOVES = {"lstrip": "removeprefix", "rstrip": "removesuffix"}


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`lstrip` becomes `removeprefix`, `rstrip` becomes `removesuffix`; which end `strip` meant, nobody knows."""
    if isinstance(node.callee, ir.Attribute) and node.callee.name in _REMOVES:
        yield from context.rename(node.callee, _REMOVES[node.callee.name])
