"""Methods that the language calls by itself: iteration, `with`, exceptions that are caught."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import ir
from . import containers, invocation, library
from .values import MAX_PATH, UNKNOWN, UNKNOWN_VALUE, Bound, Instance, Value

if TYPE_CHECKING:
    from .frame import Frame

MAX_UNROLLED: Final = 8


def unrolled(frame: Frame, iterable: Value) -> list[Value] | None:
    """The items of a short list that is wholly known, where walking them one by one says more."""
    items = containers.positions(frame, iterable)
    if items is None or not 0 < len(items) <= MAX_UNROLLED:
        return None
    if all(item_.const is not UNKNOWN or item_.ref for item_ in items):
        return items
    return None


def element(frame: Frame, iterable: Value, keys: bool, node: ir.Node) -> Value:
    """What iterating gives: any of the items (or, for `keys`, any of the keys)."""
    if iterable.target is not None:
        for name in ("__iter__", "__aiter__"):
            gives = call(frame, node, iterable, name, [])
            if gives is not None and gives.ref != iterable.ref:
                return element(frame, gives, False, node)
        for name in ("__next__", "__anext__"):
            found = call(frame, node, iterable, name, [])
            if found is not None:
                return found
    if iterable.ref:
        found = containers.any_item(frame, iterable, keys)
        if found is not None:
            return found
    if keys and iterable.ref:
        return UNKNOWN_VALUE
    path = f"{iterable.path}[]" if iterable.path is not None and len(iterable.path) < MAX_PATH else None
    return Value(iterable.taints, UNKNOWN, path, None, 0, None, iterable.name)


def call(frame: Frame, node: ir.Node, value: Value, name: str, given: list[Value]) -> Value | None:
    """What the method gives that the language calls for an operator, if the workspace has it."""
    if not isinstance(value.target, Instance):
        return None
    method = frame.engine.member(frame, value.target, name, value)
    if method is None or not isinstance(method.target, Bound):
        return None
    return invocation.invoke(frame, node, method, given, None)


def left(frame: Frame, item_: ir.WithItem, context: Value) -> None:
    """The end of `with context`: `__exit__` is called."""
    for name in ("__exit__", "__aexit__"):
        call(frame, item_, context, name, [])


def entered(frame: Frame, item_: ir.WithItem, context: Value) -> Value:
    """What `with context as x` binds: a workspace class's `__enter__` result, else the context itself."""
    for name in ("__enter__", "__aenter__"):
        found = call(frame, item_, context, name, [])
        if found is not None:
            return found
    return context


def caught(frame: Frame, handler: ir.Handler) -> Value:
    """An exception bound by a handler. `<caught>` is the path of every caught exception in the models."""
    value = Value(path="<caught>", name=handler.name or "")
    return library.read(frame, handler, value, frame.models.attributes.get("<caught>", ()), value, False)
