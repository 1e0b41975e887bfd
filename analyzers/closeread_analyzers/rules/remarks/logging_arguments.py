"""A log message's placeholders against the arguments behind it."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import percent_fields

visits = (ir.Call,)

_LEVELS = ("debug", "info", "warning", "error", "critical", "exception")
calls = frozenset((*_LEVELS, "log"))


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    callee = node.callee
    if not node.arguments or not isinstance(callee, ir.Attribute) or not _is_logger(callee.value, context):
        return
    skipped = 1 if callee.name == "log" else 0
    given = [argument for argument in node.arguments if argument.name is None]
    if len(given) <= skipped or any(argument.spread for argument in node.arguments):
        return
    text = context.constant(given[skipped].value)
    values = given[skipped + 1 :]
    if not isinstance(text, str) or not values:
        return
    fields = percent_fields(text)
    if fields is None or any(fields):
        return
    if len(fields) != len(values) and not (len(values) == 1 and isinstance(values[0].value, ir.Mapping)):
        yield Report(node, name=f"The message asks for {len(fields)} arguments, and gets {len(values)}.")


def _is_logger(receiver: ir.Expression, context: Context) -> bool:
    path = context.path(receiver)
    if path == "logging":
        return True
    if isinstance(receiver, ir.Name) and not context.is_local(receiver.id):
        made = context.names.values.get(receiver.id)
        return isinstance(made, ir.Call) and context.path(made.callee) == "logging.getLogger"
    return False
