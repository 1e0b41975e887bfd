"""Calls: which of all it could be called is.

In this order: a workspace function (invocation.py), a built-in container's method, a pure function on constants, or
something of a library (library.py).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import ir
from . import containers, expressions, folding, invocation, library, own, protocols, reflection, sinks
from .arguments import Arguments, join_all
from .taints import join_taints
from .values import (
    UNKNOWN,
    Bound,
    ClassRef,
    Closure,
    FunctionRef,
    ModuleRef,
    Partial,
    Several,
    Value,
    deep_taints,
    join,
)

if TYPE_CHECKING:
    from .frame import Frame

_PROTOCOL: Final = {"str": "__str__", "repr": "__repr__", "iter": "__iter__", "next": "__next__", "bytes": "__bytes__"}
"""Built-in functions that call a method of their argument."""

CALLABLE: Final = (FunctionRef, Bound, ClassRef, Closure, Partial, ModuleRef, Several)


def evaluated(frame: Frame, node: ir.Call) -> Arguments:
    """The arguments of a call, evaluated in order."""
    positional: list[Value] = []
    keyword: dict[str, Value] = {}
    spread: Value | None = None
    for argument in node.arguments:
        value = expressions.evaluate(frame, argument.value)
        if argument.spread:
            known = containers.positions(frame, value) if argument.spread == "*" else None
            shape = frame.heap.get(value.ref) if value.ref else None
            if known is not None and spread is None:
                positional += known
            elif shape is not None and shape.kind == "dict" and shape.closed:
                keyword.update({key: item for key, item in shape.items.items() if isinstance(key, str)})
            else:
                inner = Value(deep_taints(value, frame.heap))
                spread = inner if spread is None else join(spread, inner, frame.heap)
        elif argument.name is not None:
            keyword[argument.name] = value
            sinks.named(frame, argument.name, value, argument.value)
        else:
            positional.append(value)
    return Arguments(positional, keyword, spread)


def call(frame: Frame, node: ir.Call, callee: Value, receiver: Value) -> Value:
    """The value of a call whose callee (and the receiver it was read from) is evaluated."""
    arguments = evaluated(frame, node)
    name = callee.name
    if frame.engine.observer is not None:
        frame.engine.observer.called(frame, node, callee, receiver, arguments)
    if callee.target is not None:
        if callee.path == "super":
            return callee
        if frame.models.own:
            return own.call(frame, node, callee, receiver, arguments)
        return invocation.invoke(frame, node, callee, arguments.positional, None, arguments)
    if receiver.ref:
        given = arguments.positional
        if name == "update" and arguments.keyword:
            given = [*given, containers.make(frame, "dict", dict(arguments.keyword), None, True)]
        done = containers.method(frame, receiver, name, given)
        if done is not None:
            return done
    if receiver.const is not UNKNOWN and folding.is_text_method(name):
        folded = _folded_method(frame, receiver, name, arguments)
        if folded is not None:
            return folded
    if arguments.positional and (method := _PROTOCOL.get(callee.path or "")):
        done = protocols.call(frame, node, arguments.positional[0], method, [])
        if done is not None:
            return done
    if callee.path == "super" and frame.self_class is not None:
        return frame.engine.super_of(frame, frame.self_class, arguments)
    done = reflection.call(frame, node, callee.path, arguments)
    if done is not None:
        return done
    entries = library.entries_for(frame, callee, receiver)
    if not entries and callee.path is not None and "." not in callee.path:
        constants = [value.const for value in arguments.positional]
        if constants and UNKNOWN not in constants and not arguments.keyword:
            const = folding.function(callee.path, constants)
            if const is not UNKNOWN:
                return Value(join_all(arguments.positional, frame), const)
    return library.call(frame, node, callee, receiver, arguments, entries)


def _folded_method(frame: Frame, receiver: Value, name: str, arguments: Arguments) -> Value | None:
    given = arguments.positional
    if name == "join" and given and given[0].ref:
        known = containers.positions(frame, given[0])
        if known is not None and all(isinstance(item.const, str) for item in known):
            return Value(join_all(given, frame), folding.method(receiver.const, "join", [[i.const for i in known]]))
        return None
    if arguments.keyword or arguments.spread is not None or any(value.const is UNKNOWN for value in given):
        return None
    const = folding.method(receiver.const, name, [value.const for value in given])
    taints = join_taints(receiver.taints, join_all(given, frame))
    if isinstance(const, (list, tuple)):
        return containers.make(frame, "list", {i: Value(taints, part) for i, part in enumerate(const)}, None, True)
    return None if const is UNKNOWN else Value(taints, const)
