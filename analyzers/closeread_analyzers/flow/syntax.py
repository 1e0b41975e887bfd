"""Small questions about IR that need no interpretation: names bound, statements counted."""

from __future__ import annotations

from collections.abc import Iterable

from .. import ir
from ..tree import walk

_PLAIN = frozenset({ir.ExpressionStatement, ir.Assign, ir.AugmentedAssign, ir.Return, ir.Raise, ir.Import, ir.Pass})
"""Statements with none inside; only so that the commonest are told at once."""


def _inner(statement: ir.Node) -> list[ir.Statement]:
    """The statements directly inside a statement (not those of nested functions and classes)."""
    kind = statement.__class__
    if kind in _PLAIN:
        return []
    if isinstance(statement, (ir.If, ir.While, ir.For)):
        return statement.body + statement.orelse
    if isinstance(statement, ir.Try):
        inside = statement.body + statement.orelse + statement.final
        for handler in statement.handlers:
            inside += handler.body
        return inside
    if isinstance(statement, (ir.With, ir.Block)):
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
        names |= _bound_here(statement)
    return frozenset(names)


def _bound_here(statement: ir.Statement) -> set[str]:
    """The names that a statement itself binds, those inside it not counted."""
    names: set[str] = set()
    if isinstance(statement, ir.Assign):
        for target in statement.targets:
            _targets(target, names)
    elif isinstance(statement, (ir.AugmentedAssign, ir.For)):
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
    return names


def made_first(loop: ir.Node, body: list[ir.Statement]) -> frozenset[str]:
    """The names that every turn of a loop binds before it reads them: what they hold goes from no turn to the next."""
    made: set[str] = set()
    seen: set[str] = set()
    if isinstance(loop, ir.For):
        _targets(loop.target, made)
    elif isinstance(loop, ir.While):
        seen |= _named(loop.test)
    pending = body[::-1]
    while pending:
        statement = pending.pop()
        if isinstance(statement, ir.Assign) and statement.value is not None:
            seen |= _named(statement.value)
            for target in statement.targets:
                names = _named(target)
                if isinstance(target, (ir.Name, ir.Sequence)):
                    made |= names - seen
                seen |= names
        elif isinstance(statement, ir.With):
            for item in statement.items:
                seen |= _named(item.context)
                if isinstance(item.target, ir.Name) and item.target.id not in seen:
                    made.add(item.target.id)
                elif item.target is not None:
                    seen |= _named(item.target)
            pending += statement.body[::-1]
        else:
            seen |= _named(statement)
    return frozenset(made)


def _named(node: ir.Node) -> set[str]:
    """All names that stand anywhere in a node."""
    return {inner.id for inner in walk(node) if isinstance(inner, ir.Name)}


def changed(function: ir.Function) -> frozenset[str]:
    """The names of other scopes whose value, or whose inside, a function changes: `x` and `y` of `x.y[1] = 2`.

    So are those of what a method is called on, in a statement of its own: `x.add(1)`.
    """
    names: set[str] = set()
    declared: set[str] = set()
    pending: list[ir.Statement] = list(function.body)
    while pending:
        statement = pending.pop()
        pending += _inner(statement)
        if isinstance(statement, ir.Assign):
            for target in statement.targets:
                _insides(target, names)
        elif isinstance(statement, ir.AugmentedAssign):
            _insides(statement.target, names)
        elif isinstance(statement, ir.ScopeDeclaration):
            declared.update(statement.names)
        elif isinstance(statement, ir.FunctionDefinition) and not statement.function.is_unit:
            pending += statement.function.body
        elif isinstance(statement, ir.ExpressionStatement):
            value = statement.value
            if isinstance(value, ir.Await):
                value = value.value
            if isinstance(value, ir.Call) and isinstance(value.callee, ir.Attribute):
                _insides(value.callee, names)
    bound = bound_names(function.body) | {parameter.name for parameter in function.parameters}
    return frozenset(names - bound | declared)


def makers(function: ir.Function) -> dict[str, ir.Expression]:
    """What is called to make the attributes that a method sets on its first parameter: `C` for `self.x = C(1)`."""
    found: dict[str, ir.Expression] = {}
    first = function.parameters[0].name if function.parameters else ""
    pending: list[ir.Statement] = list(function.body)
    while pending:
        statement = pending.pop()
        pending += _inner(statement)
        if isinstance(statement, ir.Assign):
            value = statement.value.value if isinstance(statement.value, ir.Await) else statement.value
            for target in statement.targets if isinstance(value, ir.Call) else ():
                if isinstance(target, ir.Attribute) and isinstance(target.value, ir.Name) and target.value.id == first:
                    found[target.name] = value.callee  # type: ignore[union-attr]
    return found


_ANSWERS = (ir.Comparison, ir.Boolean, ir.Unary, ir.Call)


def answers(function: ir.Function) -> dict[str, ir.Expression]:
    """The tests whose answers variables hold, by variable: `ok` of `ok = x in KNOWN`, bound there and nowhere else.

    Left out are tests of what is bound again further down, so that the answer may be one about something else.
    """
    places: dict[str, list[int]] = {}
    tests: dict[str, ir.Expression] = {}
    pending: list[ir.Statement] = list(function.body)
    while pending:
        statement = pending.pop()
        if isinstance(statement, ir.Assign) and len(statement.targets) == 1:
            target, value = statement.targets[0], statement.value
            if isinstance(target, ir.Name):
                places.setdefault(target.id, []).append(statement.start)
                if isinstance(value, _ANSWERS):
                    tests[target.id] = value
                continue
        elif isinstance(statement, (ir.ExpressionStatement, ir.Return, ir.Raise)) and not isinstance(
            statement.value, ir.Bind
        ):
            continue
        pending += _inner(statement)
        for name in _bound_here(statement):
            places.setdefault(name, []).append(statement.start)
    return {
        name: test
        for name, test in tests.items()
        if len(places[name]) == 1 and all(at < test.start for inner in _named(test) for at in places.get(inner, ()))
    }


def _insides(target: ir.Expression, names: set[str]) -> None:
    """The outer names of what an assignment changes the inside of."""
    if isinstance(target, ir.Sequence):
        for inner in target.items:
            _insides(inner, names)
    while isinstance(target, (ir.Attribute, ir.Subscript)):
        target = target.value
        if isinstance(target, ir.Attribute):
            names.add(target.name)
        elif isinstance(target, ir.Name):
            names.add(target.id)


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
