"""A time of the clock that does not know its zone."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit, Severity
from ...fixing import FixContext

visits = (ir.Call,)
calls = frozenset({"utcnow", "utcfromtimestamp", "now"})
mends = (ir.Call,)
title = "Say that it is UTC"
safe = False  # a time with a zone cannot be compared with one without

_LOCAL_IS_MEANT = frozenset(
    ["timestamp", "astimezone", "year", "month", "day", "strftime", "isoformat", "ctime", "date", "time", "hour"]
)


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call. Local times are reported for information only, and not where local time is plainly meant."""
    path = context.path(node.callee)
    if path in ("datetime.datetime.utcnow", "datetime.datetime.utcfromtimestamp"):
        yield Report(node, name=context.text(node.callee))
    elif path == "datetime.datetime.now" and not node.arguments and not context.is_test:
        parent = context.parents[-1]
        if not (isinstance(parent, ir.Attribute) and parent.name in _LOCAL_IS_MEANT):
            yield Report(node, severity=Severity.INFO, name=context.text(node.callee))


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`utcnow()` becomes `now(timezone.utc)`. Which zone `now()` means, only its author knows."""
    path = context.path(node.callee)
    zone = context.imported("datetime", "timezone")
    if path not in ("datetime.datetime.utcnow", "datetime.datetime.utcfromtimestamp") or zone is None:
        return
    name, edits = zone
    yield from edits
    if path.endswith("utcnow"):
        yield from context.rename(node.callee, "now")
        yield context.edit(node.end - 1, node.end - 1, f"{name}.utc")
    else:
        yield from context.rename(node.callee, "fromtimestamp")
        yield context.edit(node.end - 1, node.end - 1, f", {name}.utc")
