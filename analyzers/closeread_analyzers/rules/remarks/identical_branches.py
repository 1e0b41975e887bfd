"""An if and its else, or both ends of a conditional, that are the same."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...tree import same, same_all

visits = (ir.If, ir.Conditional)


def check(node: ir.If | ir.Conditional, context: Context) -> Iterator[Report]:
    """Reports the condition."""
    if isinstance(node, ir.Conditional):
        if same(node.then, node.otherwise):
            yield Report(node)
        return
    if not node.orelse or len(node.body) != len(node.orelse) or isinstance(node.body[0], ir.Pass):
        return
    parent = context.parents[-1] if context.parents else None
    if isinstance(parent, ir.If) and parent.orelse == [node]:
        return
    if same_all(node.body, node.orelse) and not context.is_explained(node):
        yield Report(node.test)
