"""A keyed digest compared by ==: one made in place, or kept in a variable of the function."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import own_nodes

visits = (ir.Comparison,)
mends = (ir.Comparison,)
title = "Compare in constant time"

_MAKERS = ("hmac.new", "hmac.HMAC", "hmac.digest", "crypto.createHmac", "node:crypto.createHmac")
_ENDS = ("hexdigest", "digest")
_NAMES = ("digest", "signature", "hmac", "mac", "expected", "computed", "calculated", "sig", "hash", "actual")


def check(node: ir.Comparison, context: Context) -> Iterator[Report]:
    """Reports the comparison."""
    if node.operator not in ("==", "!=", "===", "!==") or context.is_test:
        return
    for side in (node.left, node.right):
        if isinstance(side, ir.Call):
            found = _is_keyed_digest(side, context)
        elif type(side) is ir.Name and any(word in side.id.lower() for word in _NAMES):
            found = _holds_keyed_digest(side.id, context)
        else:
            found = False
        if found:
            yield Report(node, name=context.text(side))
            return


def _holds_keyed_digest(name: str, context: Context) -> bool:
    function = context.function
    if function is None:
        return False
    for part in own_nodes(function):
        if isinstance(part, ir.Assign) and any(isinstance(t, ir.Name) and t.id == name for t in part.targets):
            return isinstance(part.value, ir.Call) and _is_keyed_digest(part.value, context)
    return False


def _is_keyed_digest(call: ir.Call, context: Context) -> bool:
    """Whether a chain of calls starts at the maker of a keyed digest and ends by reading it."""
    path = context.path(call.callee)
    if path is None:
        return False
    return path == "hmac.digest" or (path.startswith(_MAKERS) and path.rpartition(".")[2] in _ENDS)


def fix(node: ir.Comparison, context: FixContext) -> Iterator[Edit]:
    """`a == b` becomes `hmac.compare_digest(a, b)`."""
    if node.operator in ("==", "!="):
        negated = "not " if node.operator == "!=" else ""
        form = f"{negated}{{}}({context.text(node.left)}, {context.text(node.right)})"
        yield from context.use(node, "hmac", "compare_digest", form)
