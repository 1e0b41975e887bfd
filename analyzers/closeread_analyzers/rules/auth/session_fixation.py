"""Log-ins that go on with the session the visitor came with."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Report
from ...flow.bodies import is_session, last_name
from ...flow.routes import Route, RouteContext
from .missing_rate_limit import log_in

visits = (Route,)

_FRESH = frozenset(["new_session", "cycle_key", "flush", "invalidate", "clear", "regenerate", "login", "changed"])


def check(route: Route, context: RouteContext) -> Iterator[Report]:
    """Reports the first value written into the old session. Flask's sessions have no number to fix."""
    if route.framework not in ("aiohttp", "django") or log_in(route, context) is None:
        return
    if any(last_name(call.callee) in _FRESH for call in route.body.calls):
        return
    for node in route.body.nodes:
        if isinstance(node, ir.Assign) and any(isinstance(t, ir.Subscript) and _names_user(t) for t in node.targets):
            yield Report(node, name=route.function.name)
            return


def _names_user(target: ir.Subscript) -> bool:
    key = target.key.value if isinstance(target.key, ir.Constant) else ""
    words = ("user", "uid", "auth", "logged", "account", "member", "admin", "email", "customer", "client", "student")
    return is_session(target.value) and isinstance(key, str) and any(word in key.lower() for word in words)
