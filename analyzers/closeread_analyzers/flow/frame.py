"""One run of the abstract interpreter over one function (or a module's body): its state, and what it finds.

The state is `variables` and `heap`; `alive` says whether control can be here at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .. import ir
from ..catalogue import Rule
from .scopes import Source
from .states import State, Variables, join_states
from .summaries import MAX_SINKS, SinkHit
from .taints import Parameter, Site, Taint, steps
from .values import ClassRef, Closure, Heap, Shape, Value, fresh_reference, join

if TYPE_CHECKING:
    from .engine import Engine

StoreKey = tuple[str, str]
"""A module-level store: the file that defines it, and its name."""


class Hit(NamedTuple):
    """A rule's flow, found: which data reached which place."""

    rule: Rule
    taint: Taint
    site: Site
    sure: int


class UseHit(NamedTuple):
    """A rule's use, found."""

    rule: Rule
    site: Site
    sure: int
    message: str


class Answers:
    """The states in which a function's result is true, and those in which it is false or nothing."""

    __slots__ = ("false", "true")

    def __init__(self) -> None:
        self.true: list[Variables] = []
        self.false: list[Variables] = []


class Record:
    """What a unit's interpretation found and what it rests on. Nested frames share their unit's record.

    `needs` maps what was asked of the engine to the answer: if all answers are the same, so is the record.
    """

    __slots__ = ("failure", "files", "handed", "handlers", "hits", "inlined", "needs", "sinks", "uses")

    def __init__(self) -> None:
        self.hits: dict[tuple[str, Site, str], Hit] = {}
        self.uses: dict[tuple[str, Site], UseHit] = {}
        self.sinks: dict[Any, SinkHit] = {}
        self.needs: dict[Any, Any] = {}
        self.files: set[str] = set()
        self.handlers: list[Any] = []
        self.handed: set[ir.Function] = set()
        self.inlined = 0
        self.failure = ""


class Frame:
    """The interpreter's state in one function body."""

    __slots__ = (
        "alive",
        "answers",
        "breaks",
        "continues",
        "depth",
        "engine",
        "exits",
        "exports",
        "function",
        "globals_",
        "handler",
        "heap",
        "loaded",
        "models",
        "nested",
        "parent",
        "record",
        "route",
        "self_class",
        "source",
        "stores",
        "unit",
        "variables",
        "yields",
    )  # fmt: skip

    def __init__(self, engine: Engine, source: Source, unit: str, record: Record, parent: Frame | None = None) -> None:
        self.engine = engine
        self.source = source
        self.models = source.models
        self.unit = unit
        self.record = record
        self.parent = parent
        self.variables: Variables = {}
        self.heap: Heap = parent.heap if parent is not None else {}
        self.alive = True
        self.answers: Answers | None = None
        self.breaks: list[State] = []
        self.continues: list[State] = []
        self.exits: list[tuple[Value, Variables, Heap]] = []
        self.yields: Value | None = None
        self.function: ir.Function | None = None
        self.handler: Any = None
        self.route: str | None = parent.route if parent is not None else None
        self.self_class: ClassRef | None = parent.self_class if parent is not None else None
        self.depth: int = parent.depth + 1 if parent is not None else 0
        self.globals_: set[str] | None = None
        self.exports: dict[str, Value] | None = None
        self.nested: list[Closure] = []
        self.stores: dict[StoreKey, Value] = {}
        self.loaded: dict[int, Shape] = {}

    @property
    def root(self) -> Frame:
        """The outermost frame around this one."""
        frame = self
        while frame.parent is not None:
            frame = frame.parent
        return frame

    # --- What was found ---------------------------------------------------------------------------

    def site(self, node: ir.Node) -> Site:
        """A node's place."""
        return Site(self.source.path, self.unit, node.start, node.end)

    def reach(self, kind: str, taint: Taint, site: Site, sure: int) -> None:
        """Data arrived at a sink: a finding if it is real and a rule asks for it, a summary's sink if symbolic."""
        if self.engine.observer is not None:
            self.engine.observer.arrived(self, kind, taint, site)
        if kind in taint.cleared or (":" in kind and kind.partition(":")[0] in taint.cleared):
            return
        if isinstance(taint.origin, Parameter):
            sinks = self.record.sinks
            if len(sinks) < MAX_SINKS:
                sinks.setdefault((kind, taint.key, site), SinkHit(kind, taint, site, sure))
            return
        for rule in self.engine.catalogue.flows.get(kind, ()):
            if taint.kind in rule.flow_from:
                key = (rule.id, site, taint.kind)
                hit = Hit(rule, taint, site, min(sure, taint.sure))
                known = self.record.hits.get(key)
                if known is None or better(hit, known):
                    self.record.hits[key] = hit

    def use(self, kind: str, node: ir.Node, sure: int, message: str = "") -> None:
        """A use was met."""
        for rule in self.engine.catalogue.uses.get(kind, ()):
            site = self.site(node)
            self.record.uses.setdefault((rule.id, site), UseHit(rule, site, sure, message))

    # --- Names ------------------------------------------------------------------------------------

    def read(self, name: str) -> Value:
        """What a name holds: here, in an enclosing function, in the module, or as a built-in."""
        frame: Frame | None = self
        while frame is not None:
            found = frame.variables.get(name)
            if found is not None:
                return found
            frame = frame.parent
        return self.engine.global_value(self, self.source.path, name)

    def write(self, name: str, value: Value) -> None:
        """Bind a name."""
        if self.globals_ is not None and name in self.globals_:
            frame = self.parent
            while frame is not None:
                if name in frame.variables:
                    frame.variables[name] = join(frame.variables[name], value, self.heap)
                    return
                frame = frame.parent
        self.variables[name] = value

    def allocate(self, shape: Shape) -> int:
        """A new place in the heap."""
        ref = fresh_reference()
        self.heap[ref] = shape
        return ref

    # --- State ------------------------------------------------------------------------------------

    def save(self) -> State:
        """The state as it is; the frame goes on with a copy."""
        state = (self.variables, self.heap)
        self.variables = self.variables.copy()
        self.heap = self.heap.copy()
        return state

    def restore(self, state: State) -> None:
        """Go on from a saved state, which stays as it is."""
        self.variables = state[0].copy()
        self.heap = state[1].copy()
        self.alive = True

    def merge(self, states: list[State]) -> None:
        """Go on from any of the states; from none, if there is none."""
        if not states:
            self.alive = False
            return
        self.alive = True
        variables, heap = states[0]
        for other, other_heap in states[1:]:
            variables, heap = join_states(variables, heap, other, other_heap)
        self.variables, self.heap = variables, heap


def better(hit: Hit, known: Hit) -> bool:
    """Of two flows into one place: the surer one, then the one with the shorter trace, then any fixed one."""

    def rank(one: Hit) -> tuple[Any, ...]:
        return (-one.sure, sum(1 for _ in steps(one.taint.trail)), one.taint.origin)

    return rank(hit) < rank(known)
