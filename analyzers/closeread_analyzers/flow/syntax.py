"""Small questions about IR that need no interpretation: names bound, statements counted."""

from __future__ import annotations

from collections.abc import Iterable

from .. import ir


def _inner(statement: ir.Node) -> list[ir.Statement]:
    """The statements directly inside a statement (not those of nested functions and classes)."""
    if isinstance(statement, ir.If | ir.While | ir.For):
        return statement.body + statement.orelse
    if isinstance(statement, ir.Try):
        inside = statement.body + statement.orelse + statement.final
        for handler in statement.handlers:
            inside += handler.body
        return inside
    if isinstance(statement, ir.With | ir.Block):
        return list(statement.body)
    if isinstance(statement, ir.Match):
        return [inner for case in statement.cases for inner in case.body]
    return []


def count(statements: Iterable[ir.Statement]) -> int:
    """How many statements there are, nested ones included."""
    total = 0
    pending = list(statements)
    while pending:
        statement = pending.pop()
        total += 1
        pending += _inner(statement)
    return total


def bound_names(statements: Iterable[ir.Statement]) -> frozenset[str]:
    """The names that these statements bind, at this level of functions."""
    names: set[str] = set()
    pending: list[ir.Statement] = list(statements)
    while pending:
        statement = pending.pop()
        pending += _inner(statement)
        if isinstance(statement, ir.Assign):
            for target in statement.targets:
                _targets(target, names)
        elif isinstance(statement, ir.AugmentedAssign | ir.For):
            _targets(statement.target, names)
        elif isinstance(statement, ir.With):
            for item in statement.items:
                if item.target is not None:
                    _targets(item.target, names)
        elif isinstance(statement, ir.Try):
            names.update(handler.name for handler in statement.handlers if handler.name)
        elif isinstance(statement, ir.Import):
            names.add(statement.bound)
        elif isinstance(statement, ir.FunctionDefinition):
            names.add(statement.function.name)
        elif isinstance(statement, ir.ClassDefinition):
            names.add(statement.definition.name)
        elif isinstance(statement, ir.Match):
            patterns = [case.pattern for case in statement.cases]
            while patterns:
                pattern = patterns.pop()
                if pattern.name:
                    names.add(pattern.name)
                patterns += pattern.children
        elif isinstance(statement, ir.ExpressionStatement) and isinstance(statement.value, ir.Bind):
            _targets(statement.value.target, names)
    return frozenset(names)


def _targets(target: ir.Expression, names: set[str]) -> None:
    pending = [target]
    while pending:
        at = pending.pop()
        if isinstance(at, ir.Name):
            names.add(at.id)
        elif isinstance(at, ir.Sequence):
            pending += at.items
        elif isinstance(at, ir.Spread):
            pending.append(at.value)
        elif isinstance(at, ir.WithDefault):
            pending.append(at.target)
        elif isinstance(at, ir.Mapping):
            pending += [value for _, value in at.entries]


def last_name(node: ir.Expression) -> str:
    """The last identifier of a dotted name or of a call of one; "" for anything else."""
    while isinstance(node, ir.Call):
        node = node.callee
    if isinstance(node, ir.Attribute):
        return node.name
    return node.id if isinstance(node, ir.Name) else ""
