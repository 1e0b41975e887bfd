"""An initialisation vector or nonce that is written into the source."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import UNKNOWN, Context, Report
from ...pattern import later
from ...shapes import argument

visits = (ir.Call,)
calls = frozenset({"new", "CBC", "CFB", "OFB", "CTR", "GCM"})

_CIPHERS = later(r"(Crypto|Cryptodome)\.Cipher\.\w+\.new")
_MODES = later(r"cryptography\.hazmat\.primitives\.ciphers\.modes\.\w+")


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the vector."""
    path = context.path(node.callee) or ""
    if context.is_test:
        return
    if _CIPHERS.fullmatch(path):
        given = argument(node, 2, "iv") or next((a.value for a in node.arguments if a.name in ("nonce", "IV")), None)
    elif _MODES.fullmatch(path):
        given = argument(node, 0, "initialization_vector")
    else:
        return
    if given is not None and _is_constant(given, context):
        yield Report(given)


def _is_constant(given: ir.Expression, context: Context) -> bool:
    if isinstance(given, ir.Binary) and given.operator == "*":
        return all(context.constant(side) is not UNKNOWN for side in (given.left, given.right))
    value = context.constant(given)
    return isinstance(value, (str, bytes)) and bool(value)
