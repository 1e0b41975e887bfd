"""Small questions about code that several checks ask.

Absent on purpose: anything that needs the flow of data, and any name of a language or a library.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from . import ir
from .scope import methods, targets
from .tree import same, walk, walk_here

if TYPE_CHECKING:
    from .check import Context

DISPLAYS = (ir.Sequence, ir.Mapping, ir.Comprehension)

MUTATORS = frozenset(
    [
        "append",
        "extend",
        "insert",
        "remove",
        "pop",
        "clear",
        "sort",
        "reverse",
        "add",
        "discard",
        "update",
        "setdefault",
        "popitem",
        "appendleft",
        "extendleft",
        "push",
        "unshift",
        "splice",
    ]
)
"""Methods that change a container in place."""


def is_fresh_container(expression: ir.Expression | None) -> bool:
    """Whether `expression` makes a new list, dict or set."""
    if isinstance(expression, ir.Sequence):
        return expression.kind != "tuple"
    if isinstance(expression, ir.Comprehension):
        return expression.kind != "generator"
    return isinstance(expression, ir.Mapping)


def names_read(*roots: ir.Node) -> Iterator[str]:
    """The names in code, inner functions included."""
    return (node.id for node in walk(*roots) if type(node) is ir.Name)


def own_nodes(function: ir.Function) -> Iterator[ir.Node]:
    """All nodes of a function's body, without those of inner functions and classes."""
    return walk_here(*function.body)


def is_mutation_of(node: ir.Node, container: ir.Expression) -> bool:
    """Whether `node` changes what `container` refers to, in place."""
    if isinstance(node, ir.Call):
        callee = node.callee
        return isinstance(callee, ir.Attribute) and callee.name in MUTATORS and same(callee.value, container)
    if isinstance(node, ir.Assign | ir.Delete):
        return any(isinstance(t, ir.Subscript) and same(t.value, container) for t in node.targets)
    if isinstance(node, ir.AugmentedAssign):
        target = node.target
        return isinstance(target, ir.Subscript) and same(target.value, container)
    return False


def rebinds(nodes: Iterable[ir.Node], name: str) -> bool:
    """Whether any of `nodes` assigns to the variable `name`."""
    for node in nodes:
        if isinstance(node, ir.Assign | ir.Delete):
            if any(name in targets(target) for target in node.targets):
                return True
        elif (isinstance(node, ir.For | ir.Bind | ir.AugmentedAssign) and name in targets(node.target)) or (
            isinstance(node, ir.WithItem) and node.target is not None and name in targets(node.target)
        ):
            return True
    return False


def is_boolean_test(node: ir.Expression, parents: list[ir.Node]) -> bool:
    """Whether `node`, whose parents these are, decides a branch (through and, or, not)."""
    child: ir.Node = node
    for parent in reversed(parents):
        if isinstance(parent, ir.Boolean) or (isinstance(parent, ir.Unary) and parent.operator == "not"):
            child = parent
            continue
        if isinstance(parent, ir.If | ir.While | ir.Conditional | ir.Assert):
            return parent.test is child
        return False
    return False


def last_name(expression: ir.Expression) -> str:
    """The last segment of a name or an attribute; "" for anything else."""
    if isinstance(expression, ir.Attribute):
        return expression.name
    return expression.id if isinstance(expression, ir.Name) else ""


def argument(call: ir.Call, position: int, name: str = "") -> ir.Expression | None:
    """The argument at `position`, or of this name; None also where a spread makes it uncertain."""
    for at, given in enumerate(call.arguments):
        if given.spread:
            return None
        if given.name is None and at == position:
            return given.value
        if name and given.name == name:
            return given.value
    return None


def called_function(call: ir.Call, context: Context) -> ir.Function | None:
    """The function of this module that `call` surely calls, by name or as a method of the own object; its head alone."""
    callee = call.callee
    if type(callee) is ir.Name:
        if context.is_local(callee.id):
            return None
        function = context.outline.functions.get(callee.id)
        return function if function is not None and callee.id not in context.outline.scope.imports else None
    if type(callee) is not ir.Attribute or type(callee.value) is not ir.Name:
        return None
    method, owner = context.method, context.class_
    if method is None or owner is None or context.function is not method or callee.value.id == "":
        return None
    receiver = method.parameters[0].name if method.parameters else ""
    if callee.value.id not in (receiver, "this"):
        return None
    named = [candidate for candidate in methods(owner) if candidate.name == callee.name]
    return named[0] if len(named) == 1 else None


_PERCENT = re.compile(
    r"%(?:\((?P<name>[^)]*)\))?[#0\- +]*(?P<width>\*|\d+)?(?:\.(?P<precision>\*|\d+))?[hlL]?(?P<kind>.)", re.DOTALL
)


def percent_fields(text: str) -> list[str] | None:
    """The arguments that the text of a % format asks for: their names, "" by place. None if it is no valid format."""
    found: list[str] = []
    at = 0
    while (at := text.find("%", at)) >= 0:
        field = _PERCENT.match(text, at)
        if field is None or field["kind"] not in "diouxXeEfFgGcrsa%":
            return None
        if field["kind"] != "%":
            found.extend("" for star in (field["width"], field["precision"]) if star == "*")
            found.append(field["name"] or "")
        at = field.end()
    return found


def arguments_by_name(call: ir.Call, context: Context) -> Iterator[tuple[str, ir.Expression]]:
    """What a call hands to the parameters of a function, class or static method of this module, by their names."""
    function, skipped = called_function(call, context), 0
    callee = call.callee
    if function is not None:
        skipped = 1 if isinstance(callee, ir.Attribute) and not is_static(function) else 0
    elif isinstance(callee, ir.Name | ir.Attribute):
        named, is_method = (callee, False) if isinstance(callee, ir.Name) else (callee.value, True)
        owner = context.outline.classes.get(named.id) if isinstance(named, ir.Name) else None
        if owner is None or (isinstance(named, ir.Name) and context.is_local(named.id)):
            return
        context.wide = True
        wanted = callee.name if isinstance(callee, ir.Attribute) else "__init__"
        function = next((method for method in methods(owner) if method.name in (wanted, "constructor")), None)
        if function is None or (is_method and function.name != wanted):
            return
        skipped = 0 if is_method and (is_static(function) or not function.decorators) else 1
    if function is None:
        return
    context.wide = True
    for parameter, given in zip(function.parameters[skipped:], call.arguments, strict=False):
        if given.name is not None or given.spread or parameter.kind == "*":
            return
        yield parameter.name, given.value


def is_static(function: ir.Function) -> bool:
    """Whether a method gets no object."""
    return any(isinstance(decorator, ir.Name) and decorator.id == "staticmethod" for decorator in function.decorators)
