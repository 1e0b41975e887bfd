"""A handler for everything, the end of the program included, that does not raise again."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...tree import walk_here

visits = (ir.Handler,)
mends = (ir.Handler,)
title = "Let the request to stop pass"

_ENDS = ("exit", "_exit", "abort", "kill", "print_exc", "exc_info", "exception", "interrupt_main")


def check(node: ir.Handler, context: Context) -> Iterator[Report]:
    """Reports the handler's first word."""
    if node.types or all(isinstance(statement, ir.Pass | ir.Continue) for statement in node.body):
        return
    for part in walk_here(*node.body):
        if isinstance(part, ir.Raise):
            return
        if isinstance(part, ir.Attribute) and (part.name in _ENDS or "reraise" in part.name):
            return
    yield Report(ir.Node(node.start, node.start + len("except")))


def fix(node: ir.Handler, context: FixContext) -> Iterator[Edit]:
    """`except:` becomes `except Exception:`."""
    if context.bytes(node.start, node.end).startswith(b"except"):
        end = node.start + len("except")
        yield context.edit(end, end, " Exception")
