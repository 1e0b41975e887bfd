"""Calls of the workspace's own functions and classes.

By the function's summary, or by interpreting it again on what it is given, where that says more.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from .. import ir
from ..catalogue import Sink, StepModel
from . import conditions, containers, library, narrowing
from .arguments import Arguments, bound_parameters, join_all
from .summaries import Application, Vouched
from .taints import join_taints
from .values import (
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    ClassRef,
    Closure,
    FunctionRef,
    Instance,
    ModuleRef,
    Partial,
    Several,
    Shape,
    Undecorated,
    Value,
    deep_taints,
    join,
)

if TYPE_CHECKING:
    from .frame import Frame

MAX_FRAMES: Final = 4
MAX_INLINED: Final = 60

SMALL: Final = 14
"""Statements up to which a function is worth interpreting again on what it is given."""


def invoke(
    frame: Frame,
    node: ir.Node,
    callee: Value,
    positional: list[Value],
    receiver: Value | None,
    arguments: Arguments | None = None,
) -> Value:
    """A call of something in the workspace."""
    given = arguments if arguments is not None else Arguments(positional, {})
    target = callee.target
    if isinstance(target, Bound):
        return _function(
            frame, node, target.function, Arguments([target.receiver, *given.positional], given.keyword, given.spread)
        )
    if isinstance(target, FunctionRef):
        return _function(frame, node, target, given)
    if isinstance(target, Several):
        results = [invoke(frame, node, Value(target=one), positional, None, given) for one in target.targets]
        return functools.reduce(lambda left, right: join(left, right, frame.heap), results)
    if isinstance(target, Undecorated):
        return _function(frame, node, target.function, given, plain=True)
    if isinstance(target, Closure):
        if target.receiver is not None and target.function.parameters and target.function.parameters[0].name == "this":
            given = Arguments([target.receiver, *given.positional], given.keyword, given.spread)
        return inline(frame, node, target.function, given, closure=target)
    if isinstance(target, ClassRef):
        return _instance(frame, node, target, given, callee)
    if isinstance(target, Partial):
        return invoke(
            frame,
            node,
            target.callee,
            [],
            None,
            Arguments([*target.arguments, *given.positional], {**target.keyword, **given.keyword}, given.spread),
        )
    if isinstance(target, Instance):
        method = frame.engine.member(frame, target, "__call__", callee)
        if method is not None and isinstance(method.target, Bound):
            return invoke(frame, node, method, positional, None, given)
    if isinstance(target, ModuleRef):
        for name in ("*", "default"):
            whole = frame.engine.exported(frame, target.path, name)
            if whole is not None and whole.target is not None and whole.target != target:
                return invoke(frame, node, whole, positional, None, given)
    taints = join_taints(callee.taints, tuple(taint.doubt(0) for taint in join_all(given.all(), frame)))
    return Value(taints)


def _function(frame: Frame, node: ir.Node, ref: FunctionRef, given: Arguments, plain: bool = False) -> Value:
    info = frame.engine.function(frame, ref)
    if info is None:
        return UNKNOWN_VALUE
    arguments = bound_parameters(frame, info.function, given)
    if (
        frame.engine.static(info)
        and arguments
        and given.positional
        and isinstance(given.positional[0].target, (Instance, ClassRef))
    ):
        arguments = bound_parameters(frame, info.function, Arguments(given.positional[1:], given.keyword, given.spread))
    variant = None if plain else frame.engine.variant(info, arguments.get(0))
    inlined = (variant is None or isinstance(variant, ClassRef)) and _worth_inlining(frame, info.function, arguments)
    summary = frame.engine.summary(frame, ref, variant)
    if summary is None:
        return UNKNOWN_VALUE
    # A closure's variables are symbols of that call: it is made here anew.
    if inlined or isinstance(summary.returns.target, Closure):
        result = inline(frame, node, info.function, given, ref=ref, bound=arguments)
    else:
        result = Application(frame, ref, arguments, frame.site(node)).apply(summary)
    if summary.ensures and isinstance(node, ir.Call):
        bound = len(given.positional) - sum(1 for a in node.arguments if a.name is None and not a.spread)
        narrowing.vouch(frame, node, info.function, max(bound, 0), summary.ensures)
        _vouch_inside(frame, arguments, summary.ensures)
    return result


def _vouch_inside(frame: Frame, arguments: dict[int, Value], ensures: tuple[Vouched, ...]) -> None:
    """What a function has looked at inside the objects it was given: a `__post_init__`, a `validate(self)`."""
    for place, clears, attribute in ensures:
        value = arguments.get(place) if attribute else None
        shape = frame.heap.get(value.ref) if value is not None and value.ref else None
        if value is not None and shape is not None and shape.kind == "object" and attribute in shape.items:
            containers.store(frame, value, attribute, shape.items[attribute].clear(clears))


def _worth_inlining(frame: Frame, function: ir.Function, arguments: dict[int, Value]) -> bool:
    if frame.depth >= MAX_FRAMES or frame.record.inlined >= MAX_INLINED or frame.engine.is_running(function):
        return False
    tainted = constant = False
    for value in arguments.values():
        if isinstance(value.target, Closure):
            return True
        if isinstance(value.target, (FunctionRef, Bound)) and frame.engine.size(function) <= SMALL:
            return True
        if isinstance(value.target, Instance) and frame.engine.size(function) <= SMALL and _was_given(frame, value):
            return True
        # Symbols alone are what the summary is made of: interpreting it again on them says nothing new.
        tainted = tainted or any(t.kind for t in (deep_taints(value, frame.heap) if value.ref else value.taints))
        constant = constant or (value.const is not UNKNOWN and value.const is not None) or value.ref != 0
    return tainted and constant and frame.engine.size(function) <= SMALL


def _was_given(frame: Frame, value: Value) -> bool:
    """Whether an object was given what its methods call: a function, or another object, that its class does not know of."""
    shape = frame.heap.get(value.ref) if value.ref else None
    if shape is None or shape.kind != "object":
        return False
    for name, item in shape.items.items():
        if isinstance(item.target, (Closure, FunctionRef, Undecorated)):
            return True
        if isinstance(item.target, Instance):
            field = frame.engine.field(frame, value.target.cls, name)
            if field is None or field.target is None:
                return True
    return False


def inline(
    frame: Frame,
    node: ir.Node,
    function: ir.Function,
    given: Arguments,
    closure: Closure | None = None,
    ref: FunctionRef | None = None,
    bound: dict[int, Value] | None = None,
) -> Value:
    """Interpret a function on what it is given, in the caller's heap."""
    record = frame.record
    if frame.depth >= MAX_FRAMES or record.inlined >= MAX_INLINED or frame.engine.is_running(function):
        return Value(tuple(taint.doubt(0) for taint in join_all(given.all(), frame)))
    record.inlined += 1
    arguments = bound if bound is not None else bound_parameters(frame, function, given)
    name = function.name or "a function"
    site = frame.site(node)
    passed = {
        index: value.tainted(tuple(taint.step(site, f"passed to `{name}`") for taint in value.taints))
        if value.taints
        else value
        for index, value in arguments.items()
    }
    return frame.engine.run_inline(frame, function, passed, closure, ref)


def _instance(frame: Frame, node: ir.Node, cls: ClassRef, given: Arguments, callee: Value) -> Value:
    """A new object of a workspace class: its constructor is called, or its fields are filled by name and place."""
    ref = frame.allocate(Shape("object", {}, None, closed=False))
    value = Value(target=Instance(cls), ref=ref, path=frame.engine.library_base(Instance(cls)), name=cls.name)
    cleared: frozenset[str] = frozenset()
    for entry in frame.models.calls.get(value.path, ()) if value.path is not None else ():
        if isinstance(entry, Sink) and conditions.holds(frame, entry, given, value):
            library._reach(frame, node, entry, given, value, 2)
        elif isinstance(entry, StepModel) and entry.barrier:
            cleared |= entry.clears
    constructor = frame.engine.constructor(frame, cls)
    if constructor is not None:
        _function(frame, node, constructor, Arguments([value, *given.positional], given.keyword, given.spread))
        return value
    if cleared:
        given = Arguments([one.clear(cleared) for one in given.positional], {}, None)
    fields = frame.engine.fields_in_order(frame, cls)
    items = dict(zip(fields, given.positional, strict=False)) | given.keyword
    if items:
        frame.heap[ref] = Shape("object", dict(items), None, closed=False)
        checked = frame.engine.member(frame, value.target, "__post_init__", value)
        if checked is not None:
            invoke(frame, node, checked, [], None)
    loose = given.positional[len(fields) :]
    taints = join_all([*loose, *([given.spread] if given.spread is not None else [])], frame)
    return value.tainted(tuple(taint.doubt() for taint in taints)) if taints else value
