"""`privileged: true` of a service or of a container's security context."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import entries, is_compose, is_on, keys_above

visits = (ir.Mapping,)


def check(node: ir.Mapping, context: Context) -> Iterator[Report]:
    """Reports the entry."""
    for name, key, value in entries(node):
        if name == "privileged" and is_on(value):
            above = keys_above(node, context)
            service = is_compose(context.module.path) and above[:1] == ["services"]
            if service or above[-1:] == ["securityContext"]:
                yield Report(ir.Node(key.start, value.end))
