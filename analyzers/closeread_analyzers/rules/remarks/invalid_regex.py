"""A literal pattern that does not compile."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import argument

visits = (ir.Call,)
calls = frozenset(["compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn"])

_PATHS = frozenset(f"re.{name}" for name in calls)
_FLAG = "re."
_LONGEST = 2_000
"""Characters. Compiling is quick below; nobody writes longer ones by hand."""


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the pattern."""
    if not node.arguments or context.path(node.callee) not in _PATHS or context.is_test:
        return
    pattern = context.constant(argument(node, 0, "pattern"))
    if not isinstance(pattern, str | bytes) or len(pattern) > _LONGEST or len(node.arguments) > 3:
        return
    # flags may say that the pattern is to be read otherwise
    if any(given.name == "flags" or _FLAG in context.text(given) for given in node.arguments[1:]):
        return
    error = _error(pattern)
    if error:
        yield Report(node.arguments[0], name=error)


def _error(pattern: str | bytes) -> str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except re.error as error:
        return error.msg
    except (RecursionError, OverflowError):
        return ""
    return ""
