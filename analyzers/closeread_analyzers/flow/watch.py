"""The interpreter under observation: what happens at one place while it runs.

Somebody asked why a line was or was not reported. The analysis runs once more, and a `Watch` notes what was
evaluated on that line, which statements of its unit ran, what arrived at sinks there, where data became harmless,
where it went in and did not come out, and who calls the unit. The interpreter finds every node's function in two
tables; while it is watched those hold functions that tell, so that nobody pays who does not ask. Absent: answers,
which `explain.py` makes of the notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from .. import ir
from ..catalogue import Entry
from . import conditions, expressions, library, own, statements
from .arguments import Arguments, join_all
from .taints import NONE, Parameter, Site, Taint, Taints, join_taints
from .values import UNKNOWN, Bound, ClassRef, Closure, FunctionRef, Value, deep_taints

if TYPE_CHECKING:
    from .engine import Engine
    from .frame import Frame

Origin = tuple[str, Any]
"""A taint's kind and origin; a parameter's with its unit, for every function has a first one."""


class Place(NamedTuple):
    """A line: its unit, and the bytes of it relative to the unit's start."""

    path: str
    unit: str
    start: int
    end: int

    def holds(self, site: Site) -> bool:
        """Whether something starts on the line."""
        return site.path == self.path and site.unit == self.unit and self.start <= site.start < self.end


@dataclass(slots=True)
class Seen:
    """What an expression was: all taints it ever had, and its constant if it always was the same."""

    taints: Taints
    const: Any
    path: str | None


class Arrival(NamedTuple):
    """Data at a sink."""

    kind: str
    taint: Taint
    site: Site


@dataclass(slots=True)
class SeenCall:
    """A call on the line. `entries` are what the models say of it; `tainted` are the arguments with data, by name."""

    callee: Value
    entries: list[tuple[Entry, bool]]
    tainted: dict[str, Taints]
    untainted: dict[str, Value]


@dataclass(slots=True)
class Change:
    """At a place, `taint` became harmless for `kinds`; or, with none, went in and did not come out."""

    site: Site
    taint: Taint
    kinds: frozenset[str]
    guard: bool = False


@dataclass(slots=True)
class Caller:
    """A call of the unit that holds the line, and what it hands over."""

    site: Site
    taints: Taints


@dataclass(slots=True)
class _Going:
    """An evaluation in progress: what its parts came to, and what is explained inside of it already."""

    is_here: bool = False
    parts: dict[Origin, Taint] = field(default_factory=dict)
    explained: set[Origin] = field(default_factory=set)


class Observer(Protocol):
    """Whom the interpreter tells of what it does."""

    def called(self, frame: Frame, node: ir.Call, callee: Value, receiver: Value, arguments: Arguments) -> None:
        """A call is about to be made."""
        ...

    def unknown(self, frame: Frame, node: ir.Call, callee: Value) -> Taints:
        """A call that no model describes was made. Its value carries these taints besides, for the observer's use."""
        ...

    def arrived(self, frame: Frame, kind: str, taint: Taint, site: Site) -> None:
        """Data is at a sink, harmless or not."""
        ...

    def narrowed(self, frame: Frame, node: ir.Expression, before: Value, after: Value) -> None:
        """A test holds, and says something of what `node` names."""
        ...


class Watch:
    """The notes of one run."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.seen: dict[ir.Expression, Seen] = {}
        self.calls: dict[ir.Call, SeenCall] = {}
        self.arrivals: dict[tuple[str, Any, Site], Arrival] = {}
        self.beyond: dict[tuple[str, Any, Site], Arrival] = {}
        """What arrived elsewhere while something on the line was evaluated: a call's insides."""
        self.changes: dict[tuple[Site, Origin, frozenset[str]], Change] = {}
        self.callers: dict[Site, Caller] = {}
        self.ran: set[ir.Node] = set()
        """Statements and expressions of the unit that were come to."""
        self.left: set[ir.Node] = set()
        """Statements after which control was still there, at least once."""
        self._going: list[_Going] = [_Going()]

    # --- What the interpreter tells ---------------------------------------------------------------

    def arrived(self, frame: Frame, kind: str, taint: Taint, site: Site) -> None:
        """Data is at a sink, harmless or not."""
        if self.place.holds(site):
            self.arrivals.setdefault((kind, self.origin(frame, taint), site), Arrival(kind, taint, site))
        elif taint.kind and any(going.is_here for going in self._going):
            self.beyond.setdefault((kind, taint.origin, site), Arrival(kind, taint, site))

    def called(self, frame: Frame, node: ir.Call, callee: Value, receiver: Value, arguments: Arguments) -> None:
        """A call is about to be made."""
        target = callee.target.function if isinstance(callee.target, Bound) else callee.target
        if isinstance(target, FunctionRef | ClassRef) and self._is_ours(target):
            site = frame.site(node)
            known = self.callers.get(site)
            taints = join_all(arguments.all(), frame)
            self.callers[site] = Caller(site, taints if known is None else join_taints(known.taints, taints))
        if not self.place.holds(frame.site(node)):
            return
        if callee.target is None:
            entries = library.entries_for(frame, callee, receiver)
        else:
            entries = own.entries(frame, callee)
        said = [(entry, conditions.holds(frame, entry, arguments, receiver)) for entry, _ in entries]
        given = {f"argument {index}": value for index, value in enumerate(arguments.positional)}
        given |= {f"`{name}`": value for name, value in arguments.keyword.items()}
        if callee.target is None:
            given["the object it is called on"] = receiver
        tainted = {name: taints for name, value in given.items() if (taints := deep_taints(value, frame.heap))}
        untainted = {name: value for name, value in given.items() if name not in tainted}
        known_call = self.calls.get(node)
        if known_call is None or len(known_call.tainted) <= len(tainted):
            self.calls[node] = SeenCall(callee, said, tainted, untainted)

    def unknown(self, frame: Frame, node: ir.Call, callee: Value) -> Taints:
        """See `Observer`; nothing is added."""
        return NONE

    def narrowed(self, frame: Frame, node: ir.Expression, before: Value, after: Value) -> None:
        """A test holds, and says something of what `node` names."""
        left = {self.origin(frame, taint): taint.cleared for taint in after.taints}
        for taint in before.taints:
            origin = self.origin(frame, taint)
            cleared = left.get(origin, frozenset(frame.engine.catalogue.flows)) - taint.cleared
            if cleared:
                self._changed(frame.site(node), origin, taint, cleared, guard=True)

    def _evaluated(self, frame: Frame, node: ir.Expression, value: Value, going: _Going) -> None:
        taints = deep_taints(value, frame.heap)
        outer = self._going[-1]
        site = frame.site(node)
        came: set[Origin] = set()
        for taint in taints:
            origin = self.origin(frame, taint)
            came.add(origin)
            before = going.parts.get(origin)
            if before is not None and taint.cleared > before.cleared and origin not in going.explained:
                self._changed(site, origin, taint, taint.cleared - before.cleared)
                outer.explained.add(origin)
            known = outer.parts.get(origin)
            if known is None or len(taint.cleared) < len(known.cleared):
                outer.parts[origin] = taint
        if isinstance(node, ir.Call | ir.Subscript | ir.Attribute | ir.Opaque | ir.Comprehension | ir.Conditional):
            for origin in going.parts.keys() - came:
                self._changed(site, origin, going.parts[origin], frozenset())
        outer.explained |= going.explained
        if site.path == self.place.path and site.unit == self.place.unit:
            self.ran.add(node)
        if self.place.holds(site):
            known_seen = self.seen.get(node)
            if known_seen is None:
                self.seen[node] = Seen(taints, value.const, value.path)
            else:
                known_seen.taints = join_taints(known_seen.taints, taints)
                known_seen.const = value.const if value.const == known_seen.const else UNKNOWN

    def _changed(self, site: Site, origin: Origin, taint: Taint, kinds: frozenset[str], guard: bool = False) -> None:
        self.changes.setdefault((site, origin, kinds), Change(site, taint, kinds, guard))

    def origin(self, frame: Frame, taint: Taint) -> Origin:
        """What tells the data of one taint from that of another."""
        if isinstance(taint.origin, Parameter):
            return taint.kind, (frame.source.path, frame.unit, taint.origin.place)
        return taint.kind, taint.origin

    def _is_ours(self, target: FunctionRef | ClassRef) -> bool:
        if target.path != self.place.path:
            return False
        return target.name == self.place.unit or (
            isinstance(target, ClassRef) and self.place.unit.rpartition(".")[0] == target.name
        )

    # --- The tables -------------------------------------------------------------------------------

    def evaluation(self, plain: Callable[[Frame, Any], Value]) -> Callable[[Frame, Any], Value]:
        """The function of an expression's class, telling."""

        def told(frame: Frame, node: ir.Expression) -> Value:
            going = _Going(self.place.holds(frame.site(node)))
            self._going.append(going)
            try:
                value = plain(frame, node)
            finally:
                self._going.pop()
            self._evaluated(frame, node, value, going)
            return value

        return told

    def execution(self, plain: Callable[[Frame, Any], None]) -> Callable[[Frame, Any], None]:
        """The function of a statement's class, telling."""
        place = self.place

        def told(frame: Frame, node: ir.Statement) -> None:
            self._going.append(_Going())  # what one statement knows is no part of the next
            try:
                plain(frame, node)
            finally:
                explained = self._going.pop().explained
            self._going[-1].explained |= explained
            if frame.source.path == place.path and frame.unit == place.unit:
                self.ran.add(node)
                if frame.alive:
                    self.left.add(node)

        return told


@contextmanager
def watching(engine: Engine, watch: Watch) -> Iterator[None]:
    """Tell `watch` what `engine` does meanwhile. It tells only what it does anew: it must not remember anything yet."""
    tables: tuple[tuple[dict[type, Any], Callable[[Any], Any]], ...] = (
        (expressions._EVALUATE, watch.evaluation),
        (statements._EXECUTE, watch.execution),
    )
    plain = [(table, dict(table)) for table, _ in tables]
    for table, telling in tables:
        for kind, function in list(table.items()):
            table[kind] = telling(function)
    engine.observer = watch
    try:
        yield
    finally:
        engine.observer = None
        for table, functions in plain:
            table.update(functions)


__all__ = ["Arrival", "Caller", "Change", "Closure", "Origin", "Place", "Seen", "SeenCall", "Watch", "watching"]
