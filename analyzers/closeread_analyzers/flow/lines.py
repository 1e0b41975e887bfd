"""A line in its unit: what of it can be asked about, what it hangs on, and why control never comes there.

Works on the IR and on what a `Watch` saw run. Deliberately absent: values; which way a condition goes is read off
the branches that ran.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Set
from typing import NamedTuple

from .. import ir
from ..tree import is_unit_method, walk
from .scopes import Source
from .watch import Change, Place

MAX_STEPS_BACK = 6


class Block(NamedTuple):
    """Statements in order, the statement they are a part of (None: the unit itself), and which part."""

    owner: ir.Statement | None
    part: str
    statements: list[ir.Statement]


class Step(NamedTuple):
    """One statement on the way down to a line, and the block it stands in."""

    block: Block
    at: int

    @property
    def statement(self) -> ir.Statement:
        """The statement itself."""
        return self.block.statements[self.at]


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
    before = step.block.statements[: step.at]
    last = next((statement for statement in reversed(before) if statement in ran), None)
    if last is not None and last not in left:
        last = _innermost(last, ran, left)
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


def _innermost(statement: ir.Statement, ran: Set[ir.Node], left: Set[ir.Node]) -> ir.Statement:
    """The one statement inside that control did not leave, if there is one."""
    while True:
        last = [[inner for inner in block.statements if _did_run(inner, ran)][-1:] for block in _blocks(statement)]
        ways = [inner for found in last for inner in found]
        if len(ways) != 1 or ways[0] in left:
            return statement
        statement = ways[0]


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


def _nodes(statement: ir.Statement) -> Iterator[ir.Node]:
    """All of a unit, with positions relative to its start."""
    if isinstance(statement, ir.FunctionDefinition):
        return walk(statement.function)
    return walk(statement)


def place_of(source: Source, line: int) -> Place | None:
    """What of a line can be asked about. A line that only goes on stands for the one where that starts."""
    starts = source.line_starts()
    text = source.module.source
    first, last = starts[line - 1], starts[line] if line < len(starts) else len(text)
    code = text[first:last]
    first += len(code) - len(code.lstrip())
    if not code.strip():
        return None
    around = [(unit.end - unit.start, key) for key, unit in source.units.items() if unit.start <= first < unit.end]
    if not around:
        return None
    key = min(around)[1]
    unit = source.units[key]
    start, end = first - unit.start, last - unit.start
    nodes = [node for node in _nodes(unit.statement) if isinstance(node, ir.Expression | ir.Statement | ir.Parameter)]
    if start == 0 or any(start <= node.start < end for node in nodes):
        return Place(source.path, key, start, end)
    inside = [node for node in nodes if node.start < start < node.end and not _has_body(node)]
    if not inside:
        return None
    nearest = min(inside, key=lambda node: node.end - node.start)
    return place_of(source, bisect_right(starts, unit.start + nearest.start))


def _has_body(node: ir.Node) -> bool:
    return any(isinstance(getattr(node, name, None), list) for name in ("body", "cases", "handlers")) or isinstance(
        node, ir.FunctionDefinition | ir.ClassDefinition | ir.FunctionExpression | ir.ClassExpression
    )


def is_on_the_way(source: Source, place: Place, change: Change) -> bool:
    """Whether a change can be what the line sees: in a test around it or before it, or in what its names came from."""
    site = change.site
    if site.path != place.path or site.unit != place.unit:
        return False
    if not change.guard:
        return any(start <= site.start and site.end <= end for start, end in _computed_from(source, place))
    statement = source.units[place.unit].statement
    around = [step.statement for step in way_to(statement, place.start, place.end)]
    way = [step.statement for step in way_to(statement, site.start, site.end)]
    test = way[-1] if way else None
    # A test whose statement ends before the line speaks for the line only if one of its branches left.
    return test in around or (site.start < place.start and test is not None and _leaves(test))


def _leaves(statement: ir.Statement) -> bool:
    return any(isinstance(node, ir.Return | ir.Raise | ir.Break | ir.Continue | ir.Assert) for node in walk(statement))


def _computed_from(source: Source, place: Place) -> list[tuple[int, int]]:
    """The bytes of the line, and of what the names on it were assigned from, some steps back."""
    nodes = list(_nodes(source.units[place.unit].statement))
    assigned: dict[str, list[ir.Expression]] = {}
    for node in nodes:
        if isinstance(node, ir.Assign):
            pairs = [(target, node.value) for target in node.targets]
        elif isinstance(node, ir.AugmentedAssign | ir.Bind):
            pairs = [(node.target, node.value)]
        elif isinstance(node, ir.For):
            pairs = [(node.target, node.iterable)]
        else:
            continue
        for target, value in pairs:
            for name in walk(target) if value is not None else ():
                if isinstance(name, ir.Name) and value is not None:
                    assigned.setdefault(name.id, []).append(value)
    ranges = [(place.start, place.end)]
    names = {node.id for node in nodes if isinstance(node, ir.Name) and place.start <= node.start < place.end}
    known = set(names)
    for _ in range(MAX_STEPS_BACK):
        values = [value for name in names for value in assigned.get(name, ())]
        ranges += [(value.start, value.end) for value in values]
        names = {node.id for value in values for node in walk(value) if isinstance(node, ir.Name)} - known
        known |= names
    return ranges


__all__ = ["Barred", "Block", "Step", "barred", "is_on_the_way", "place_of", "way_to"]
