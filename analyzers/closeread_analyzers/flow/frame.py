"""One run of the abstract interpreter over one function (or a module's body): state and statements.

The state is `variables` and `heap`; `alive` says whether control can be here at all. Branches copy
the two dicts (cheap: values and shapes are immutable), joins touch only what differs. Loops forget
the constants they change, then run until nothing new flows, three times at most.
Expressions are in expressions.py, calls in calls.py, conditions in tests.py.

Trap: a chain of `else if` can be thousands long, so it is walked in a loop, not by recursion.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress, islice
from operator import is_not
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import ir
from ..catalogue import Rule
from . import expressions, rendering, tests
from .expressions import NARROWED
from .scopes import Source
from .summaries import MAX_SINKS, SinkHit
from .values import (
    UNKNOWN,
    UNKNOWN_VALUE,
    ClassRef,
    Closure,
    FunctionRef,
    Heap,
    Parameter,
    Shape,
    Site,
    Taint,
    Value,
    fresh_reference,
    join,
    join_shapes,
    same_constant,
    steps,
)

if TYPE_CHECKING:
    from .engine import Engine

StoreKey = tuple[str, str]
"""A module-level store: the file that defines it, and its name."""

Variables = dict[str, Value]
State = tuple[Variables, Heap]

LOOP_TURNS: Final = 3
_ANSWERS: Final = (ir.Comparison, ir.Boolean, ir.Unary, ir.Call)


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
        "truths",
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
        self.truths: list[Variables] | None = None
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

    # --- Statements -------------------------------------------------------------------------------

    def run(self, statements: list[ir.Statement]) -> None:
        """Execute statements in order, as long as control can be here."""
        table = _EXECUTE
        self.engine.tick()
        for statement in statements:
            if not self.alive:
                return
            table[statement.__class__](self, statement)


def better(hit: Hit, known: Hit) -> bool:
    """Of two flows into one place: the surer one, then the one with the shorter trace, then any fixed one."""

    def rank(one: Hit) -> tuple[Any, ...]:
        return (-one.sure, sum(1 for _ in steps(one.taint.trail)), one.taint.origin)

    return rank(hit) < rank(known)


def _join_narrowed(one: Variables, two: Variables) -> None:
    """What is known of both: a place that only one side has looked at is unknown again."""
    left, right = one.pop(NARROWED, None), two.get(NARROWED)
    if left is None or right is None:
        return
    both = {place: value for place, value in left.target.items() if right.target.get(place) is value}
    if both:
        one[NARROWED] = Value(target=both)


def differing(one: Heap, two: Heap) -> list[tuple[int, Shape]]:
    """What `two` has and `one` has not, or has otherwise.

    Both began as copies of one heap, so that they are alike in their first keys; this is the hottest place of all in
    long functions, and so the comparing is left to C: shapes are compared by identity.
    """
    keys, others = list(one), list(two)
    alike, end = 0, min(len(keys), len(others))
    while alike < end:  # references are never used twice: after the first difference no key is in the same place
        middle = (alike + end + 1) // 2
        if keys[middle - 1] == others[middle - 1]:
            alike = middle
        else:
            end = middle - 1
    changed = map(is_not, islice(one.values(), alike), islice(two.values(), alike))
    return [*compress(islice(two.items(), alike), changed), *islice(two.items(), alike, None)]


def join_states(one: Variables, one_heap: Heap, two: Variables, two_heap: Heap) -> State:
    """The state that is either. Both arguments may be changed."""
    if one_heap is not two_heap and one_heap != two_heap:
        for ref, shape in differing(one_heap, two_heap):
            known = one_heap.get(ref)
            if known is None:
                one_heap[ref] = shape
            elif known is not shape:
                one_heap[ref] = join_shapes(known, shape, one_heap)
    if NARROWED in one or NARROWED in two:
        _join_narrowed(one, two)
    for name, value in two.items() if one != two else ():
        if name is NARROWED:
            continue
        known_value = one.get(name)
        if known_value is None:
            one[name] = value
        elif known_value is not value:
            one[name] = join(known_value, value, one_heap)
    return one, one_heap


# --- One function a statement ----------------------------------------------------------------------


def _expression(frame: Frame, node: ir.ExpressionStatement) -> None:
    expressions.evaluate(frame, node.value)


def _assign(frame: Frame, node: ir.Assign) -> None:
    if node.value is None:
        if node.annotation is not None and len(node.targets) == 1 and isinstance(node.targets[0], ir.Name):
            path = expressions.annotated(frame, node.annotation)
            if path is not None:
                frame.write(node.targets[0].id, path)
        return
    value = expressions.evaluate(frame, node.value)
    if node.annotation is not None and value.path is None and value.target is None:
        typed = expressions.annotated(frame, node.annotation)
        if typed is not None:
            value = Value(value.taints, value.const, typed.path, typed.target, value.ref, None, value.name)
    for target in node.targets:
        expressions.assign(frame, target, value, node.value)


def _augmented(frame: Frame, node: ir.AugmentedAssign) -> None:
    before = expressions.evaluate(frame, node.target)
    after = expressions.evaluate(frame, node.value)
    if node.operator in ("and", "or", "??"):
        value = join(before, after, frame.heap)
    else:
        value = expressions.combine(frame, node, node.operator, before, after)
    expressions.assign(frame, node.target, value, node)


def _return(frame: Frame, node: ir.Return) -> None:
    value = expressions.evaluate(frame, node.value) if node.value is not None else Value(const=None)
    if frame.handler is not None and frame.handler.returns and node.value is not None:
        body = value
        if isinstance(node.value, ir.Sequence) and node.value.kind == "tuple":  # the body, then status and headers
            body = expressions.item(frame, node.value, value, Value(const=0))
        shape = frame.heap.get(body.ref) if body.ref else None
        if shape is None or shape.kind not in ("dict", "list"):  # those become JSON
            expressions.sink(frame, frame.handler.returns, body, node.value, 2)
    if node.value is not None and frame.function is not None and frame.function.decorators:
        rendering.returned(frame, node.value, value)
    frame.exits.append((value, frame.variables, frame.heap))
    if frame.truths is not None:
        _truths(frame, node, value)
    frame.alive = False


def _truths(frame: Frame, node: ir.Return, value: Value) -> None:
    """What is known where the result is true: functions that answer yes or no are guards."""
    if value.const is not UNKNOWN or not isinstance(node.value, _ANSWERS) or frame.truths is None:
        if frame.truths is not None and (value.const is UNKNOWN or value.const):
            frame.truths.append(frame.variables if value.const is True else {})
        return
    after = frame.save()
    tests.assume(frame, node.value, True)
    if frame.alive:
        frame.truths.append(frame.variables)
    frame.restore(after)


def _raise(frame: Frame, node: ir.Raise) -> None:
    if node.value is not None:
        expressions.evaluate(frame, node.value)
    if node.cause is not None:
        expressions.evaluate(frame, node.cause)
    frame.alive = False


def _if(frame: Frame, node: ir.If) -> None:
    ends: list[State] = []
    while True:
        truth = tests.decide(frame, node.test)
        if truth is True:
            tests.assume(frame, node.test, True)
            frame.run(node.body)
            break
        if truth is None:
            before = frame.save()
            tests.assume(frame, node.test, True)
            frame.run(node.body)
            if frame.alive:
                ends.append((frame.variables, frame.heap))
            frame.restore(before)
        tests.assume(frame, node.test, False)
        orelse = node.orelse
        if len(orelse) == 1 and isinstance(orelse[0], ir.If):
            node = orelse[0]
            continue
        frame.run(orelse)
        break
    if ends:
        if frame.alive:
            ends.append((frame.variables, frame.heap))
        frame.merge(ends)


def _loop(frame: Frame, node: ir.Node, turn: Callable[[], bool], body: list[ir.Statement], first: bool) -> None:
    """Turns of a loop until nothing new flows. `turn` binds and tests; it returns whether the loop can end there."""
    outer_breaks, outer_continues = frame.breaks, frame.continues
    breaks: list[State] = []
    changed = frame.engine.bound_names(node, body)
    for name in changed:
        value = frame.variables.get(name)
        if value is not None and value.const is not UNKNOWN:
            frame.variables[name] = Value(value.taints, UNKNOWN, value.path, value.target, value.ref, None, value.name)
    # What a turn always makes anew tells the next one nothing; but a nested function may look at it at any time.
    carried = changed if frame.nested else frame.engine.carried_names(node, body)
    can_end = not first
    end: list[State] = []
    for _ in range(LOOP_TURNS):
        before = frame.save()
        frame.breaks, frame.continues = [], []
        can_end = turn()
        if frame.alive:
            frame.run(body)
        states = frame.continues
        if frame.alive:
            states.append((frame.variables, frame.heap))
        breaks += frame.breaks
        if not states:
            end = [] if first else [before]
            break
        # A merge changes what it is given, and `before` is looked at again below.
        frame.merge([(before[0].copy(), before[1].copy()), *states] if not first else states)
        end = [(frame.variables, frame.heap)]
        if not any(
            len(value.taints) != len(known.taints) or value.ref != known.ref
            for name in carried
            if (value := frame.variables.get(name)) is not None
            and (known := before[0].get(name, UNKNOWN_VALUE)) is not value
        ) and not grown(before[1], frame.heap):
            break
        first = False
    frame.breaks, frame.continues = outer_breaks, outer_continues
    frame.merge((end if can_end else []) + breaks)


def grown(before: Heap, after: Heap) -> bool:
    """Whether a shape that was there may hold more now."""
    if not any(map(is_not, map(after.get, before), before.values())):
        return False
    return any(_holds_more(known, after.get(ref)) for ref, known in before.items() if after.get(ref) is not known)


def _holds_more(before: Shape, after: Shape | None) -> bool:
    if (
        after is None
        or before.kind != after.kind
        or before.closed != after.closed
        or (before.rest is None) != (after.rest is None)
        or before.items.keys() != after.items.keys()
    ):
        return True
    pairs = [(known, after.items[key]) for key, known in before.items.items()]
    if before.rest is not None and after.rest is not None:
        pairs.append((before.rest, after.rest))
    return any(
        value is not known
        and (
            len(value.taints) != len(known.taints)
            or value.ref != known.ref
            or value.path != known.path
            or value.target != known.target
            or not same_constant(value.const, known.const)
        )
        for known, value in pairs
    )


def _while(frame: Frame, node: ir.While) -> None:
    ended = False

    def turn() -> bool:
        nonlocal ended
        truth = tests.decide(frame, node.test)
        if truth is False:
            frame.alive = node.post_test
            ended = True
        else:
            tests.assume(frame, node.test, True)
        return truth is not True

    _loop(frame, node, turn, node.body, node.post_test)
    if frame.alive and not ended:
        tests.assume(frame, node.test, False)
    if frame.alive:
        frame.run(node.orelse)


def _for(frame: Frame, node: ir.For) -> None:
    iterable = expressions.evaluate(frame, node.iterable)
    items = expressions.unrolled(frame, iterable)
    if items is not None:
        _unrolled(frame, node, items)
        return
    element = expressions.element(frame, iterable, node.keys, node.iterable)

    def turn() -> bool:
        expressions.assign(frame, node.target, element, node.iterable)
        return True

    _loop(frame, node, turn, node.body, False)
    if frame.alive:
        frame.run(node.orelse)


def _unrolled(frame: Frame, node: ir.For, items: list[Value]) -> None:
    """A loop over a few known items, turn by turn, as the program would."""
    outer_breaks, outer_continues = frame.breaks, frame.continues
    breaks: list[State] = []
    for item in items:
        frame.breaks, frame.continues = [], []
        expressions.assign(frame, node.target, item, node.iterable)
        frame.run(node.body)
        states = frame.continues
        if frame.alive:
            states.append((frame.variables, frame.heap))
        breaks += frame.breaks
        frame.merge(states)
        if not frame.alive:
            break
    if frame.alive:
        frame.run(node.orelse)
    frame.breaks, frame.continues = outer_breaks, outer_continues
    if breaks:
        frame.merge(([(frame.variables, frame.heap)] if frame.alive else []) + breaks)


def _break(frame: Frame, node: ir.Break) -> None:
    frame.breaks.append((frame.variables, frame.heap))
    frame.alive = False


def _continue(frame: Frame, node: ir.Continue) -> None:
    frame.continues.append((frame.variables, frame.heap))
    frame.alive = False


def _try(frame: Frame, node: ir.Try) -> None:
    before = frame.save()
    frame.run(node.body)
    # An exception may come from anywhere in the body: a handler starts from before it or after it.
    ends_alive = frame.alive
    at_throw = (frame.variables.copy(), frame.heap.copy())
    if ends_alive:
        frame.run(node.orelse)
    ends: list[State] = [(frame.variables, frame.heap)] if frame.alive else []
    for handler in node.handlers:
        frame.merge([(before[0].copy(), before[1].copy()), (at_throw[0].copy(), at_throw[1].copy())])
        if handler.name:
            frame.write(handler.name, expressions.caught(frame, handler))
        frame.run(handler.body)
        if frame.alive:
            ends.append((frame.variables, frame.heap))
    if ends:
        frame.merge(ends)
        frame.run(node.final)
        return
    if node.final:  # it runs on the way out, whatever the way
        frame.merge([(before[0].copy(), before[1].copy()), at_throw])
        frame.run(node.final)
    frame.alive = False


def _with(frame: Frame, node: ir.With) -> None:
    contexts: list[Value] = []
    for item in node.items:
        context = expressions.evaluate(frame, item.context)
        contexts.append(context)
        value = expressions.entered(frame, item, context)
        if item.target is not None:
            expressions.assign(frame, item.target, value, item.context)
    frame.run(node.body)
    for item, context in zip(node.items, contexts, strict=True):
        if frame.alive and context.target is not None:
            expressions.left(frame, item, context)


def _match(frame: Frame, node: ir.Match) -> None:
    subject = expressions.evaluate(frame, node.subject)
    ends: list[State] = []
    for case in node.cases:
        before = frame.save()
        truth = tests.match(frame, case.pattern, subject, node.subject)
        if truth is not False:
            if case.guard is not None:
                decided = tests.decide(frame, case.guard)
                truth = decided if truth is True or decided is False else None
                if truth is not False:
                    tests.assume(frame, case.guard, True)
            if truth is not False:
                frame.run(case.body)
                if frame.alive:
                    ends.append((frame.variables, frame.heap))
        if truth is True:
            frame.alive = False
            break
        frame.restore(before)
    if frame.alive:
        ends.append((frame.variables, frame.heap))
    frame.merge(ends)


def _function(frame: Frame, node: ir.FunctionDefinition) -> None:
    function = node.function
    if function.is_unit:
        value = Value(
            target=FunctionRef(frame.source.path, frame.source.keys.get(function, function.name)), name=function.name
        )
        frame.engine.decorate(frame, function, value)
    else:
        closure = Closure(function, frame)
        frame.nested.append(closure)
        value = Value(target=closure, name=function.name)
        frame.engine.decorate(frame, function, value)
    frame.write(function.name, value)


def _class(frame: Frame, node: ir.ClassDefinition) -> None:
    frame.write(node.definition.name, expressions.define_class(frame, node.definition))


def _import(frame: Frame, node: ir.Import) -> None:
    if node.member == "*":
        return  # names are looked up in `stars` when they are asked for
    frame.write(node.bound, frame.engine.imported(frame, frame.source, node))


def _export(frame: Frame, node: ir.Export) -> None:
    value = expressions.evaluate(frame, node.value)
    if frame.root.exports is not None:
        frame.root.exports[node.name] = value


def _scope(frame: Frame, node: ir.ScopeDeclaration) -> None:
    frame.globals_ = (frame.globals_ or set()) | set(node.names)
    if node.kind == "global" and frame.parent is None:
        for name in node.names:  # so that what is written to them is known to be kept
            frame.engine.global_value(frame, frame.source.path, name)


def _delete(frame: Frame, node: ir.Delete) -> None:
    for target in node.targets:
        if isinstance(target, ir.Name):
            frame.variables.pop(target.id, None)
        else:
            expressions.remove(frame, target)


def _assert(frame: Frame, node: ir.Assert) -> None:
    expressions.evaluate(frame, node.test)
    tests.assume(frame, node.test, True)
    if node.message is not None:
        expressions.evaluate(frame, node.message)


def _pass(frame: Frame, node: ir.Pass) -> None:
    pass


def _block(frame: Frame, node: ir.Block) -> None:
    frame.run(node.body)


_EXECUTE: Final[dict[type, Callable[[Frame, Any], None]]] = {
    ir.ExpressionStatement: _expression,
    ir.Assign: _assign,
    ir.AugmentedAssign: _augmented,
    ir.Return: _return,
    ir.Raise: _raise,
    ir.If: _if,
    ir.While: _while,
    ir.For: _for,
    ir.Try: _try,
    ir.With: _with,
    ir.Match: _match,
    ir.FunctionDefinition: _function,
    ir.ClassDefinition: _class,
    ir.Import: _import,
    ir.Export: _export,
    ir.ScopeDeclaration: _scope,
    ir.Delete: _delete,
    ir.Assert: _assert,
    ir.Break: _break,
    ir.Continue: _continue,
    ir.Pass: _pass,
    ir.Block: _block,
}
