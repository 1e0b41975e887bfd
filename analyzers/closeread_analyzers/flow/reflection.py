"""Functions of a language's own whose effect no library model can say: they reach into objects, or make callables.

A table by access path, as models know it. Deliberately absent: names that are not constant (the call is then one
of a library, and data flows through it).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from .. import ir
from . import containers, expressions, protocols, tests
from .values import UNKNOWN_VALUE, Value

if TYPE_CHECKING:
    from .arguments import Arguments
    from .frame import Frame


_ITEM: Final = "filter()"
"""What an item is called that a function named elsewhere looks at: no variable's name."""


def call(frame: Frame, node: ir.Call, path: str | None, given: Arguments) -> Value | None:
    """The call's value if it is of such a function, done; else None."""
    function = _FUNCTIONS.get(path) if path is not None else None
    if function is None or given.spread is not None:
        return None
    return function(frame, node, given)


def _get(frame: Frame, node: ir.Call, given: Arguments) -> Value | None:
    """`getattr(x, "name")`."""
    if len(given.positional) != 2 or not isinstance(given.positional[1].const, str):
        return None
    return expressions.attribute(frame, node, given.positional[0], given.positional[1].const)


def _set(frame: Frame, node: ir.Call, given: Arguments) -> Value | None:
    """`setattr(x, "name", value)`."""
    if len(given.positional) != 3 or not isinstance(given.positional[1].const, str) or not given.positional[0].ref:
        return None
    containers.store(frame, given.positional[0], given.positional[1].const, given.positional[2])
    return Value(const=None)


def _mapping(frame: Frame, node: ir.Call, given: Arguments) -> Value | None:
    """`dict(a=1)`: a display written as a call."""
    if given.positional or not given.keyword:
        return None
    return containers.make(frame, "dict", dict(given.keyword), None, True)


def _enumerate(frame: Frame, node: ir.Call, given: Arguments) -> Value | None:
    """`enumerate(x)`: pairs of a number, which nobody chooses, and an item."""
    if not given.positional:
        return None
    known = containers.positions(frame, given.positional[0])
    if known is not None:
        pairs = {index: _pair(frame, Value(const=index), item) for index, item in enumerate(known)}
        return containers.make(frame, "list", dict(pairs), None, True)
    item = protocols.element(frame, given.positional[0], False, node)
    return containers.make(frame, "list", {}, _pair(frame, UNKNOWN_VALUE, item), False)


def _zip(frame: Frame, node: ir.Call, given: Arguments) -> Value | None:
    """`zip(a, b)`: tuples of an item of each."""
    items = [protocols.element(frame, value, False, node) for value in given.positional]
    return containers.make(frame, "list", {}, _pair(frame, *items), False) if items else None


def _filter(frame: Frame, node: ir.Call, given: Arguments) -> Value | None:
    """`filter(test, x)`: of the items of x, those of which the test is true."""
    if len(given.positional) != 2 or len(node.arguments) != 2:
        return None
    item = protocols.element(frame, given.positional[1], False, node)
    test = node.arguments[0].value
    if not item.taints or not isinstance(test, (ir.FunctionExpression, ir.Name, ir.Attribute)):
        return None
    name = ir.Name(node.start, node.end, _ITEM)
    condition: ir.Expression
    if isinstance(test, ir.FunctionExpression):
        body, parameters = test.function.body, test.function.parameters
        if len(parameters) != 1 or len(body) != 1 or not isinstance(body[0], ir.Return) or body[0].value is None:
            return None
        name.id, condition = parameters[0].name, body[0].value
    elif isinstance(test, ir.Attribute) and isinstance(test.value, ir.Name) and test.value.id == "str":
        condition = ir.Call(node.start, node.end, ir.Attribute(node.start, node.end, name, test.name), [])
    else:
        condition = ir.Call(node.start, node.end, test, [ir.Argument(node.start, node.end, name)])
    before = frame.save()
    frame.variables[name.id] = item
    tests.assume(frame, condition, True)
    left = frame.variables[name.id]
    frame.restore(before)
    return containers.make(frame, "list", {}, left, False)


def _pair(frame: Frame, *items: Value) -> Value:
    return containers.make(frame, "list", dict(enumerate(items)), None, True)


_FUNCTIONS: Final[dict[str, Callable[[Any, ir.Call, Any], Value | None]]] = {
    "getattr": _get,
    "setattr": _set,
    "dict": _mapping,
    "enumerate": _enumerate,
    "filter": _filter,
    "zip": _zip,
}
