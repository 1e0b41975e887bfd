"""Routes that change, destroy or reveal records, and nobody looks who asks.

An application that knows no users at all gets one finding a file, at what does the most harm.
"""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...catalogue import name_words
from ...check import Report
from ...finding import Severity
from ...flow.bodies import dotted, last_name, texts
from ...flow.routes import Route, RouteContext, View
from ...pattern import later

visits = (Route, View)

_FOR_ALL = later(
    r"(?:^|_)(?:log_?in|logon|sign_?in|log_?out|sign_?out|register|registration|reg|sign_?up|signup|join|forgot|forgotten|recover|reset_password|password_reset"
    r"|confirm|confirmation|activate|activation|verify|verification|callback|webhooks?|hook|ipn|health|healthz|ping|contact|subscribe"
    r"|unsubscribe|newsletter|feedback|public|oauth|oauth2|sso|saml|auth|authenticate|authorize|token|refresh|csp|track|search|captcha|error"
    r"|errors|not_found|language|locale|guestbook|cart|basket|create_account|new_user|create_user|add_user|user_create)(?:_|$)"
)
_ADMINISTERS = later(
    r"(?:^|_)(?:admin|administration|debug|dump|backup|internal|init_db|initdb|create_?db|reset_?db|populate|seed|drop|wipe|shutdown|restart)(?:_|$)"
)
_PEOPLE = r"(?:user|customer|employee|patient|account|member|client|student|person|people)"
_LISTS_PEOPLE = later(rf"(?i)(?:^|\.)\w*{_PEOPLE}s?\.(?:query|objects)(?:\.\w+(?:\(\))?)*\.all$")
_PERSON = later(rf"(?i)\w*{_PEOPLE}s?$")
_SELECTS_PEOPLE = later(rf"(?is)^\s*select\b.*\bfrom\s+\w*{_PEOPLE}s?\b(?!.*\bwhere\b)")
_RANK = {"destroys": 1, "changes": 0}


def check(route: Route | View, context: RouteContext) -> Iterator[Report]:
    """Reports the head of the function, or of the class."""
    if isinstance(route, View):
        yield from _view(route, context)
        return
    if not context.has_users:
        if route is _worst(context):
            yield Report(route.place, severity=Severity.MEDIUM, name=route.function.name, what="changes records")
        return
    if not _is_open(route):
        return
    kinds = {kind for kind, _ in route.writes}
    if _ADMINISTERS.search(route.words) and (kinds or _lists_people(route, context)):
        yield Report(route.place, severity=Severity.HIGH, name=route.function.name, what="administers the application")
    elif "destroys" in kinds:
        yield Report(route.place, severity=Severity.HIGH, name=route.function.name, what="deletes records")
    elif kinds and route.posts and (kinds != {"creates"} or route.framework != "rest_framework"):
        yield Report(route.place, name=route.function.name, what="changes records")
    elif not route.body.client_names and _lists_people(route, context):
        yield Report(route.place, name=route.function.name, what="lists people")


def _view(view: View, context: RouteContext) -> Iterator[Report]:
    """A view of the framework's making. The REST framework's settings may ask who it is, if the view does not say."""
    if view.authenticated or _FOR_ALL.search(name_words(view.name)):
        return
    if view.framework == "rest_framework" and view.permissions is None:
        return
    if view.framework != "rest_framework" and not context.has_users:
        return
    if "destroy" in view.actions:
        yield Report(view.place, severity=Severity.HIGH, name=view.name, what="deletes records")
    elif view.actions & {"update", "create"}:
        yield Report(view.place, name=view.name, what="changes records")
    elif _PERSON.match(view.model):
        yield Report(view.place, name=view.name, what="lists people")


def _is_open(route: Route) -> bool:
    if route.authenticated or route.settings_decide or route.framework == "http_server":
        return False
    return not _FOR_ALL.search(route.words) and route.body.password_check is None


def _worst(context: RouteContext) -> Route | None:
    """Of an application without users: the first route that edits or deletes what a client names."""
    found = [
        route
        for route in context.routes
        if _is_open(route) and any(kind in _RANK and route.body.mentions_client(node) for kind, node in route.writes)
    ]
    return found[0] if found else None


def _query(call: ir.Call) -> ir.Call:
    """The innermost call of a chain: `db.query(User)` of `db.query(User).all()`."""
    at: ir.Expression = call
    while isinstance(at, ir.Call | ir.Attribute):
        if isinstance(at, ir.Call):
            call, at = at, at.callee
        else:
            at = at.value
    return call


def _lists_people(route: Route, context: RouteContext) -> bool:
    for _, body in context.reached(route):
        for call in body.calls:
            path = dotted(call.callee)
            if _LISTS_PEOPLE.search(path):
                return True
            if path.endswith(".query().all") and any(_PERSON.match(last_name(a.value)) for a in _query(call).arguments):
                return True
            if call.arguments and any(_SELECTS_PEOPLE.match(text) for text in texts(call.arguments[0].value)):
                return True
    return False
