"""Calls: what the library models say of them, and what the workspace's own functions do.

A call is, in this order: of a workspace function (by its summary, or interpreted again on what it is
given where that says more), of a built-in container's method, of a pure function on constants, or of
a library, where the models' entries say what is a source, a sink, a step, a type, a use. What nobody
knows passes on what it is given, with doubt.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from .. import ir
from ..catalogue import (
    ArgRef,
    CallbackModel,
    Condition,
    Entry,
    HandlerModel,
    Models,
    NoReturn,
    Sink,
    Source,
    StepModel,
    TemplateModel,
    TypeModel,
    Use,
    name_words,
)
from ..finding import inferred_sink
from ..regex import is_exponential, is_narrow
from . import callbacks, containers, expressions, fields, folding, own, reflection, rendering
from .summaries import Application
from .values import (
    INFERRED,
    NONE,
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
    Taint,
    Taints,
    Trail,
    Undecorated,
    Value,
    deep_taints,
    join,
    join_taints,
)

if TYPE_CHECKING:
    from .frame import Frame

MAX_FRAMES: Final = 4
MAX_INLINED: Final = 60
SMALL: Final = 14
"""Statements up to which a function is worth interpreting again on what it is given."""

_PROTOCOL: Final = {"str": "__str__", "repr": "__repr__", "iter": "__iter__", "next": "__next__", "bytes": "__bytes__"}
"""Built-in functions that call a method of their argument."""

CALLABLE: Final = (FunctionRef, Bound, ClassRef, Closure, Partial, ModuleRef, Several)


class Arguments:
    """A call's evaluated arguments. `spread` is what `*x` and `**x` may hold, or None without any."""

    __slots__ = ("keyword", "positional", "spread")

    def __init__(self, positional: list[Value], keyword: dict[str, Value], spread: Value | None = None) -> None:
        self.positional = positional
        self.keyword = keyword
        self.spread = spread

    def all(self) -> list[Value]:
        """Every argument."""
        found = self.positional + list(self.keyword.values()) if self.keyword else self.positional
        return [*found, self.spread] if self.spread is not None else found

    def at(self, ref: ArgRef, receiver: Value) -> Value | None:
        """The argument a reference means, None when it is not given (or hidden in a spread)."""
        if ref.kind == "position":
            return self.positional[ref.position] if ref.position < len(self.positional) else None
        if ref.kind == "keyword":
            return self.keyword.get(ref.name)
        if ref.kind == "self":
            return receiver
        return self.spread if ref.kind == "spread" else None


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
            expressions.named_sink(frame, argument.name, value, argument.value)
        else:
            positional.append(value)
    return Arguments(positional, keyword, spread)


def quiet_arguments(frame: Frame, node: ir.Call) -> Arguments:
    """The arguments of a call that has been made, without effects."""
    from .tests import quiet

    positional = [quiet(frame, a.value) for a in node.arguments if a.name is None and not a.spread]
    keyword = {a.name: quiet(frame, a.value) for a in node.arguments if a.name is not None}
    return Arguments(positional, keyword)


def argument_node(node: ir.Call, ref: ArgRef) -> ir.Expression | None:
    """The expression an argument reference means in a call."""
    if ref.kind == "position":
        positional = [a.value for a in node.arguments if a.name is None and not a.spread]
        return positional[ref.position] if ref.position < len(positional) else None
    return next((a.value for a in node.arguments if a.name == ref.name), None)


# --- The call itself -------------------------------------------------------------------------------


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
        return invoke(frame, node, callee, arguments.positional, None, arguments)
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
        done = expressions.protocol(frame, node, arguments.positional[0], method, [])
        if done is not None:
            return done
    if callee.path == "super" and frame.self_class is not None:
        return frame.engine.super_of(frame, frame.self_class, arguments)
    done = reflection.call(frame, node, callee.path, arguments)
    if done is not None:
        return done
    entries = entries_for(frame, callee, receiver)
    if not entries and callee.path is not None and "." not in callee.path:
        constants = [value.const for value in arguments.positional]
        if constants and UNKNOWN not in constants and not arguments.keyword:
            const = folding.function(callee.path, constants)
            if const is not UNKNOWN:
                return Value(join_all(arguments.positional, frame), const)
    return library(frame, node, callee, receiver, arguments, entries)


def join_all(values: Iterable[Value], frame: Frame) -> Taints:
    """The taints of all, insides included."""
    taints: Taints = NONE
    for value in values:
        if value.taints or value.ref:
            taints = join_taints(taints, deep_taints(value, frame.heap))
    return taints


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


def entries_for(frame: Frame, callee: Value, receiver: Value | None) -> tuple[tuple[Entry, int], ...]:
    """What the models say of a call, each entry with how sure the match is (2 by path, 1 by name alone)."""
    path, models = callee.path, frame.models
    inferred: tuple[tuple[Entry, int], ...] = ()
    if path is not None:
        exact = models.calls.get(path)
        if exact is not None:
            found = tuple((entry, 2) for entry in exact)
            if not all(entry.inferred for entry in exact):
                return found
            inferred = found  # which silences nothing
        if not unplaced(models, path):
            return inferred
    wild = models.wild_calls.get(callee.name)
    if wild is None or receiver is None or (callee.path is not None and "." not in callee.path):
        return inferred
    words = name_words(receiver.name)
    return inferred + tuple((entry, 1) for entry in wild if entry.receiver is None or entry.receiver.search(words))


def unplaced(models: Models, path: str | None) -> bool:
    """Whether the models do not know what a path is a member of, so that its last name is all there is to go by."""
    return path is None or path.rpartition(".")[0] not in models.receivers


def library(
    frame: Frame,
    node: ir.Call,
    callee: Value,
    receiver: Value,
    arguments: Arguments,
    entries: tuple[tuple[Entry, int], ...],
) -> Value:
    """A call of something that is not in the workspace."""
    returns = _result_path(callee, node)
    taints: Taints = NONE
    stepped = typed = False
    template: rendering.TemplateRef | None = None
    called: Value | None = None
    for entry, sure in entries:
        if not holds(frame, entry, arguments, receiver):
            continue
        if isinstance(entry, Sink):
            _reach(frame, node, entry, arguments, receiver, sure)
        elif isinstance(entry, StepModel):
            stepped = True
            taints = join_taints(taints, _step(frame, node, entry, arguments, receiver))
        elif isinstance(entry, Source):
            taints = join_taints(taints, (source(frame, node, entry, callee, receiver, sure),))
        elif isinstance(entry, TypeModel):
            returns, typed = entry.returns, "." in entry.returns
        elif isinstance(entry, Use):
            frame.use(entry.kind, node, sure, entry.message)
        elif isinstance(entry, NoReturn):
            frame.alive = False
        elif isinstance(entry, TemplateModel):
            template = rendering.render(frame, node, entry, arguments, receiver) or template
        elif isinstance(entry, CallbackModel):
            called = callbacks.call(frame, node, entry, arguments, receiver) or called
        elif isinstance(entry, HandlerModel):
            for ref in entry.argument:
                handed = arguments.positional if ref.kind == "all" else [arguments.at(ref, receiver) or UNKNOWN_VALUE]
                for value in handed:
                    if value.target is not None and frame.engine.speaks_of(frame, value.target, entry, entries):
                        frame.engine.handle(frame, node, value, entry, arguments)
    if called is not None:
        return called
    if not stepped:
        told = [entry for entry, _ in entries if not entry.inferred]
        consumed = any(isinstance(entry, Sink) for entry in told)
        taints = join_taints(taints, _assumed(frame, node, callee, receiver, arguments, bool(told), consumed))
    else:
        _call_back(frame, node, receiver, arguments)
    if not entries and frame.engine.observer is not None:
        taints = join_taints(taints, frame.engine.observer.unknown(frame, node, callee))
    result = Value(taints, UNKNOWN, returns, template, 0, None, callee.name)
    if template is not None:
        return result
    constructed = node.new or (callee.name[:1].isupper() and not callee.name.isupper())
    if typed or constructed:
        return _constructed(frame, result, arguments, constructed)
    if any(isinstance(entry, Sink) for entry, _ in entries):
        return result  # a cookie that is set: no setting that is read again
    return _configured(frame, receiver, callee.name, arguments) or result


def _result_path(callee: Value, node: ir.Call) -> str | None:
    path = callee.path
    if path is None:
        return None
    last = path.rpartition(".")[2]
    if node.new or (last[:1].isupper() and not last.isupper()):
        return path
    return f"{path}()" if len(path) < expressions.MAX_PATH else None


def _constructed(frame: Frame, result: Value, arguments: Arguments, whole: bool) -> Value:
    """A library's object: it remembers the constants it was made of (`whole`: everything), and what is stored on it."""
    items: dict[Any, Value] = {str(i): v for i, v in enumerate(arguments.positional) if v.const is not UNKNOWN}
    for name, value in arguments.keyword.items():
        if value.const is not UNKNOWN or (whole and (value.taints or value.ref or value.target or value.path)):
            items[name] = value
    ref = frame.allocate(Shape("object", items, None, closed=False))
    return Value(result.taints, UNKNOWN, result.path, None, ref, None, result.name)


def _configured(frame: Frame, receiver: Value, name: str, arguments: Arguments) -> Value | None:
    """`x.set(key..., value)` on a library's object is remembered under its keys; `x.get(key...)` finds it again.

    So are `setFeature(key, value)` and the like, for the models to ask: `"self[key]"`.
    """
    given = arguments.positional
    if not receiver.ref or len(given) < 2 or not name.startswith(("set", "get")):
        return None
    shape = frame.heap.get(receiver.ref)
    if shape is None or shape.kind != "object":
        return None
    keys = [
        value.path if value.const is UNKNOWN else value.const for value in (given[:-1] if name[0] == "s" else given)
    ]
    if any(not isinstance(key, (str, int)) for key in keys):
        return None
    joined = "\0".join(map(str, keys))
    if name[0] == "s":
        containers.store(frame, receiver, joined, given[-1])
        return Value(const=None)
    return shape.items.get(joined)


def _assumed(
    frame: Frame,
    node: ir.Call,
    callee: Value,
    receiver: Value,
    arguments: Arguments,
    known: bool,
    consumed: bool,
) -> Taints:
    """What a call without a step passes on: its receiver's taint as it is, its arguments' with doubt.

    A sink consumes its arguments: what an SQL statement returns is not the statement.
    """
    _call_back(frame, node, receiver, arguments)
    taints = deep_taints(receiver, frame.heap) if receiver.ref else receiver.taints
    given = NONE if consumed else join_all(arguments.all(), frame)
    if given:
        if callee.name in containers.FILLS and isinstance(node, ir.Call) and isinstance(node.callee, ir.Attribute):
            _pour(frame, _root(node.callee.value), receiver, tuple(taint.doubt() for taint in given))
        sure = 1 if known or receiver.const is not UNKNOWN or receiver.taints else 0
        site = frame.site(node)
        through = f"passes through `{callee.name}`" if callee.name else "passes through a call"
        taints = join_taints(taints, tuple(taint.step(site, through).doubt(sure) for taint in given))
    return taints


def _call_back(frame: Frame, node: ir.Call, receiver: Value, arguments: Arguments) -> None:
    """Functions handed to a library that has tainted data are called with it."""
    for value in arguments.positional:
        if isinstance(value.target, Closure):
            taints = deep_taints(receiver, frame.heap) if receiver.ref else receiver.taints
            if taints:
                invoke(frame, node, value, [Value(taints)], None)


def _reach(frame: Frame, node: ir.Node, entry: Sink, arguments: Arguments, receiver: Value, sure: int) -> None:
    if entry.inferred:
        sure = INFERRED
    for ref in entry.arguments:
        if ref.kind == "all":
            for value in arguments.all():
                expressions.sink(frame, entry.kind, value, node, sure, entry.shallow)
            continue
        found = arguments.at(ref, receiver)
        if found is None and ref.kind == "position" and arguments.spread is not None:
            found = arguments.spread
        if found is None:
            continue
        found = within(frame, found, ref)
        if found is None:
            continue
        if entry.inferred:
            site, said = frame.site(node), inferred_sink(entry.paths[0], entry.kind, ref.name or str(ref.position))
            found = Value(tuple(taint.step(site, said) for taint in deep_taints(found, frame.heap)))
        expressions.sink(frame, entry.kind, found, node, sure, entry.shallow)
        return


def _step(frame: Frame, node: ir.Call, entry: StepModel, arguments: Arguments, receiver: Value) -> Taints:
    taints: Taints = NONE
    for ref in entry.inputs:
        if ref.kind == "all":
            taints = join_taints(taints, join_all(arguments.all(), frame))
        else:
            value = arguments.at(ref, receiver)
            if value is not None:
                taints = join_taints(taints, deep_taints(value, frame.heap) if value.ref else value.taints)
    if not taints:
        return NONE
    if entry.clears:
        taints = tuple(taint.clear(entry.clears) for taint in taints)
    if entry.crumb:
        site = frame.site(node)
        taints = tuple(taint.step(site, f"passes through {entry.crumb}") for taint in taints)
    if entry.adds:
        added = tuple(
            Taint(kind, frame.site(node), excerpt(frame, node), frozenset(), None, 2) for kind in sorted(entry.adds)
        )
        taints = join_taints(taints, added)
    result: Taints = NONE
    for ref in entry.outputs:
        if ref.kind == "return":
            result = taints
        elif ref.kind == "self" and isinstance(node.callee, ir.Attribute):
            _pour(frame, node.callee.value, receiver, taints)
        else:
            place, value = argument_node(node, ref), arguments.at(ref, receiver)
            if place is not None and value is not None:
                _pour(frame, place, value, taints)
    return result


def _root(place: ir.Expression) -> ir.Expression:
    """The variable that a place inside it belongs to, if there is one."""
    root = place
    while isinstance(root, (ir.Subscript, ir.Attribute)):
        root = root.value
    return root if isinstance(root, ir.Name) and isinstance(place, ir.Subscript) else place


def _pour(frame: Frame, place: ir.Expression, value: Value, taints: Taints) -> None:
    """Data goes into something that exists: a buffer, a builder, a record."""
    shape = frame.heap.get(value.ref) if value.ref else None
    if shape is not None and shape.kind == "parameter":
        containers.store(frame, value, UNKNOWN, Value(taints))
    elif isinstance(place, ir.Name):
        frame.write(place.id, value.tainted(join_taints(value.taints, taints)))
    elif value.ref:
        containers.store(frame, value, UNKNOWN, Value(taints))


def source(frame: Frame, node: ir.Node, entry: Source, value: Value, receiver: Value, sure: int) -> Taint:
    """The taint of a source met at `node`."""
    site = frame.site(node)
    label = excerpt(frame, node)
    crumb = entry.crumb or entry.description or "data from outside"
    return Taint(entry.kind, site, label, entry.clears, Trail(None, site, crumb), INFERRED if entry.inferred else sure)


def excerpt(frame: Frame, node: ir.Node) -> str:
    """A node's text, on one line and short."""
    text = " ".join(frame.engine.text(frame.source, frame.unit, node).split())
    return text if len(text) <= 60 else text[:57] + "..."


def within(frame: Frame, value: Value, ref: ArgRef) -> Value | None:
    """What lies in an argument at the keys a reference names; None where there is none."""
    for key in ref.keys:
        shape = frame.heap.get(value.ref) if value.ref else None
        found = shape.items.get(key) if shape is not None else None
        if found is None and shape is not None and key.isdigit():
            found = shape.items.get(int(key))
        if found is None:
            return None
        value = found
    return value


# --- Conditions of entries -------------------------------------------------------------------------


def holds(frame: Frame, entry: Entry, arguments: Arguments, receiver: Value) -> bool:
    """Whether an entry's `when` and `unless` let it speak here."""
    for condition in entry.when:
        if not _satisfied(frame, condition, arguments, receiver):
            return False
    return not any(_satisfied(frame, condition, arguments, receiver) for condition in entry.unless)


def _satisfied(frame: Frame, condition: Condition, arguments: Arguments, receiver: Value) -> bool:
    operator = condition.operator
    if operator == "any":
        return any(_satisfied(frame, inner, arguments, receiver) for inner in condition.alternatives)
    value: Value | None = None
    for ref in condition.arguments:
        if ref.kind == "keyword" and ref.name == "route":
            value = Value(const="literal") if frame.route == "literal" else None
        else:
            value = arguments.at(ref, receiver)
            if value is not None and ref.keys:
                value = within(frame, value, ref)
        if value is not None:
            break
    if value is None:
        return operator == "absent" and arguments.spread is None
    const = value.const
    if operator == "is":
        return any(type(const) is type(known) and const == known for known in condition.values) or (
            value.path is not None and value.path in condition.values
        )
    if operator == "unknown":
        return const is UNKNOWN
    if operator == "exponential":
        return isinstance(const, str) and is_exponential(const)
    if operator == "narrow":
        return isinstance(const, str) and is_narrow(const)
    if operator == "text":
        return isinstance(const, str) and bool(const)
    if operator == "template":
        return isinstance(value.target, rendering.TemplateRef)
    if operator == "tainted":
        return bool(deep_taints(value, frame.heap))
    if operator == "absent" or isinstance(const, bool) or not isinstance(const, (int, float)):
        return False
    return bool(folding.compare(operator, const, condition.values[0]))


# --- Attributes and assignments in the models ------------------------------------------------------


def read_attribute(
    frame: Frame, node: ir.Node, value: Value, entries: tuple[Entry, ...], receiver: Value, wild: bool
) -> Value:
    """What entries say of reading an attribute."""
    taints, path, ref = value.taints, value.path, value.ref
    words = name_words(receiver.name) if wild else ""
    for entry in entries:
        if entry.receiver is not None and not entry.receiver.search(words):
            continue
        if not holds(frame, entry, Arguments([], {}), receiver):
            continue
        if isinstance(entry, Source):
            taint = source(frame, node, entry, value, receiver, 1 if wild else 2)
            record = fields.record(frame, receiver.target, taint) if entry.fields else None
            if record is not None:  # it says all there is to say of what the form was made of
                taints, ref = NONE, record.ref
            else:
                taints = join_taints(taints, (taint,))
        elif isinstance(entry, TypeModel):
            path = entry.returns
        elif isinstance(entry, StepModel):
            taints = tuple(taint.clear(entry.clears) for taint in taints) if entry.clears else taints
        elif isinstance(entry, Use):
            frame.use(entry.kind, node, 1 if wild else 2, entry.message)
    return Value(taints, value.const, path, value.target, ref, None, value.name)


def assigned(frame: Frame, target: ir.Node, origin: ir.Node, path: str, value: Value) -> None:
    """An assignment to an access path the models know."""
    _assigned(frame, target, frame.models.assigns.get(path, ()), value, UNKNOWN_VALUE, 2)


def assigned_attribute(
    frame: Frame, target: ir.Attribute, origin: ir.Node, receiver: Value, name: str, value: Value
) -> None:
    """`receiver.name = value`."""
    path = receiver.path or (frame.engine.library_base(receiver.target) if receiver.target is not None else None)
    if path is not None:
        _assigned(frame, target, frame.models.assigns.get(f"{path}.{name}", ()), value, receiver, 2)
    else:
        _assigned(frame, target, frame.models.wild_assigns.get(name, ()), value, receiver, 1)


def assigned_item(
    frame: Frame, target: ir.Subscript, origin: ir.Node, receiver: Value, key: Value, value: Value
) -> None:
    """`receiver[key] = value`. Under `[*]` the key is judged with the value."""
    models = frame.models
    if receiver.path is not None:
        _assigned(frame, target, models.assigns.get(f"{receiver.path}[{key.const}]", ()), value, receiver, 2)
        both = value.tainted(join_taints(value.taints, key.taints)) if key.taints else value
        _assigned(frame, target, models.assigns.get(f"{receiver.path}[*]", ()), both, receiver, 2)
    elif isinstance(key.const, str):
        _assigned(frame, target, models.wild_assigns.get(f"{receiver.name}[{key.const}]", ()), value, receiver, 1)


def _assigned(
    frame: Frame, target: ir.Node, entries: tuple[Entry, ...], value: Value, receiver: Value, sure: int
) -> None:
    if not entries:
        return
    words = name_words(receiver.name)
    arguments = Arguments([value], {})
    for entry in entries:
        if entry.receiver is not None and not entry.receiver.search(words):
            continue
        if not holds(frame, entry, arguments, receiver):
            continue
        if isinstance(entry, Sink):
            expressions.sink(frame, entry.kind, value, target, sure, entry.shallow)
        elif isinstance(entry, Use):
            frame.use(entry.kind, target, sure, entry.message)


# --- The workspace's own functions -----------------------------------------------------------------


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


def bound_parameters(frame: Frame, function: ir.Function, given: Arguments) -> dict[int, Value]:
    """Which parameter gets which argument, by index. `*rest` and `**rest` get containers."""
    values: dict[int, Value] = {}
    left = list(given.positional)
    named = dict(given.keyword)
    for index, parameter in enumerate(function.parameters):
        if parameter.kind == "*":
            if left or given.spread is not None:
                rest = given.spread
                values[index] = containers.make(frame, "list", dict(enumerate(left)), rest, rest is None)
                left = []
        elif parameter.kind == "**":
            if named or given.spread is not None:
                values[index] = containers.make(frame, "dict", dict(named), given.spread, given.spread is None)
                named = {}
        elif parameter.name and parameter.name in named and parameter.kind != "only-positional":
            values[index] = named.pop(parameter.name)
        elif left and parameter.kind != "only-keyword":
            values[index] = left.pop(0)
        elif given.spread is not None:
            values[index] = given.spread
    return values


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
    if (variant is None or isinstance(variant, ClassRef)) and _worth_inlining(frame, info.function, arguments):
        return inline(frame, node, info.function, given, ref=ref, bound=arguments)
    summary = frame.engine.summary(frame, ref, variant)
    if summary is None:
        return UNKNOWN_VALUE
    if isinstance(summary.returns.target, Closure):  # its variables are symbols of that call: it is made here anew
        return inline(frame, node, info.function, given, ref=ref, bound=arguments)
    result = Application(frame, ref, arguments, frame.site(node)).apply(summary)
    if summary.ensures and isinstance(node, ir.Call):
        from .tests import clear_arguments

        bound = len(given.positional) - sum(1 for a in node.arguments if a.name is None and not a.spread)
        clear_arguments(frame, node, info.function, max(bound, 0), summary.ensures)
    return result


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
        if isinstance(entry, Sink) and holds(frame, entry, given, value):
            _reach(frame, node, entry, given, value, 2)
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
    loose = given.positional[len(fields) :]
    taints = join_all([*loose, *([given.spread] if given.spread is not None else [])], frame)
    return value.tainted(tuple(taint.doubt() for taint in taints)) if taints else value
