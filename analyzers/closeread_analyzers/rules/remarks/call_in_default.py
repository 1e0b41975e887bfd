"""A default that reads a clock or makes an identifier."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Parameter,)

_FRESH = frozenset(
    [
        "time.time",
        "time.time_ns",
        "time.monotonic",
        "time.perf_counter",
        "uuid.uuid1",
        "uuid.uuid4",
        "random.random",
        "random.randint",
        "secrets.token_hex",
        "secrets.token_urlsafe",
        "secrets.token_bytes",
        "os.urandom",
        "datetime.datetime.now",
        "datetime.datetime.utcnow",
        "datetime.datetime.today",
        "datetime.date.today",
    ]
)


def check(node: ir.Parameter, context: Context) -> Iterator[Report]:
    """Reports the default."""
    default = node.default
    while isinstance(default, ir.Call | ir.Attribute):
        if isinstance(default, ir.Attribute):
            default = default.value
            continue
        if context.path(default.callee) in _FRESH:
            yield Report(default, name=context.text(default))
            return
        default = default.callee
