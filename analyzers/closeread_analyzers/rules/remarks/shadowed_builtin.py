"""The call of a built-in's name where a variable with a value that cannot be called stands in its place."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...scope import targets
from ...shapes import DISPLAYS, own_nodes, rebinds

visits = (ir.Call,)
calls = frozenset(name for name in dir(builtins) if name.islower() and callable(getattr(builtins, name)))


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the callee."""
    callee = node.callee
    function = context.function
    if type(callee) is not ir.Name or function is None:
        return
    scope = context.scope(function)
    if callee.id not in scope.bound or callee.id in scope.imports:
        return
    if _never_callable(function, callee.id):
        yield Report(callee, name=callee.id)


def _never_callable(function: ir.Function, name: str) -> bool:
    """Whether all that this function binds the name to is a literal or a display."""
    nodes = list(own_nodes(function))
    others: list[ir.Node] = []
    values: list[ir.Expression] = []
    for node in nodes:
        if isinstance(node, ir.Assign) and any(name in targets(target) for target in node.targets):
            if node.value is None or not any(isinstance(t, ir.Name) and t.id == name for t in node.targets):
                return False
            values.append(node.value)
        elif isinstance(node, ir.FunctionDefinition | ir.ClassDefinition | ir.Try | ir.Match | ir.Clause):
            others.append(node)
        elif rebinds((node,), name):
            return False
    for parameter in function.parameters:
        if parameter.name == name:
            if parameter.default is None:
                return False
            values.append(parameter.default)
    if not values or any(_binds(node, name) for node in others):
        return False
    return all(_is_plain_value(value) for value in values)


def _binds(node: ir.Node, name: str) -> bool:
    if isinstance(node, ir.FunctionDefinition):
        return node.function.name == name
    if isinstance(node, ir.ClassDefinition):
        return node.definition.name == name
    if isinstance(node, ir.Try):
        return any(handler.name == name for handler in node.handlers)
    if isinstance(node, ir.Clause):
        return name in targets(node.target)
    return True


def _is_plain_value(value: ir.Expression) -> bool:
    if isinstance(value, ir.Constant):
        return value.value is not None
    return isinstance(value, (*DISPLAYS, ir.Template))
