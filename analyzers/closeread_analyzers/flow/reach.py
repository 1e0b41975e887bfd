"""Why control never comes to a line: the condition, or the statement before it, that sees to that.

Works on what a `Watch` saw run. Deliberately absent: values; which way a condition goes is read off the branches
that ran.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import NamedTuple

from .. import ir
from ..tree import is_unit_method


class Block(NamedTuple):
    """Statements in order, the statement they are a part of (None: the unit itself), and which part."""

    owner: ir.Statement | None
    part: str
    statements: list[ir.Statement]


class Step(NamedTuple):
    """One statement on the way down to a line, and the block it stands in."""

    block: Block
    index: int

    @property
    def statement(self) -> ir.Statement:
        """The statement itself."""
        return self.block.statements[self.index]


def way_to(statement: ir.Statement, start: int, end: int) -> list[Step]:
    """The statements that hold the bytes from `start` to `end`, outermost first; those of a unit."""
    way: list[Step] = []
    blocks = list(_blocks(statement, unit=True)) or [Block(None, "", [statement])]
    while True:
        step = next(
            (
                Step(block, index)
                for block in blocks
                for index, inner in enumerate(block.statements)
                if inner.start < end and start < max(inner.end, inner.start + 1) and not is_unit_method(inner)
            ),
            None,
        )
        if step is None:
            return way
        way.append(step)
        blocks = list(_blocks(step.statement))


def _blocks(node: ir.Statement, unit: bool = False) -> Iterator[Block]:
    owner = None if unit else node
    if isinstance(node, ir.FunctionDefinition):
        yield Block(owner, "function", node.function.body)
    elif unit:
        yield Block(None, "", [node])
    elif isinstance(node, ir.ClassDefinition):
        yield Block(node, "", node.definition.body)
    elif isinstance(node, ir.If | ir.While | ir.For):
        yield Block(node, "body", node.body)
        yield Block(node, "orelse", node.orelse)
    elif isinstance(node, ir.Try):
        yield Block(node, "", node.body)
        for handler in node.handlers:
            yield Block(node, "handler", handler.body)
        yield Block(node, "", node.orelse)
        yield Block(node, "", node.final)
    elif isinstance(node, ir.With | ir.Block):
        yield Block(node, "", node.body)
    elif isinstance(node, ir.Match):
        for case in node.cases:
            yield Block(node, "case", case.body)


class Barred(NamedTuple):
    """What keeps control away: a node, and how in words."""

    node: ir.Node
    how: str


def barred(way: list[Step], ran: Set[ir.Node], left: Set[ir.Node]) -> Barred | None:
    """Why the last statement of `way` did not run; None if it did."""
    step = next((step for step in way if not _did_run(step.statement, ran)), None)
    if step is None:
        return None
    before = step.block.statements[: step.index]
    last = next((statement for statement in reversed(before) if statement in ran), None)
    if last is not None and last not in left:
        return Barred(last, _LEAVES.get(type(last), "does not come back"))
    owner, part = step.block.owner, step.block.part
    if isinstance(owner, ir.If | ir.While) and part == "body":
        return Barred(owner.test, "is always false")
    if isinstance(owner, ir.If):
        return Barred(owner.test, "is always true")
    if isinstance(owner, ir.For) and part == "body":
        return Barred(owner.iterable, "is always empty")
    if isinstance(owner, ir.Match):
        return Barred(owner.subject, "never matches this case")
    if isinstance(owner, ir.FunctionDefinition):
        return Barred(owner, "is never called")
    return Barred(owner or step.statement, "is never reached")


def _did_run(statement: ir.Statement, ran: Set[ir.Node]) -> bool:
    # Of a chain of `else if`, which is walked in one go, only the tests are seen.
    return statement in ran or (isinstance(statement, ir.If) and statement.test in ran)


_LEAVES = {
    ir.Return: "leaves the function",
    ir.Raise: "raises",
    ir.Break: "leaves the loop",
    ir.Continue: "goes to the loop's next turn",
    ir.If: "leaves on every branch",
    ir.While: "never ends",
}

__all__ = ["Barred", "Block", "Step", "barred", "way_to"]
