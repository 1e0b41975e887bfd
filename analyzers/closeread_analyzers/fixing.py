"""Fixes that need no judgement: what a rule's `fix` sees, and how its edits become one `Fix`.

A rule's module may say how its findings are mended: `mends`, the node classes it is called for, `title`, what a
user is offered, and `fix(node, context)`, which yields edits; none where it knows no sure way. `safe = False` says
that the program does something else afterwards than before, beside being mended: that is never done unasked.

Deliberately absent: any trust in a fix. The façade applies it, analyses again and believes what it sees (`trial.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import ir
from .check import Context
from .finding import Edit, Finding, Fix
from .tree import bodies, children, is_unit_method

if TYPE_CHECKING:
    from .catalogue import Rule
    from .flow.scopes import Source

IMPORTS = "plain-imports"
"""The trait of languages in which a line `import NAME` binds NAME."""


class FixContext(Context):
    """The context of a node to mend, and the edits that most fixes are made of. All edits are in bytes of the file."""

    def bytes(self, start: int, end: int) -> bytes:
        """The source between two offsets of the unit."""
        return self._module.source[self.unit.start + start : self.unit.start + end]

    def edit(self, start: int, end: int, text: str) -> Edit:
        """Replace what lies between two offsets of the unit."""
        return Edit(self.unit.start + start, self.unit.start + end, text)

    def replace(self, node: ir.Node, text: str) -> Edit:
        """Replace a node."""
        return self.edit(node.start, node.end, text)

    def operator(self, node: ir.Comparison, text: str) -> Iterator[Edit]:
        """Replace the operator of a comparison that is written with no comment beside it."""
        between = self.bytes(node.left.end, node.right.start).decode("utf-8", "replace")
        found = re.fullmatch(r"([\s)]*)(" + r"\s+".join(map(re.escape, node.operator.split())) + r")([\s(]*)", between)
        if found:
            start = node.left.end + len(found[1])
            yield self.edit(start, start + len(found[2]), text)

    def rename(self, callee: ir.Expression, name: str) -> Iterator[Edit]:
        """Call another function of the same module: the last name of `module.name`."""
        if isinstance(callee, ir.Attribute) and self.bytes(callee.end - len(callee.name), callee.end).isascii():
            yield self.edit(callee.end - len(callee.name), callee.end, name)

    def pass_argument(self, call: ir.Call, name: str, text: str) -> Iterator[Edit]:
        """Give a keyword argument: another value if it is there, else one more. None where `**` may hold it."""
        for argument in call.arguments:
            if argument.name == name:
                yield self.replace(argument.value, text)
                return
        if any(argument.spread == "**" for argument in call.arguments):
            return
        if not call.arguments:
            if self.bytes(call.callee.end, call.end).replace(b" ", b"") == b"()":
                yield self.edit(call.end - 1, call.end - 1, f"{name}={text}")
        elif not _is_bare_generator(self, call):
            end = call.arguments[-1].end
            yield self.edit(end, end, f", {name}={text}")

    def drop_argument(self, call: ir.Call, argument: ir.Argument) -> Edit:
        """Take an argument away, with the comma that goes with it."""
        place = next(at for at, one in enumerate(call.arguments) if one is argument)
        if place:
            return self.edit(call.arguments[place - 1].end, argument.end, "")
        if len(call.arguments) > 1:
            return self.edit(argument.start, call.arguments[1].start, "")
        return self.replace(argument, "")

    def flip(self, node: ir.Node, *names: str) -> Iterator[Edit]:
        """Turn a literal yes into no, or no into yes: what is assigned, or what a call gets under one of these names."""
        if isinstance(node, ir.Assign):
            yield from self._flipped(node.value)
        elif isinstance(node, ir.Call):
            for argument in node.arguments:
                if argument.name in names:
                    yield from self._flipped(argument.value)
                yield from self._flipped_entries(argument.value, names)

    def _flipped_entries(self, node: ir.Expression, names: tuple[str, ...]) -> Iterator[Edit]:
        for key, value in node.entries if isinstance(node, ir.Mapping) else ():
            if isinstance(key, ir.Constant) and key.value in names:
                yield from self._flipped(value)
            yield from self._flipped_entries(value, names)

    def _flipped(self, value: ir.Expression | None) -> Iterator[Edit]:
        if isinstance(value, ir.Constant) and isinstance(value.value, bool):
            other = str(not value.value)
            yield self.replace(value, other if self.text(value)[:1].isupper() else other.lower())

    def imported(self, module: str, member: str = "") -> tuple[str, list[Edit]] | None:
        """How `module`, or its `member`, is written here, and the edits that import it if nothing did yet."""
        path = f"{module}.{member}" if member else module
        scope = self._names.scope
        for name, bound in scope.imports.items():
            if bound == path and not self.is_local(name):
                return name, []
        for name, bound in scope.imports.items():
            if bound == module and not self.is_local(name):
                return f"{name}.{member}", []
        if IMPORTS not in self.traits or module in scope.bound or self.is_local(module):
            return None
        return path, [self._import(module)]

    def use(self, node: ir.Node, module: str, member: str, form: str = "{}") -> Iterator[Edit]:
        """Replace a node by `form`, whose first `{}` is `member` of `module`; none where that cannot be written here."""
        imported = self.imported(module, member)
        if imported is not None:
            name, edits = imported
            yield from edits
            yield self.replace(node, form.replace("{}", name, 1))

    def _import(self, module: str) -> Edit:
        """A line `import module` before the first import, else before the first statement that is no text."""
        units = self._module.units
        at = next((unit.start for unit in units if _is_import(unit)), None)
        if at is None:
            at = next((unit.start for unit in units if not _is_heading(unit)), len(self._module.source))
        return Edit(at, at, f"import {module}\n")


def _is_bare_generator(context: FixContext, call: ir.Call) -> bool:
    """Whether the only argument is a generator that shares the call's parentheses."""
    last = call.arguments[-1]
    is_generator = isinstance(last.value, ir.Comprehension) and last.value.kind == "generator"
    return is_generator and context.bytes(last.value.end, call.end).strip() != b")"


def _is_import(unit: ir.Unit) -> bool:
    return isinstance(unit.statement, ir.Import) and unit.statement.module != "__future__"


def _is_heading(unit: ir.Unit) -> bool:
    statement = unit.statement
    is_text = isinstance(statement, ir.ExpressionStatement) and isinstance(statement.value, ir.Constant)
    return is_text or isinstance(statement, ir.Import)


def proposed(rule: Rule, source: Source, finding: Finding) -> Fix | None:
    """The fix that the finding's rule proposes, unverified; None if it proposes none. A rule that raises proposes none."""
    mend = rule.mend
    if mend is None:
        return None
    starts = source.line_starts()
    span = (_offset(source, starts, finding, start=True), _offset(source, starts, finding, start=False))
    unit = _unit_around(source, span)
    if unit is None:
        return None
    context = FixContext(unit, source.module, source.language)
    node = _find(unit, (span[0] - unit.start, span[1] - unit.start), mend.nodes, context.parents)
    if node is None:
        return None
    try:
        edits = sorted(set(mend.fix(node, context)), key=lambda edit: (edit.start, edit.end))
    except Exception:  # as with a check: it may fail in any way, and there is no fix then
        return None
    if not edits or overlap(edits):
        return None
    return Fix(mend.title, source.path, tuple(edits), mend.safe)


def statement_around(source: Source, finding: Finding) -> tuple[int, int]:
    """The bytes in the file of the smallest statement around a finding that holds no other, else those of its place."""
    starts = source.line_starts()
    span = (_offset(source, starts, finding, start=True), _offset(source, starts, finding, start=False))
    unit = _unit_around(source, span)
    if unit is not None:
        node = _find(unit, (span[0] - unit.start, span[1] - unit.start), (ir.Statement,), [])
        if (
            node is not None
            and not any(bodies(node))
            and not isinstance(node, ir.FunctionDefinition | ir.ClassDefinition)
        ):
            return unit.start + node.start, unit.start + node.end
    return span


def overlap(edits: Iterable[Edit]) -> bool:
    """Whether two of these edits, in order, touch the same bytes; two insertions at one place do."""
    last: Edit | None = None
    for edit in edits:
        if last is not None and (edit.start < last.end or (edit.start == last.start and edit.end == last.end)):
            return True
        last = edit
    return False


def _offset(source: Source, starts: list[int], finding: Finding, *, start: bool) -> int:
    at = finding.location
    line, column = (at.start_line, at.start_column) if start else (at.end_line, at.end_column)
    begin = starts[min(line, len(starts)) - 1]
    text = source.module.source[begin : begin + 4 * column + 4]
    return begin + (column if text.isascii() else len(text.decode("utf-8", "replace")[:column].encode()))


def _unit_around(source: Source, span: tuple[int, int]) -> ir.Unit | None:
    around = [unit for unit in source.module.units if unit.start <= span[0] and span[1] <= unit.end]
    return min(around, key=lambda unit: unit.end - unit.start, default=None)


def _find(
    unit: ir.Unit, span: tuple[int, int], wanted: tuple[type[ir.Node], ...], parents: list[ir.Node]
) -> ir.Node | None:
    """The smallest node of a wanted class around a span; `parents` becomes the nodes around it."""
    best: ir.Node | None = None
    around: list[ir.Node] = []
    pending: list[tuple[ir.Node, tuple[ir.Node, ...]]] = [(unit.statement, ())]
    while pending:
        node, above = pending.pop()
        if above and is_unit_method(node):
            continue
        if node.start <= span[0] and span[1] <= node.end and isinstance(node, wanted):
            best, around = node, list(above)
        below = (*above, node)
        pending += [(child, below) for child in children(node) if child.end > span[0] and child.start <= span[1]]
    parents[:] = around
    return best
