"""A hash over a key and data put together, where a MAC is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...pattern import later
from ...shapes import argument, last_name, own_nodes
from ...tree import walk_here

visits = (ir.Call,)
calls = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "new"})

_HASHES = later(r"(hashlib\.(md5|sha\w+)|(md5|sha)\.new)")
_KEYS = later(
    r"(.*_)?(secret|secret_?key|signing_?key|hmac_?key|mac_?key|shared_?key|private_?key|api_?secret|app_?secret)",
    re.IGNORECASE,
)


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the hash."""
    if not _HASHES.fullmatch(context.path(node.callee) or "") or context.is_test:
        return
    given = argument(node, 0)
    if given is not None and any(_joins_key(one) for one in (given, *_assigned(given, context.function))):
        yield Report(node)


def _joins_key(value: ir.Expression) -> bool:
    for part in walk_here(value):
        joined = isinstance(part, ir.Template) or (isinstance(part, ir.Binary) and part.operator in ("+", "%"))
        if joined and any(_is_key(inner) for inner in walk_here(part)):
            return True
    return False


def _assigned(value: ir.Expression, function: ir.Function | None) -> Iterator[ir.Expression]:
    """What the function's variables in an expression are made of."""
    names = {part.id for part in walk_here(value) if isinstance(part, ir.Name)}
    for part in own_nodes(function) if function is not None and names else ():
        if not isinstance(part, ir.Assign) or part.value is None:
            continue
        if any(isinstance(target, ir.Name) and target.id in names for target in part.targets):
            yield part.value


def _is_key(node: ir.Node) -> bool:
    if isinstance(node, ir.Subscript) and isinstance(node.key, ir.Constant):
        return isinstance(node.key.value, str) and bool(_KEYS.fullmatch(node.key.value))
    return isinstance(node, (ir.Name, ir.Attribute)) and bool(_KEYS.fullmatch(last_name(node)))
