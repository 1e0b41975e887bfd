"""Which name means what: imports, bindings, and the access path that an expression has by them.

For checks over the IR only; the interpreter has its own, flow-sensitive notion. Absent on purpose:
the order of bindings. A name that a function binds anywhere is the function's own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from . import ir
from .tree import statements, walk


@dataclass(slots=True)
class Scope:
    """The names that a function, or a module, binds itself."""

    bound: set[str] = field(default_factory=set)
    imports: dict[str, str] = field(default_factory=dict)
    """Of the bound names, those that an import binds, with the path of what they are."""

    outer: set[str] = field(default_factory=set)
    """Names declared to belong further out."""


def import_path(statement: ir.Import) -> str:
    """The path of the thing that an import binds."""
    if statement.root:
        return statement.module.split(".", 1)[0]
    module = "." * statement.level + statement.module
    if statement.member is None or statement.member == "default":
        return module
    return f"{module}.{statement.member}" if statement.module else module + statement.member


def targets(target: ir.Expression) -> Iterable[str]:
    """The names that assigning to `target` binds."""
    if isinstance(target, ir.Name):
        return (target.id,)
    if isinstance(target, ir.Attribute | ir.Subscript):
        return ()
    names: list[str] = []
    pending: list[ir.Expression] = [target]
    while pending:
        item = pending.pop()
        if isinstance(item, ir.Name):
            names.append(item.id)
        elif isinstance(item, ir.Sequence):
            pending.extend(item.items)
        elif isinstance(item, ir.Spread):
            pending.append(item.value)
        elif isinstance(item, ir.WithDefault):
            pending.append(item.target)
        elif isinstance(item, ir.Mapping):
            pending.extend(value for _, value in item.entries)
    return names


def scope_of(body: list[ir.Statement], parameters: Iterable[ir.Parameter] = ()) -> Scope:
    """What these statements bind. An assignment inside an expression is not looked for."""
    scope = Scope()
    for parameter in parameters:
        scope.bound.add(parameter.name)
        if parameter.pattern is not None:
            scope.bound.update(targets(parameter.pattern))
    for statement in statements(*body):
        _bind(scope, statement)
    scope.bound -= scope.outer
    return scope


def _bind(scope: Scope, statement: ir.Statement) -> None:
    if isinstance(statement, ir.Assign):
        _bind_assign(scope, statement)
    elif isinstance(statement, ir.AugmentedAssign | ir.For):
        scope.bound.update(targets(statement.target))
    elif isinstance(statement, ir.With):
        for item in statement.items:
            if item.target is not None:
                scope.bound.update(targets(item.target))
    elif isinstance(statement, ir.Try):
        scope.bound.update(handler.name for handler in statement.handlers if handler.name)
    elif isinstance(statement, ir.FunctionDefinition):
        scope.bound.add(statement.function.name)
    elif isinstance(statement, ir.ClassDefinition):
        scope.bound.add(statement.definition.name)
    elif isinstance(statement, ir.Import):
        scope.bound.add(statement.bound)
        scope.imports[statement.bound] = import_path(statement)
    elif isinstance(statement, ir.ScopeDeclaration):
        scope.outer.update(statement.names)
    elif isinstance(statement, ir.Match):
        for case in statement.cases:
            scope.bound.update(
                node.name for node in walk(case.pattern) if isinstance(node, ir.Pattern) and node.name is not None
            )


def _bind_assign(scope: Scope, statement: ir.Assign) -> None:
    """A module that is the assigned value makes its target an import (`const fs = require("fs")`)."""
    value = statement.value
    for target in statement.targets:
        scope.bound.update(targets(target))
        if isinstance(value, ir.ImportExpression):
            _bind_module(scope, target, value.module)
        elif isinstance(value, ir.Attribute) and isinstance(value.value, ir.ImportExpression):
            _bind_module(scope, target, f"{value.value.module}.{value.name}")


def _bind_module(scope: Scope, target: ir.Expression, module: str) -> None:
    if isinstance(target, ir.Name):
        scope.imports[target.id] = module
    elif isinstance(target, ir.Mapping):
        for key, value in target.entries:
            if isinstance(key, ir.Constant) and isinstance(key.value, str) and isinstance(value, ir.Name):
                scope.imports[value.id] = f"{module}.{key.value}"


@dataclass(slots=True)
class Names:
    """What a module says about its names, for all of its units."""

    scope: Scope
    renamed: dict[str, str]
    """Imported names that are called something else here: the name here -> the name there."""

    classes: dict[str, ir.Class]
    """Module-level classes and those nested in them, by qualified name."""

    owners: dict[int, ir.Class]
    """id(function) -> the class whose method it is."""

    functions: dict[str, ir.Function]
    """Module-level functions by name; of several with one name, none."""

    values: dict[str, ir.Expression] = field(default_factory=dict)
    """What module-level variables are assigned; of several assignments, the last."""


def names_of(module: ir.Module) -> Names:
    """The names of a module."""
    scope = scope_of([unit.statement for unit in module.units if "." not in unit.name])
    names = Names(scope, {}, {}, {}, {})
    for bound, path in scope.imports.items():
        last = path.rpartition(".")[2]
        if last != bound:
            names.renamed[bound] = last
    ambiguous: set[str] = set()
    for unit in module.units:
        statement = unit.statement
        if isinstance(statement, ir.FunctionDefinition) and "." not in unit.name:
            name = statement.function.name
            if name in names.functions:
                ambiguous.add(name)
            names.functions[name] = statement.function
        elif isinstance(statement, ir.ClassDefinition):
            _add_class(names, statement.definition, statement.definition.name)
        elif isinstance(statement, ir.Assign) and statement.value is not None:
            for target in statement.targets:
                if isinstance(target, ir.Name):
                    names.values[target.id] = statement.value
    for name in ambiguous:
        del names.functions[name]
    return names


def _add_class(names: Names, top: ir.Class, name: str) -> None:
    pending = [(top, name)]
    while pending:
        definition, name = pending.pop()
        names.classes[name] = definition
        for method in methods(definition):
            names.owners[id(method)] = definition
        for statement in definition.body:
            if isinstance(statement, ir.ClassDefinition):
                pending.append((statement.definition, f"{name}.{statement.definition.name}"))


def methods(definition: ir.Class) -> list[ir.Function]:
    """The functions defined in a class's body, those under a condition included."""
    return [s.function for s in statements(*definition.body) if isinstance(s, ir.FunctionDefinition)]
