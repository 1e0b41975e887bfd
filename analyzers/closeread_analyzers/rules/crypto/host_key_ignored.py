"""Unknown hosts are refused, as is the default. Whoever connected to one before has to load its key first."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext

mends = (ir.Call,)
title = "Refuse unknown hosts"
safe = False


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`AutoAddPolicy`, by whatever name it is there, becomes `paramiko.RejectPolicy`."""
    if not node.arguments:
        return
    given = node.arguments[0].value
    policy = given.callee if isinstance(given, ir.Call) else given
    if context.path(policy) in ("paramiko.AutoAddPolicy", "paramiko.WarningPolicy"):
        yield from context.use(policy, "paramiko", "RejectPolicy")
