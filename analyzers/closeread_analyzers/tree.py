"""Walking the IR, and comparing pieces of it.

Everything here is iterative: a source file nests as deep as its author likes. Absent on purpose:
visitors with a method per class, since one loop and a table serve every caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from . import ir

_NONE: tuple[ir.Node, ...] = ()


def _present(*nodes: ir.Node | None) -> list[ir.Node]:
    return [node for node in nodes if node is not None]


def _mapping(node: Any) -> list[ir.Node]:
    found: list[ir.Node] = []
    for key, value in node.entries:
        if key is not None:
            found.append(key)
        found.append(value)
    return found


def _function(node: Any) -> list[ir.Node]:
    return [*node.decorators, *node.parameters, *_present(node.returns), *node.body]


# A class that is not here has no children.
CHILDREN: dict[type[ir.Node], Callable[[Any], Sequence[ir.Node]]] = {
    ir.Attribute: lambda n: (n.value,),
    ir.Subscript: lambda n: (n.value, n.key),
    ir.Slice: lambda n: _present(n.lower, n.upper, n.step),
    ir.Argument: lambda n: (n.value,),
    ir.Call: lambda n: (n.callee, *n.arguments),
    ir.Binary: lambda n: (n.left, n.right),
    ir.Unary: lambda n: (n.operand,),
    ir.Boolean: lambda n: n.operands,
    ir.Comparison: lambda n: (n.left, n.right),
    ir.Template: lambda n: n.parts,
    ir.Sequence: lambda n: n.items,
    ir.Mapping: _mapping,
    ir.Spread: lambda n: (n.value,),
    ir.WithDefault: lambda n: (n.target, n.default),
    ir.Conditional: lambda n: (n.test, n.then, n.otherwise),
    ir.Clause: lambda n: (n.target, n.iterable, *n.conditions),
    ir.Comprehension: lambda n: (*_present(n.key), n.element, *n.clauses),
    ir.FunctionExpression: lambda n: (n.function,),
    ir.ClassExpression: lambda n: (n.definition,),
    ir.Bind: lambda n: (n.target, n.value),
    ir.Await: lambda n: (n.value,),
    ir.Yield: lambda n: (n.value,) if n.value is not None else _NONE,
    ir.Opaque: lambda n: n.children,
    ir.ExpressionStatement: lambda n: (n.value,),
    ir.Assign: lambda n: (*n.targets, *_present(n.value, n.annotation)),
    ir.AugmentedAssign: lambda n: (n.target, n.value),
    ir.Return: lambda n: (n.value,) if n.value is not None else _NONE,
    ir.Raise: lambda n: _present(n.value, n.cause),
    ir.If: lambda n: (n.test, *n.body, *n.orelse),
    ir.While: lambda n: (n.test, *n.body, *n.orelse),
    ir.For: lambda n: (n.target, n.iterable, *n.body, *n.orelse),
    ir.Handler: lambda n: (*n.types, *n.body),
    ir.Try: lambda n: (*n.body, *n.handlers, *n.orelse, *n.final),
    ir.WithItem: lambda n: _present(n.context, n.target),
    ir.With: lambda n: (*n.items, *n.body),
    ir.Pattern: lambda n: (*_present(n.value), *n.keys, *n.children),
    ir.Case: lambda n: (n.pattern, *_present(n.guard), *n.body),
    ir.Match: lambda n: (n.subject, *n.cases),
    ir.FunctionDefinition: lambda n: (n.function,),
    ir.ClassDefinition: lambda n: (n.definition,),
    ir.Export: lambda n: (n.value,),
    ir.Delete: lambda n: n.targets,
    ir.Assert: lambda n: _present(n.test, n.message),
    ir.Block: lambda n: n.body,
    ir.Parameter: lambda n: _present(n.default, n.annotation, n.pattern),
    ir.Function: _function,
    ir.Class: lambda n: (*n.decorators, *n.bases, *n.body),
}


def children(node: ir.Node) -> Sequence[ir.Node]:
    """The nodes right below `node`, in the order of the source (as far as the IR keeps it)."""
    getter = CHILDREN.get(type(node))
    return getter(node) if getter is not None else _NONE


def walk(*roots: ir.Node) -> Iterator[ir.Node]:
    """The roots and all below them, parents first, in order. Methods that are units of their own are left out."""
    pending = list(reversed(roots))
    while pending:
        node = pending.pop()
        yield node
        below = children(node)
        if not below:
            continue
        if isinstance(node, ir.Class):
            below = [child for child in below if not is_unit_method(child)]
        pending.extend(reversed(below))


def walk_here(*roots: ir.Node) -> Iterator[ir.Node]:
    """Like `walk`, and stays in one function: the bodies of functions and classes below are not entered."""
    pending = list(reversed(roots))
    while pending:
        node = pending.pop()
        yield node
        kind = type(node)
        if kind is ir.Function or kind is ir.Class:
            continue
        below = children(node)
        if below:
            pending.extend(reversed(below))


def is_unit_method(node: ir.Node) -> bool:
    """Whether `node` defines a method that is a unit of its own: its positions have another base."""
    return isinstance(node, ir.FunctionDefinition) and node.function.is_unit


def same(left: ir.Node | None, right: ir.Node | None) -> bool:
    """Whether two pieces of code are the same but for their place."""
    pending: list[tuple[Any, Any]] = [(left, right)]
    while pending:
        a, b = pending.pop()
        if type(a) is not type(b):
            return False
        if isinstance(a, ir.Node):
            pending.extend((getattr(a, name), getattr(b, name)) for name in _fields(type(a)))
        elif isinstance(a, list | tuple):
            if len(a) != len(b):
                return False
            pending.extend(zip(a, b, strict=True))
        elif a != b:
            return False
    return True


_FIELDS: dict[type[ir.Node], tuple[str, ...]] = {}


def _fields(kind: type[ir.Node]) -> tuple[str, ...]:
    names = _FIELDS.get(kind)
    if names is None:
        skipped = ("start", "end", "digest")
        names = tuple(name for name in kind.__dataclass_fields__ if name not in skipped)
        _FIELDS[kind] = names
    return names


def same_all(left: Sequence[ir.Node], right: Sequence[ir.Node]) -> bool:
    """Whether two lists of nodes are the same but for their places."""
    return len(left) == len(right) and all(same(a, b) for a, b in zip(left, right, strict=True))


_PLAIN = (ir.Name, ir.Attribute, ir.Constant)


def is_plain(expression: ir.Node) -> bool:
    """Whether reading `expression` twice surely gives the same: names, attributes, constant keys; no call."""
    return all(isinstance(node, _PLAIN) or type(node) is ir.Subscript for node in walk(expression))


def bodies(node: ir.Node) -> Iterable[list[ir.Statement]]:
    """The lists of statements that `node` holds directly."""
    if isinstance(node, ir.If | ir.For | ir.While):
        return (node.body, node.orelse)
    if isinstance(node, ir.Try):
        return (node.body, *(handler.body for handler in node.handlers), node.orelse, node.final)
    if isinstance(node, ir.Match):
        return [case.body for case in node.cases]
    if isinstance(node, ir.With | ir.Block | ir.Function | ir.Handler | ir.Case):
        return (node.body,)
    return ()


def statements(*roots: ir.Statement) -> Iterator[ir.Statement]:
    """The statements of one function, the nested ones included; inner functions and classes are not entered."""
    pending = list(reversed(roots))
    while pending:
        statement = pending.pop()
        yield statement
        for body in bodies(statement):
            pending.extend(reversed(body))


def leaves(body: Sequence[ir.Statement]) -> bool:
    """Whether the end of `body` is surely not reached: it returns, raises, breaks or continues."""
    pending = [body]
    while pending:
        block = pending.pop()
        if not block:
            return False
        last = block[-1]
        if isinstance(last, ir.Return | ir.Raise | ir.Break | ir.Continue):
            continue
        if isinstance(last, ir.If) and last.orelse:
            pending.extend((last.body, last.orelse))
            continue
        return False
    return True
