"""An assertion about permissions, or about what a client sent."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...tree import walk

visits = (ir.Assert,)
mends = (ir.Assert,)
title = "Raise PermissionError instead"

_PERMISSIONS = frozenset(
    [
        "is_admin",
        "is_authenticated",
        "is_staff",
        "is_superuser",
        "is_authorized",
        "is_allowed",
        "has_perm",
        "has_perms",
        "has_permission",
        "has_role",
        "check_password",
        "check_permission",
        "verify_password",
        "verify_signature",
        "verify_token",
        "is_owner",
        "can_edit",
        "can_delete",
        "can_access",
        "isAdmin",
        "isAuthenticated",
    ]
)
_REQUESTS = ("flask.request.", "bottle.request.")


def check(node: ir.Assert, context: Context) -> Iterator[Report]:
    """Reports the assertion."""
    if context.is_test:
        return
    for part in walk(node.test):
        if isinstance(part, ir.Attribute) and (
            part.name in _PERMISSIONS or (context.path(part) or "").startswith(_REQUESTS)
        ):
            yield Report(node, name=context.text(part))
            return


def fix(node: ir.Assert, context: FixContext) -> Iterator[Edit]:
    """`assert allowed` becomes an `if` that raises."""
    before = context.bytes(0, node.start).rpartition(b"\n")
    if not before[1] or before[2].strip() or not context.text(node).startswith("assert "):
        return
    text = context.text(node.message) if node.message is not None else ""
    test = context.text(node.test)
    if "\n" not in test and test.count("(") == test.count(")"):
        yield context.replace(node, f"if not ({test}):\n{before[2].decode()}    raise PermissionError({text})")
