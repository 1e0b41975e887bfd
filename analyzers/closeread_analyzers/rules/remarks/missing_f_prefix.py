"""A message whose placeholders are all local variables, and that nobody formats."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...pattern import later
from ...shapes import last_name

visits = (ir.Constant,)
mends = (ir.Constant,)
title = "Make it an f-string"

_FIELD = later(r"\{([A-Za-z_]\w*)(?:![rsa])?(?::[^{}]*)?\}")
_MESSAGES = frozenset(["print", "debug", "info", "warning", "error", "exception", "critical", "write"])


def check(node: ir.Constant, context: Context) -> Iterator[Report]:
    """Reports the text."""
    text = node.value
    if type(text) is not str or "{" not in text or "{{" in text:
        return
    names = _FIELD.findall(text)
    if not names or text.count("{") != len(names) or not _is_message(node, context):
        return
    function = context.function
    if function is not None and all(name in context.scope(function).bound for name in names):
        yield Report(node, name=names[0])


def _is_message(node: ir.Constant, context: Context) -> bool:
    """Whether the text is the only argument of a call that writes, or of an exception that is raised."""
    parents = context.parents
    if len(parents) < 3 or not isinstance(parents[-1], ir.Argument) or not isinstance(parents[-2], ir.Call):
        return False
    call = parents[-2]
    if len(call.arguments) != 1 or parents[-1].name is not None:
        return False
    return isinstance(parents[-3], ir.Raise) or last_name(call.callee) in _MESSAGES


def fix(node: ir.Constant, context: FixContext) -> Iterator[Edit]:
    """An `f` goes before a text that has no prefix yet and is in one piece."""
    text = context.text(node)
    if text[:1] in ('"', "'") and text.count(text[0]) == (6 if text.startswith(text[0] * 3) else 2):
        yield context.edit(node.start, node.start, "f")
