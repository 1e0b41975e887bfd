"""The same numbers from the system's generator, which nobody can predict."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Take it from the system's generator"

_BY_SYSTEM = frozenset(
    ["choice", "choices", "getrandbits", "randbytes", "randint", "random", "randrange", "sample", "shuffle", "uniform"]
)


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`random.randint` becomes `random.SystemRandom().randint`."""
    module, _, name = (context.path(node.callee) or "").rpartition(".")
    if module != "random" or name not in _BY_SYSTEM:
        return
    imported = context.imported("random", "SystemRandom")
    if imported is not None:
        made, edits = imported
        yield from edits
        yield context.replace(node.callee, f"{made}().{name}")
