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
    if module == "random" and name in _BY_SYSTEM:
        yield from context.use(node.callee, "random", "SystemRandom", f"{{}}().{name}")
