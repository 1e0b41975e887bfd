"""What a function does to its arguments, in symbols: computed once, applied at every call.

A summary is heap-free. Its taints name parameters (`Parameter(index, inside)`), and `Application`
replaces them by what a caller really passes: fields of objects, items of containers, and the trails
joined end to end. Absent: which exceptions are raised, and how often anything happens.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .taints import NONE, STORE, Parameter, Site, Taint, Taints, Trail, join_taints, joined, steps
from .values import UNKNOWN, UNKNOWN_VALUE, Bound, Closure, FunctionRef, Heap, Shape, Value, deep_taints, thaw

if TYPE_CHECKING:
    from .frame import Frame

MAX_SINKS: Final = 24


class SinkHit(NamedTuple):
    """A parameter's data reaches a sink inside the function (or inside what it calls)."""

    kind: str
    taint: Taint
    site: Site
    sure: int


class Effect(NamedTuple):
    """The function stores `value` under `key` in its `place`-th argument; key None is "some key".

    `alias` is the index of the parameter that is stored itself, or -1.
    """

    place: int
    key: Any
    value: Value
    alias: int = -1


class Vouched(NamedTuple):
    """That the `place`-th argument, or its attribute of that name, is harmless for `clears`."""

    place: int
    clears: frozenset[str]
    attribute: str = ""


class Summary(NamedTuple):
    """What calls of a function do.

    returns    a frozen value
    alias      the index of the parameter that is returned itself, or -1
    guards     what is vouched for wherever the result is true
    denials    what is vouched for wherever the result is false, or nothing (`error = problem_with(x)`)
    ensures    what is vouched for wherever the call returns at all
    """

    returns: Value
    alias: int
    sinks: tuple[SinkHit, ...]
    effects: tuple[Effect, ...]
    guards: tuple[Vouched, ...] = ()
    denials: tuple[Vouched, ...] = ()
    ensures: tuple[Vouched, ...] = ()


NOTHING: Final = Summary(UNKNOWN_VALUE, -1, (), ())
"""What is assumed of a function that is being summarised already (recursion)."""


def signature(summary: Summary, trails: bool = True) -> str:
    """A text equal for summaries that mean the same, to the last step of a trace: callers hand on the steps."""
    parts = [describe(summary.returns, trails), str(summary.alias)]
    for mark, vouched in (("", summary.guards), ("-", summary.denials), ("!", summary.ensures)):
        parts += [f"{mark}{index}{sorted(kinds)}{attribute}" for index, kinds, attribute in vouched]
    parts += [f"{hit.kind}{_describe_taint(hit.taint, trails)}{hit.site}{hit.sure}" for hit in summary.sinks]
    parts += [
        f"{effect.place}{effect.key!r}{effect.alias}{describe(effect.value, trails)}" for effect in summary.effects
    ]
    return "|".join(parts)


def gist(summary: Summary) -> tuple[Any, ...]:
    """Which data a function hands on, stores and sends to sinks: all that has to be found out about a circle of them.

    How deep inside its containers the data lies does not count: that may go on for ever.
    """

    def origins(value: Value) -> frozenset[Any]:
        return frozenset((t.kind, _root(t), t.cleared) for t in deep_taints(value, {}))

    returns = summary.returns
    return (
        (origins(returns), returns.path, _describe_target(returns.target, trails=False), summary.alias),
        frozenset((hit.kind, _root(hit.taint), hit.taint.cleared, hit.site) for hit in summary.sinks),
        frozenset((effect.place, effect.key, origins(effect.value)) for effect in summary.effects),
        frozenset(summary.guards),
        frozenset(summary.denials),
        frozenset(summary.ensures),
    )


def _root(taint: Taint) -> Any:
    origin = taint.origin
    if not isinstance(origin, Parameter):
        return origin
    return origin.inside[0] if origin.place == STORE else origin.place


def describe(value: Value, trails: bool = True) -> str:
    """A text equal for frozen values that mean the same; without trails, however their data came there."""
    taints = [_describe_taint(taint, trails) for taint in value.taints]
    text = f"{taints}{value.const!r}{value.path}{_describe_target(value.target, trails)}{value.name}"
    shape = value.shape
    if shape is not None:
        inner = {key: describe(item, trails) for key, item in shape.items.items()}
        text += f"{shape.kind}{inner}{shape.closed}"
        text += describe(shape.rest, trails) if shape.rest is not None else ""
    return text


def _describe_taint(taint: Taint, trails: bool) -> str:
    text = f"{taint.kind}{taint.origin}{sorted(taint.cleared)}{taint.sure}"
    if not trails:
        return text
    return "".join([text, taint.label, *(f"{step.site}{step.message}" for step in steps(taint.trail))])


def _describe_target(target: Any, trails: bool) -> str:
    if target is None:
        return ""
    if isinstance(target, Bound):
        return f"{target.function}{describe(target.receiver, trails)}"
    if isinstance(target, tuple):
        return repr(target)
    # A closure comes with its variables: it is surely the same only if it is this very one.
    return str(id(target.function if isinstance(target, Closure) and not trails else target))


def inside(value: Value, keys: tuple[Any, ...], heap: Heap) -> Taints:
    """The taints of what lies at `keys` inside an argument."""
    for place, key in enumerate(keys):
        shape = value.shape if value.shape is not None else heap.get(value.ref) if value.ref else None
        if shape is not None:
            found = shape.items.get(key)
            if found is None:
                if shape.closed:
                    return value.taints
                found = shape.rest
            if found is not None:
                value = found
                continue
        taints = value.taints
        for deeper in keys[place:] if taints else ():
            taints = tuple([taint.part(deeper) for taint in taints])
        return taints
    return deep_taints(value, heap)


class Application:
    """One call of a summarised function: symbols replaced by the caller's values."""

    def __init__(self, frame: Frame, callee: FunctionRef, arguments: dict[int, Value], site: Site) -> None:
        self.frame = frame
        self.callee = callee
        self.arguments = arguments
        self.site = site

    def apply(self, summary: Summary) -> Value:
        """The call's value; sinks are hit and effects done on the way."""
        for hit in summary.sinks:
            for taint in self._resolve(hit.taint):
                self.frame.reach(hit.kind, taint, hit.site, hit.sure)
        for effect in summary.effects:
            key = effect.key
            if effect.place == STORE:
                (store, key) = key
                receiver = self.frame.engine.store(self.frame, store)
            else:
                receiver = self.arguments.get(effect.place)
            if receiver is not None and receiver.ref:
                self._store(receiver, key, self._stored(effect))
        if summary.alias >= 0 and summary.alias in self.arguments:
            return self.arguments[summary.alias]
        return thaw(self._map(summary.returns), self.frame.heap)

    def _stored(self, effect: Effect) -> Value:
        """The value that an effect stores: where it is an argument itself, all that is known of that."""
        given = self.arguments.get(effect.alias)
        if given is not None and given.ref:
            return given
        value = thaw(self._map(effect.value), self.frame.heap)
        return value if given is None else given.tainted(value.taints)

    def _store(self, receiver: Value, key: Any, value: Value) -> None:
        heap = self.frame.heap
        shape = heap.get(receiver.ref)
        if shape is None:
            return
        if key is None:
            rest = value if shape.rest is None else Value(join_taints(shape.rest.taints, value.taints))
            heap[receiver.ref] = Shape(shape.kind, shape.items, rest, closed=False)
        else:
            heap[receiver.ref] = Shape(shape.kind, {**shape.items, key: value}, shape.rest, shape.closed)

    def _map(self, value: Value) -> Value:
        taints = self._map_taints(value.taints) if value.taints else NONE
        shape = value.shape
        if isinstance(value.target, Closure):
            return Value(taints)
        if shape is None:
            if taints is value.taints:
                return value
            return Value(taints, value.const, value.path, value.target, 0, None, value.name)
        items = {key: self._map(inner) for key, inner in shape.items.items()}
        rest = self._map(shape.rest) if shape.rest is not None else None
        mapped = Shape(shape.kind, items, rest, shape.closed)
        return Value(taints, value.const, value.path, value.target, 0, mapped, value.name)

    def _map_taints(self, taints: Taints) -> Taints:
        mapped: Taints = NONE
        for taint in taints:
            mapped = join_taints(mapped, self._resolve(taint) if isinstance(taint.origin, Parameter) else (taint,))
        return mapped

    def _resolve(self, symbol: Taint) -> Taints:
        """The caller's taints for a symbolic one, with the callee's clearings and steps added."""
        origin = symbol.origin
        if not isinstance(origin, Parameter):
            return (symbol,)
        if origin.place == STORE:
            return self._kept(symbol, origin)
        argument = self.arguments.get(origin.place)
        if argument is None:
            return NONE
        found = inside(argument, origin.inside, self.frame.heap)
        if not found:
            return NONE
        called = f"passed to `{self.callee.name.rpartition('.')[2]}`"
        return tuple(
            Taint(
                taint.kind,
                taint.origin,
                taint.label,
                taint.cleared | symbol.cleared,
                joined(Trail(taint.trail, self.site, called), symbol.trail),
                min(taint.sure, symbol.sure),
            )
            for taint in found
        )

    def _kept(self, symbol: Taint, origin: Parameter) -> Taints:
        """What a store holds here, and still whatever others put in."""
        store = self.frame.root.stores.get(origin.inside[0])
        found = inside(store, origin.inside[1:], self.frame.heap) if store is not None else NONE
        real = tuple(
            Taint(t.kind, t.origin, t.label, t.cleared | symbol.cleared, joined(t.trail, symbol.trail), min(t.sure, 1))
            for t in found
            if not isinstance(t.origin, Parameter) or t.origin.place != STORE
        )
        return join_taints(real, (symbol,))


def without_constant(value: Value) -> Value:
    """For parameters' defaults and fields: what it is, but not which one."""
    if value.const is UNKNOWN:
        return value
    return Value(value.taints, UNKNOWN, value.path, value.target, value.ref, value.shape, value.name)
