"""What the library models say of calls, attributes and assignments: sources, sinks, steps, types, uses.

What nobody knows passes on what it is given, with doubt.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ir
from ..catalogue import (
    CallbackModel,
    Entry,
    Guard,
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
from . import callbacks, conditions, containers, fields, invocation, narrowing, rendering, sinks
from .arguments import Arguments, argument_node, join_all
from .taints import INFERRED, NONE, Taint, Taints, Trail, join_taints
from .values import MAX_PATH, UNKNOWN, UNKNOWN_VALUE, Closure, Shape, Value, deep_taints

if TYPE_CHECKING:
    from .frame import Frame


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


def call(
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
        if not conditions.holds(frame, entry, arguments, receiver):
            continue
        if isinstance(entry, Sink):
            _reach(frame, node, entry, arguments, receiver, sure)
        elif isinstance(entry, StepModel):
            stepped = True
            passed = _step(frame, node, entry, arguments, receiver)
            if entry.fields and passed:
                called = fields.record(frame, receiver.target, passed) or called
            taints = join_taints(taints, passed)
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
        elif isinstance(entry, Guard):
            for ref in entry.subject if entry.raises else ():
                place = argument_node(node, ref)
                if place is not None:
                    narrowing.guarded(frame, entry, place)
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
        return _constructed(frame, result, arguments, constructed, receiver)
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
    return f"{path}()" if len(path) < MAX_PATH else None


def _constructed(frame: Frame, result: Value, arguments: Arguments, whole: bool, maker: Value) -> Value:
    """A library's object: it remembers the constants it was made of (`whole`: everything), the object whose method made it,
    and what is stored on it."""
    items: dict[Any, Value] = {str(i): v for i, v in enumerate(arguments.positional) if v.const is not UNKNOWN}
    for name, value in arguments.keyword.items():
        if value.const is not UNKNOWN or (whole and (value.taints or value.ref or value.target or value.path)):
            items[name] = value
    made_of = frame.heap.get(maker.ref) if maker.ref else None
    if made_of is not None and made_of.kind == "object" and "0" in made_of.items:
        items["self"] = Value(ref=maker.ref)
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
                invocation.invoke(frame, node, value, [Value(taints)], None)


def _reach(frame: Frame, node: ir.Node, entry: Sink, arguments: Arguments, receiver: Value, sure: int) -> None:
    if entry.inferred:
        sure = INFERRED
    for ref in entry.arguments:
        if ref.kind == "all":
            for value in arguments.all():
                sinks.reach(frame, entry.kind, value, node, sure, entry.shallow)
            continue
        found = arguments.at(ref, receiver)
        if found is None and ref.kind == "position" and arguments.spread is not None:
            found = arguments.spread
        if found is None:
            continue
        found = conditions.within(frame, found, ref)
        if found is None:
            continue
        if entry.until and found.ref:
            found = _until(frame, found, entry.until)
        if entry.inferred:
            site, said = frame.site(node), inferred_sink(entry.paths[0], entry.kind, ref.name or str(ref.position))
            found = Value(tuple(taint.step(site, said) for taint in deep_taints(found, frame.heap)))
        sinks.reach(frame, entry.kind, found, node, sure, entry.shallow)
        return


def _until(frame: Frame, value: Value, last: str) -> Value:
    """Of a list whose items are known, those before a constant: behind `--` no argument is an option."""
    items = containers.positions(frame, value) or []
    for at, item in enumerate(items):
        if item.const == last:
            return containers.make(frame, "list", dict(enumerate(items[:at])), None, True)
    return value


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


def read(frame: Frame, node: ir.Node, value: Value, entries: tuple[Entry, ...], receiver: Value, wild: bool) -> Value:
    """What entries say of reading an attribute."""
    taints, path, ref = value.taints, value.path, value.ref
    words = name_words(receiver.name) if wild else ""
    for entry in entries:
        if entry.receiver is not None and not entry.receiver.search(words):
            continue
        if not conditions.holds(frame, entry, Arguments([], {}), receiver):
            continue
        if isinstance(entry, Source):
            taint = source(frame, node, entry, value, receiver, 1 if wild else 2)
            if receiver.ref:
                taint = taint.clear(fields.cleared(frame, receiver, frame.heap.get(receiver.ref)))
            record = fields.record(frame, receiver.target, (taint,)) if entry.fields else None
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
        if not conditions.holds(frame, entry, arguments, receiver):
            continue
        if isinstance(entry, Sink):
            sinks.reach(frame, entry.kind, value, target, sure, entry.shallow)
        elif isinstance(entry, Use):
            frame.use(entry.kind, target, sure, entry.message)
