"""Roles that a client gives itself, in a record or for one request."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...catalogue import name_words
from ...check import Report
from ...flow.bodies import Body, is_sent_root, key_of, last_name, names_in
from ...flow.routes import Route, RouteContext
from ...pattern import later
from ...tree import walk_here

visits = (Route,)

_ROLE = later(
    r"(?:^|_)(?:is_admin|admin|is_staff|is_superuser|superuser|role|roles|user_type|is_administrator|privileges?|access_level)$"
)
_HIGH = frozenset(["admin", "administrator", "root", "superuser"])
_NAMES = later(r"user|name|login|mail|path|next|tab|page|sort|lang", re.IGNORECASE)
_ASKS_ADMIN = later(
    r"(?:^|_)(?:admin|admins|administrator|superuser|staff|roles?|secure|permissions?|privileged|scopes?|needs|owner|is_admin)(?:_|$)"
)


def check(route: Route, context: RouteContext) -> Iterator[Report]:
    """Reports the argument that sets the role, or the comparison that believes it."""
    body = route.body
    if any(_ASKS_ADMIN.search(name_words(name)) for d in route.function.decorators for name in names_in(d)):
        return
    if body.password_check is None and (believed := _believed(body)) is not None:
        yield Report(believed, name=key_of(believed.left))
        return
    if any(_ASKS_ADMIN.search(name_words(name)) and body.mentions_identity(node) for node, name in _tests(body)):
        return
    for call in body.calls:
        if not last_name(call.callee)[:1].isupper():
            continue
        for argument in call.arguments:
            if argument.name and _ROLE.search(name_words(argument.name)) and _chosen(body, argument.value):
                yield Report(argument, name=argument.name)
                return


def _tests(body: Body) -> Iterator[tuple[ir.Node, str]]:
    for node in body.nodes:
        if isinstance(node, ir.If | ir.Conditional):
            for name in names_in(node.test):
                yield node.test, name


def _chosen(body: Body, value: ir.Expression) -> bool:
    """Whether what the client sent under a role's name is the value, or decides on it."""
    if any(_reads_role(node) for node in walk_here(value)) or _is_field_of_client(body, value):
        return True
    if not isinstance(value, ir.Name):
        return False
    if any(_reads_role(node) for given in body.assigned.get(value.id, ()) for node in walk_here(given)):
        return True
    return any(
        isinstance(node, ir.If)
        and any(_reads_role(n) and body.mentions_client(n) for n in walk_here(node.test))
        and any(
            isinstance(s, ir.Assign) and any(isinstance(t, ir.Name) and t.id == value.id for t in s.targets)
            for s in node.body
        )
        for node in body.nodes
    )


def _is_field_of_client(body: Body, value: ir.Expression) -> bool:
    """`data.is_admin`, where `data` is what the framework made of the client's body."""
    if not isinstance(value, ir.Attribute) or not isinstance(value.value, ir.Name):
        return False
    return value.value.id in body.parameters and bool(_ROLE.search(name_words(value.name)))


def _reads_role(node: ir.Node) -> bool:
    key = key_of(node)
    return bool(key and _ROLE.search(name_words(key)) and not _is_stored(node))


def _is_stored(node: ir.Node) -> bool:
    """Whether a key is read from a session or a row."""
    holder = node.value if isinstance(node, ir.Subscript) else node
    if isinstance(holder, ir.Call) and isinstance(holder.callee, ir.Attribute):
        holder = holder.callee.value
    return last_name(holder) in (
        "session",
        "user",
        "row",
        "record",
        "current_user",
        "payload",
        "claims",
        "config",
        "token",
    )


def _believed(body: Body) -> ir.Comparison | None:
    """`request.args.get("role") == "admin"` in a test."""
    for node in body.nodes:
        if not isinstance(node, ir.If | ir.Conditional):
            continue
        for part in walk_here(node.test):
            if not isinstance(part, ir.Comparison) or part.operator not in ("==", "==="):
                continue
            if isinstance(part.right, ir.Constant) and part.right.value in _HIGH and _asked(body, part.left):
                return part
    return None


def _asked(body: Body, value: ir.Expression) -> bool:
    key = key_of(value)
    return (
        bool(key)
        and not _NAMES.search(key)
        and (is_sent_root(value) or "cookies" in {n.lower() for n in names_in(value)})
    )
