"""Debugging that stays on where somebody forgets a setting: `run(debug=os.environ.get("DEBUG", True))`."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import argument

visits = (ir.Call,)
calls = frozenset({"run"})
mends = (ir.Call, ir.Assign)
title = "Switch debug mode off"

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


def fix(node: ir.Call | ir.Assign, context: FixContext) -> Iterator[Edit]:
    """On becomes off, also where it is the default of a setting."""
    yield from context.flip(node, "debug", "DEBUG")
    for given in node.arguments if isinstance(node, ir.Call) else ():
        if given.name == "debug" and isinstance(given.value, ir.Call):
            default = argument(given.value, 1, "default")
            if isinstance(default, ir.Constant) and default.value is True:
                yield context.replace(default, "False")
