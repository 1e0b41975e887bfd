"""A hash over a key and data put together, where a MAC is meant."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import argument, last_name
from ...tree import walk_here

visits = (ir.Call,)
calls = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "new"})

_HASHES = re.compile(r"(hashlib\.(md5|sha\w+)|(md5|sha)\.new)")
_KEYS = re.compile(
    r"(.*_)?(secret|secret_?key|signing_?key|hmac_?key|mac_?key|shared_?key|private_?key|api_?secret|app_?secret)",
    re.IGNORECASE,
)


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the hash."""
    if not _HASHES.fullmatch(context.path(node.callee) or "") or context.is_test:
        return
    given = argument(node, 0)
    if given is None:
        return
    for part in walk_here(given):
        joined = isinstance(part, ir.Template) or (isinstance(part, ir.Binary) and part.operator in ("+", "%"))
        if joined and any(_is_key(inner) for inner in walk_here(part)):
            yield Report(node)
            return


def _is_key(node: ir.Node) -> bool:
    if isinstance(node, ir.Subscript) and isinstance(node.key, ir.Constant):
        return isinstance(node.key.value, str) and bool(_KEYS.fullmatch(node.key.value))
    return isinstance(node, (ir.Name, ir.Attribute)) and bool(_KEYS.fullmatch(last_name(node)))
