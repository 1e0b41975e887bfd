"""Log-ins that may be tried as often as somebody likes."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...catalogue import name_words
from ...check import Report
from ...flow.bodies import is_session, last_name
from ...flow.routes import Route, RouteContext
from ...pattern import later

visits = (Route,)

_LOG_IN = later(r"(?:^|_)(?:log_?in|logon|sign_?in|authenticate|auth|session|sessions|token)(?:_|$)")
_OTHER = later(
    r"(?:^|_)(?:register|sign_?up|signup|change|reset|update|delete|profile|settings|confirm|forgot|edit|password)(?:_|$)"
)
_LIMITS = later(
    r"(?:^|_)(?:limits?|limited|limiter|throttled?|ratelimit|attempts?|captcha|lockout|locked|axes|backoff)(?:_|$)"
)
_SIGNS_IN = later(
    r"^(?:login|login_user|set_cookie|create_access_token|encode|encode_auth_token|generate_token|create_token|remember|set_secure_cookie)$"
)
_LOG_IN_PATH = later(r"^/?(?:log_?in|signin|sign-in|auth)\b")


def check(route: Route, context: RouteContext) -> Iterator[Report]:
    """Reports the place at which the password is compared."""
    place = log_in(route, context)
    if place is None or context.around("limits"):
        return
    if any(_LIMITS.search(name_words(last_name(d))) for d in route.function.decorators):
        return
    yield Report(place, name=route.function.name)


def log_in(route: Route, context: RouteContext) -> ir.Node | None:
    """Where a route checks the password of somebody who logs in; None if it is no log-in."""
    if _OTHER.search(route.words) and not _LOG_IN.search(route.words):
        return None
    place = next((call for call, body in context.reached(route) if body.password_check is not None), None)
    if place is route.function:
        place = route.body.password_check
    if place is None:
        return None
    if _LOG_IN.search(route.words) or any(_signs_in(node) for node in route.body.nodes):
        return place
    return None


def _signs_in(node: ir.Node) -> bool:
    if isinstance(node, ir.Assign):
        return any(isinstance(target, ir.Subscript) and is_session(target.value) for target in node.targets)
    if isinstance(node, ir.Call):
        return bool(_SIGNS_IN.match(last_name(node.callee)))
    return isinstance(node, ir.Constant) and isinstance(node.value, str) and bool(_LOG_IN_PATH.match(node.value))
