"""Records looked up by what a client names, for somebody who is known, and nobody asks whose they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...catalogue import name_words
from ...check import Report
from ...flow.bodies import Body, dotted, last_name, leading_text, names_in
from ...flow.routes import Route, RouteContext, View
from ...pattern import later
from ...tree import walk_here
from .missing_rate_limit import log_in

visits = (Route, View)

_BY_KEY = frozenset(["get", "get_or_404", "get_object_or_404", "filter_by", "filter", "find_one", "one_or_404"])
_STORE = later(r"(?:^|\.)(?:query|objects|session)(?:$|\.|\()|^[A-Z]\w*$|collection|\bdb\b")
_SELECT = later(r"(?is)^\s*(?:select\b.*\bwhere\b|update\b.*\bwhere\b|delete\b.*\bwhere\b)")
_OWNER = later(
    r"(?:^|_)(?:owner|author|user|user_id|owner_id|author_id|created_by|creator|customer_id|account_id|uid|member|username)$"
)
_RIGHTS = later(
    r"(?:^|_)(?:admin|is_admin|staff|superuser|role|roles|permissions?|can|may|allowed|authori[sz]ed?|owns?|owner|access|has_perm|policy|forbidden|scopes?|needs|secure)(?:_|$)"
)
_OPEN = later(
    r"(?:^|_)(?:log_?in|register|sign_?up|search|posts?|articles?|products?|categor\w+|tags?|courses?|blogs?|pages?|news|items?|movies?|recipes?)(?:_|$)"
)
_PRIVATE = later(
    r"(?:^|_)(?:user|users|user_?name|user_?id|account|accounts|customers?|cust|profile|profiles|orders?|invoices?|payments?|messages?|cards?|patients?|records?"
    r"|employees?|documents?|files?|notes?|tickets?|transactions?|bookings?|reservations?|address\w*|email|uid|password|secrets?|vaults?|wallets?|balance|books?"
    r"|applications?|appointments?|prescriptions?|loans?|bills?|statements?|subscriptions?|grades?|marks?|salar\w+|payslips?)(?:_|$)"
)
_ONE = frozenset(["retrieve", "update", "destroy"])


def check(route: Route | View, context: RouteContext) -> Iterator[Report]:
    """Reports the look-up, or the head of a class that looks up by itself."""
    if isinstance(route, View):
        if route.authenticated and not route.narrowed and route.actions & _ONE and _PRIVATE.search(_words(route)):
            yield Report(route.place, name=route.name)
    elif route.authenticated and log_in(route, context) is None and (place := looked_up(route, context)) is not None:
        yield Report(place, name=route.function.name)


def looked_up(route: Route, context: RouteContext, belongs: re.Pattern[str] = _PRIVATE) -> ir.Call | None:
    """Where a route fetches a record by what the client names, and asks nobody whose it is.

    `belongs` is found in the words of records that belong to somebody.
    """
    body = route.body
    if _is_ruled(route):
        return None
    inner: dict[int, list[Body]] = {}
    for at, reached in context.reached(route):
        inner.setdefault(id(at), []).append(reached)
    for call in body.calls:
        if body.mentions_identity(call) or not _by_client(call, body):
            continue
        through = [found for below in inner.get(id(call), ()) if (found := _first(below)) is not None]
        if not through and not _looks_up(call, body):
            continue
        named = [name_words(name) for argument in call.arguments for name in names_in(argument.value)]
        words = "_".join([name_words(dotted(call.callee)), *named, *through, route.words])
        private = belongs.search(words) and not _OPEN.search(route.words)
        if (private or _changed(call, route)) and not _compared(call, body):
            return call
    return None


def _changed(call: ir.Call, route: Route) -> bool:
    """Whether somebody known changes or deletes the very record that was looked up."""
    if route.authenticated is None or not route.posts:
        return False
    records = _records(call, route.body)
    return any(
        kind in ("changes", "destroys") and any(isinstance(n, ir.Name) and n.id in records for n in walk_here(node))
        for kind, node in route.writes
    )


def _words(view: View) -> str:
    return "_".join([name_words(view.model), name_words(view.name)])


def _first(body: Body) -> str | None:
    """The words of the first look-up by a parameter in what a route calls, if nothing there asks who it is for."""
    if body.identity is not None:
        return None
    for call in body.calls:
        if _looks_up(call, body) and _by_client(call, body) and not _of_somebody(call):
            return name_words(dotted(call.callee))
    return None


def _of_somebody(call: ir.Call) -> bool:
    """Whether a look-up names an owner beside the record."""
    given = [_OWNER.search(name_words(argument.name)) for argument in call.arguments if argument.name is not None]
    return len(call.arguments) > 1 and any(given)


def _is_ruled(route: Route) -> bool:
    """Whether the route is for those with a right alone, or asks about rights."""
    if any(_RIGHTS.search(name_words(name)) for d in route.function.decorators for name in names_in(d)):
        return True
    return "admin" in route.words or any(
        _RIGHTS.search(name_words(name))
        for node in route.body.nodes
        if isinstance(node, ir.If | ir.Conditional | ir.Assert)
        for name in names_in(node.test)
    )


def _looks_up(call: ir.Call, body: Body) -> bool:
    name = last_name(call.callee)
    if name == "get_object_or_404":
        return True
    if name not in ("print", "flash") and call.arguments and name not in _BY_KEY:
        return any(_SELECT.match(leading_text(v)) for a in call.arguments[:1] for v in body.values(a.value))
    if name not in _BY_KEY or not isinstance(call.callee, ir.Attribute):
        return False
    return bool(_STORE.search(dotted(call.callee.value)))


def _by_client(call: ir.Call, body: Body) -> bool:
    """Whether the client's key picks one record; a search is no look-up."""
    for argument in call.arguments:
        value = argument.value
        searches = last_name(call.callee) == "filter" and argument.name is None
        if searches and not (isinstance(value, ir.Comparison) and value.operator == "=="):
            continue
        if body.mentions_client(argument):
            return True
    return False


def _compared(call: ir.Call, body: Body) -> bool:
    """Whether the record, or the client's key, is held against whoever asks."""
    records = _records(call, body)
    for node in body.nodes:
        if not isinstance(node, ir.Comparison) or node.operator not in ("==", "!=", "is", "is not"):
            continue
        if isinstance(node.left, ir.Constant) or isinstance(node.right, ir.Constant):
            continue
        if body.mentions_identity(node):
            return True
        for side in (node.left, node.right):
            if isinstance(side, ir.Attribute) and _OWNER.search(side.name) and last_name(side.value) in records:
                return True
    return False


def _records(call: ir.Call, body: Body) -> set[str]:
    """The variables that hold what was looked up."""
    return {name for name, values in body.assigned.items() if any(call is n for v in values for n in walk_here(v))}
