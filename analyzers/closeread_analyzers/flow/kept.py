"""What outlives a call: fields of objects and stores of modules, written by one function and read by another.

A summary speaks of both in symbols: what a method reads of its object is its first parameter's, what a function reads of
a module-level container that functions change is `Parameter(STORE, ...)`; what they write are effects. `together` puts the
summaries of all methods of a class, and of all functions of a file, side by side: what any of them leaves behind, any other
may find, in whatever order they are called. So no function waits for another one's answer, and there are no new circles.

Deliberately absent: which object it is, the order of calls, and stores that only files write which neither define them nor
read them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from . import syntax
from .frame import Frame, Record, StoreKey
from .summaries import Effect, SinkHit, Summary, inside
from .taints import STORE, Parameter, Site, Taint, Taints, Trail, join_taints, joined
from .values import UNKNOWN, ClassRef, FunctionRef, Instance, Shape, Value, deep_taints, freeze, join_frozen, thaw

if TYPE_CHECKING:
    from .classes import Outline
    from .engine import Engine
    from .scopes import Source

MAX_WRITES: Final = 16
"""Effects on one store that are looked at."""


# --- Stores, in one function -----------------------------------------------------------------------


def read(frame: Frame, key: StoreKey, value: Value) -> Value:
    """A store's value as a function finds it: what the module's body left in it, and whatever others put in."""
    root = frame.root
    if root.function is None:
        return thaw(value, frame.heap)  # the module's own body, in order
    known = root.stores.get(key)
    if known is not None and (not known.ref or known.ref in frame.heap):
        return known
    symbol = Taint("", Parameter(STORE, (key,)), key[1], frozenset(), None, 1)
    found = thaw(value, frame.heap)
    ref = known.ref if known is not None else found.ref
    shape = frame.heap.pop(found.ref) if found.ref else None
    if shape is not None:
        items = {name: _with(item, symbol.part(name)) for name, item in shape.items.items()}
        kind = "parameter" if shape.kind == "object" else shape.kind
        frame.heap[ref] = Shape(kind, items, shape.rest, closed=False)
    elif isinstance(found.target, Instance) or found.path is not None:
        ref = frame.allocate(Shape("parameter", {}, None, closed=False))
    taints = join_taints(found.taints, (symbol,))
    value = Value(taints, UNKNOWN, found.path, found.target, ref, None, key[1])
    root.stores[key] = value
    return value


def _with(value: Value, taint: Taint) -> Value:
    return Value(join_taints(value.taints, (taint,)), UNKNOWN, value.path, value.target, value.ref, None, value.name)


def effects(frame: Frame, exits: Iterable[tuple[Any, dict[str, Value], dict[int, Shape]]]) -> list[Effect]:
    """What a function leaves in stores, at any of its exits."""
    found: dict[tuple[StoreKey, Any], Value] = {}

    def note(key: StoreKey, name: Any, value: Value, heap: dict[int, Shape]) -> None:
        frozen = freeze(value, heap)
        if len(found) < MAX_WRITES and any(_is_news(taint, key) for taint in deep_taints(frozen, {})):
            known = found.get((key, name))
            found[key, name] = frozen if known is None else join_frozen(known, frozen)

    for key, value in frame.stores.items():
        for _, variables, heap in exits:
            shape = heap.get(value.ref) if value.ref else None
            for name, item in shape.items.items() if shape is not None else ():
                note(key, name if isinstance(name, (str, int)) else None, item, heap)
            if shape is not None and shape.rest is not None:
                note(key, None, shape.rest, heap)
            now = variables.get(key[1])
            if now is not None and (now is not value or now.ref != value.ref):
                note(key, None, now, heap)
    return [Effect(STORE, (key, name), value) for (key, name), value in found.items()]


def _is_news(taint: Taint, key: StoreKey) -> bool:
    origin = taint.origin
    return not isinstance(origin, Parameter) or origin.place != STORE or origin.inside[0] != key


def changed_names(engine: Engine, source: Source) -> frozenset[str]:
    """The names, of variables and of attributes, that functions of a file change rather than bind."""
    known = engine.changed.get(source.module)
    if known is None:
        names: set[str] = set()
        for info in source.functions.values():
            names |= syntax.changed(info.function)
        known = engine.changed[source.module] = frozenset(names)
    return known


# --- All functions side by side --------------------------------------------------------------------


def together(engine: Engine, path: str, record: Record) -> None:
    """Report what one function of a file leaves behind and another one brings to a sink."""
    source = engine.load(path)
    if source is None:
        return
    frame = Frame(engine, source, "", record)
    for cls in source.classes.values():
        _object(engine, frame, cls.ref)
    _stores(engine, frame, source)


def _object(engine: Engine, frame: Frame, cls: ClassRef) -> None:
    """An object whose methods are called in any order.

    What a class only inherits, and from one class alone, is told where that class is.
    """
    lineage = engine.lineage(cls)
    if len(lineage) > 1 and not _adds(engine, frame, lineage):
        return
    methods = engine.methods(cls)
    summaries = {ref: summary for ref in methods if (summary := engine.summary(frame, ref)) is not None}
    readers = [
        (ref, hit, origin.inside)
        for ref, summary in summaries.items()
        for hit in summary.sinks
        if isinstance(origin := hit.taint.origin, Parameter) and origin.place == 0 and origin.inside
    ]
    if not readers or len(methods) < 2:
        return
    written = [effect for summary in summaries.values() for effect in summary.effects if effect.place == 0]
    items: dict[Any, Value] = {}
    for effect in written:
        known = items.get(effect.key)
        items[effect.key] = effect.value if known is None else join_frozen(known, effect.value)
    if not any(_is_real(taint) for value in items.values() for taint in deep_taints(value, {})):
        return
    whole = Value(shape=Shape("object", items, None, closed=False))
    for ref, hit, keys in readers:
        _meet(frame, ref, hit, whole, keys, 0)


def _adds(engine: Engine, frame: Frame, lineage: tuple[tuple[ClassRef, Outline], ...]) -> bool:
    """Whether a class's own methods leave anything in its object or bring anything of it to a sink, or it joins two lines."""
    (_, outline), *inherited = lineage
    if len(engine.lineage(inherited[0][0])) < len(inherited):
        return True
    for ref in outline.methods.values():
        summary = engine.summary(frame, ref)
        if summary is not None and (
            any(effect.place == 0 for effect in summary.effects)
            or any(isinstance(hit.taint.origin, Parameter) and hit.taint.origin.place == 0 for hit in summary.sinks)
        ):
            return True
    return False


def _stores(engine: Engine, frame: Frame, source: Source) -> None:
    """The stores that a file defines, or changes, or reads."""
    summaries: dict[FunctionRef, Summary] = {}
    paths = [source.path]
    for path in paths:
        other = engine.load(path)
        for info in other.functions.values() if other is not None else ():
            summary = engine.summary(frame, info.ref)
            if summary is None:
                continue
            summaries[info.ref] = summary
            if path == source.path:
                paths += [key[0] for key in _keys(summary) if key[0] not in paths]
    items: dict[StoreKey, dict[Any, Value]] = {}
    for summary in summaries.values():
        for effect in summary.effects:
            if effect.place == STORE:
                key, name = effect.key
                inner = items.setdefault(key, {})
                inner[name] = effect.value if name not in inner else join_frozen(inner[name], effect.value)
    if not items:
        return
    for ref, summary in summaries.items():
        for hit in summary.sinks:
            origin = hit.taint.origin
            if isinstance(origin, Parameter) and origin.place == STORE and origin.inside[0] in items:
                inner = items[origin.inside[0]]
                known = {name: value for name, value in inner.items() if name is not None}
                whole = Value(shape=Shape("dict", known, inner.get(None), closed=False))
                _meet(frame, ref, hit, whole, origin.inside[1:], STORE)


def _keys(summary: Summary) -> Iterable[StoreKey]:
    for hit in summary.sinks:
        origin = hit.taint.origin
        if isinstance(origin, Parameter) and origin.place == STORE:
            yield origin.inside[0]
    for effect in summary.effects:
        if effect.place == STORE:
            yield effect.key[0]


def _is_real(taint: Taint) -> bool:
    return not isinstance(taint.origin, Parameter)


def _meet(frame: Frame, ref: FunctionRef, hit: SinkHit, whole: Value, keys: tuple[Any, ...], place: int) -> None:
    """Data that was kept reaches a sink."""
    function = frame.engine.function(frame, ref)
    if function is None:
        return
    symbol = hit.taint
    start = function.function.start
    site = Site(ref.path, ref.name, start, start)
    name = keys[0] if keys else symbol.label
    for taint in _real(inside(whole, keys, {}), whole, place, 3):
        kept = Trail(taint.trail, site, f"kept in `{name}`, and read by `{ref.name.rpartition('.')[2]}`")
        trail = joined(kept, symbol.trail)
        cleared = taint.cleared | symbol.cleared
        frame.reach(
            hit.kind,
            Taint(taint.kind, taint.origin, taint.label, cleared, trail, min(taint.sure, 1)),
            hit.site,
            min(hit.sure, 1),
        )


def _real(taints: Taints, whole: Value, place: int, depth: int) -> Taints:
    """The taints with an origin in them; of symbols for what else is kept there, that one's."""
    found: Taints = ()
    for taint in taints:
        origin = taint.origin
        if not isinstance(origin, Parameter):
            found = join_taints(found, (taint,))
        elif depth and origin.place == place and origin.inside:
            keys = origin.inside if place == 0 else origin.inside[1:]
            for other in _real(inside(whole, keys, {}), whole, place, depth - 1):
                trail = joined(other.trail, taint.trail)
                cleared = other.cleared | taint.cleared
                found = join_taints(found, (Taint(other.kind, other.origin, other.label, cleared, trail, other.sure),))
    return found


__all__ = ["changed_names", "effects", "read", "together"]
