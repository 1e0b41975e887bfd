"""A Django project's list of middlewares without one that nearly every project needs."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Assign,)

SESSIONS = "SessionMiddleware"


def check(node: ir.Assign, context: Context) -> Iterator[Report]:
    """Reports the setting."""
    if lacks(node, context, "CsrfViewMiddleware"):
        yield Report(context.first_line(node))


def lacks(node: ir.Assign, context: Context, name: str) -> bool:
    """Whether `node` is the whole list of middlewares of a site with sessions, and `name` is not in it."""
    value = node.value
    if context.function is not None or context.is_test or not isinstance(value, ir.Sequence):
        return False
    if not any(isinstance(t, ir.Name) and t.id in ("MIDDLEWARE", "MIDDLEWARE_CLASSES") for t in node.targets):
        return False
    given = [str(item.value) for item in value.items if isinstance(item, ir.Constant)]
    if len(given) != len(value.items) or not any(text.endswith(SESSIONS) for text in given):
        return False
    if any(text.rpartition(".")[2] == name or (name.startswith("Csrf") and "csrf" in text.lower()) for text in given):
        return False
    return not _is_extended(context)


def _is_extended(context: Context) -> bool:
    """Whether the list is changed afterwards, so that this is not all of it."""
    for unit in context.module.units:
        statement = unit.statement
        changed: ir.Node = statement
        if isinstance(statement, ir.AugmentedAssign):
            changed = statement.target
        elif isinstance(statement, ir.ExpressionStatement) and isinstance(statement.value, ir.Call):
            callee = statement.value.callee
            changed = callee.value if isinstance(callee, ir.Attribute) else callee
        if isinstance(changed, ir.Name) and changed.id.startswith("MIDDLEWARE"):
            return True
    return False
