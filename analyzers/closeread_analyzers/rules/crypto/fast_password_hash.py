"""A password, by its name, in a hash made for speed. Where a client's password was followed, the flow rule speaks."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...pattern import later
from ...shapes import argument, last_name
from ...tree import walk_here
from ...words import words_of

visits = (ir.Call,)
calls = frozenset({"md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "new", "update"})

_HASHES = later(r"hashlib\.(md5|sha\w+)(\(\)\.update)?|(md5|sha)\.new")
_ABOUT = later(
    r"(^|_)(hash|hashed|set|check|verify|encrypt|encode|make|digest|validate|compare)_(the_)?(password|passwd|pwd|pw)(_|$)"
    r"|(^|_)(password|passwd|pwd|pw)_(hash|digest|check|matches|verify)(_|$)"
)
_PASSWORD = later(
    r"(.*_)?(password|passwd|passwort|pwd|passphrase|pass_?word)\d?(_?(raw|plain|text|str|bytes|utf8|encoded))?",
    re.IGNORECASE,
)


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the hash."""
    if context.is_test or not _HASHES.fullmatch(context.path(node.callee) or ""):
        return
    given = argument(node, 0)
    if given is None:
        return
    names = _parameters(context.function)
    if any(_is_password(part) or (isinstance(part, ir.Name) and part.id in names) for part in walk_here(given)):
        yield Report(node)


def _parameters(function: ir.Function | None) -> frozenset[str]:
    """What a function that by its name hashes, sets or checks a password is given."""
    if function is None or not _ABOUT.search(words_of(function.name)):
        return frozenset()
    return frozenset(p.name for p in function.parameters if p.name not in ("self", "cls", "salt"))


def _is_password(node: ir.Node) -> bool:
    if isinstance(node, ir.Subscript) and isinstance(node.key, ir.Constant):
        return isinstance(node.key.value, str) and bool(_PASSWORD.fullmatch(node.key.value))
    return isinstance(node, (ir.Name, ir.Attribute)) and bool(_PASSWORD.fullmatch(last_name(node)))
