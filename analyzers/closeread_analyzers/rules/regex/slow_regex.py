"""A literal regular expression for which a back-tracking engine can need exponential time."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Severity
from ...regex import is_exponential
from ...shapes import argument

visits = (ir.Call,)
calls = frozenset(
    [
        "compile",
        "search",
        "match",
        "fullmatch",
        "split",
        "findall",
        "finditer",
        "sub",
        "subn",
        "RegExp",
        "re_path",
        "RegexValidator",
    ]
)

_PATHS = frozenset(
    (
        *(f"{library}.{name}" for library in ("re", "regex") for name in calls),
        "RegExp",
        "django.core.validators.RegexValidator",
        "django.urls.re_path",
    )
)


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    path = context.path(node.callee)
    if path not in _PATHS:
        return
    given = argument(node, 0, "pattern") or argument(node, 0, "regex")
    pattern = context.constant(given)
    if isinstance(pattern, bytes):
        pattern = pattern.decode("latin-1")
    if isinstance(pattern, str) and is_exponential(pattern, path.endswith(".fullmatch")):
        yield Report(given or node, severity=Severity.INFO if context.is_test else None)
