"""A literal's placeholders against the arguments of its format()."""

from __future__ import annotations

import string
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Call,)
calls = frozenset({"format"})


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    if not isinstance(node.callee, ir.Attribute) or any(given.spread for given in node.arguments):
        return
    text = context.constant(node.callee.value)
    if not isinstance(text, str):
        return
    fields = _fields(text)
    if fields is None:
        return
    given = sum(1 for argument in node.arguments if argument.name is None)
    named = {argument.name for argument in node.arguments if argument.name is not None}
    places = {int(name) for name in fields if name.isdigit()}
    missing = sorted(name for name in fields if not name.isdigit() and name not in named)
    if places and max(places) >= given:
        yield Report(node, name=f"The text asks for {max(places) + 1} arguments by place, and gets {given}.")
    elif missing:
        yield Report(node, name=f"The text asks for `{missing[0]}`, and no such argument is given.")
    elif given > len(places) and not context.is_test:
        yield Report(node, name=f"The text uses {len(places)} of {given} arguments by place.")


def _fields(text: str) -> list[str] | None:
    """The arguments that a format's text asks for; places are counted out. None if it is no valid format."""
    found: list[str] = []
    automatic = 0
    pending = [text]
    try:
        while pending:
            for _, field, inner, _ in string.Formatter().parse(pending.pop(0)):
                if field is None:
                    continue
                name = field.partition(".")[0].partition("[")[0]
                if not name:
                    name, automatic = str(automatic), automatic + 1
                found.append(name)
                if inner and "{" in inner:
                    pending.insert(0, inner)
    except ValueError:
        return None
    return found
