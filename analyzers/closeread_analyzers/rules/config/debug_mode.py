"""Debugging that stays on where somebody forgets a setting: `run(debug=os.environ.get("DEBUG", True))`."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import argument

visits = (ir.Call,)
calls = frozenset({"run"})

_SETTINGS = ("os.environ.get", "os.getenv")
_OFF = ("", "0", "false", "no", "off", "none")


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    given = next((a.value for a in node.arguments if a.name == "debug"), None)
    if not isinstance(given, ir.Call) or context.is_test or context.path(given.callee) not in _SETTINGS:
        return
    default = argument(given, 1, "default")
    if isinstance(default, ir.Constant) and default.value and str(default.value).lower() not in _OFF:
        yield Report(node)
