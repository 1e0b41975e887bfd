"""An assertion about permissions, or about what a client sent."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import walk

visits = (ir.Assert,)

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
