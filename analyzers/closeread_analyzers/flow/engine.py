"""The engine: it interprets functions and module bodies when their answers are asked for.

The top of a line of classes, each of which knows what those below it do and adds one thing: `Memories` (what is
remembered and when it holds), `Names` (imports), `Classes` (members), `Handlers` (what frameworks call), and here
the running itself: parameters as symbols, nested functions, bodies of modules, interpretation in the caller's heap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from .. import ir
from ..catalogue import HandlerModel
from . import assignment, declared, expressions, fields, kept, rendering, statements, syntax, variants
from .aging import STALE
from .classes import STATIC
from .frame import Answers, Frame, Record
from .handlers import Handlers, Handling
from .memory import Interrupted, Key
from .names import EMPTY_MODULE, ModuleState, plain_type
from .scopes import FunctionInfo, Source
from .states import Variables, join_states
from .summaries import NOTHING, Summary, without_constant
from .summarising import summarise
from .taints import Parameter, Taint, Trail
from .touched import places
from .values import UNKNOWN, UNKNOWN_VALUE, ClassRef, Closure, FunctionRef, Heap, Instance, Shape, Value, freeze, join

MAX_CHANGED: Final = 8
"""Changed files up to which it is worth finding what of them is different."""


class Engine(Handlers):
    """The flow analysis of a project. One thread at a time.

    `load(path)` gives a file's `Source`, or None if there is no such file in the project.
    """

    outlines = frozenset(
        ["global", "export", "bases", "class", "lineage", "resolve", "attribute", "template", "wrapped"]
    )

    # --- Revisions and memory ---------------------------------------------------------------------

    def change(self, path: str, before: Source | None) -> None:
        """A file's text changed; `before` is what it was, if it was asked for."""
        self._changed.setdefault(path, before)
        if before is not None:
            self._bound.pop(before.module, None)  # type: ignore[call-overload]
            self.changed.pop(before.module, None)

    def settle(self) -> None:
        """Find what the changes may have made wrong: to be called before the first question after one."""
        changed, self._changed = self._changed, {}
        if not changed:
            return
        settled = False
        try:
            altered = self._altered(changed)
            settled = altered is not None and self._doubt(altered)
        finally:
            if not settled:
                self._doubt_all()
                self._folders.clear()
        self._edits += 1
        if self._edits % STALE == 0:  # what is known of functions as they were before is nobody's
            self._sizes.clear()
            self._bound.clear()
            self._carried.clear()
            self.changed.clear()
            self.met.clear()
            self.makers.clear()
            self.answers.clear()

    def _altered(self, changed: dict[str, Source | None]) -> list[Key] | None:
        """The needs that are answered otherwise, if the changes are inside functions; None if more is different."""
        inside = len(changed) <= MAX_CHANGED
        altered: list[Key] = []
        for path, before in changed.items():
            now = self.load(path) if inside else None
            if before is None or now is None or self._sites_moved(before, now):
                self._memories.pop(("module", path), None)
                inside = False
                continue
            if before.skeleton != now.skeleton or before.functions.keys() != now.functions.keys():
                inside = False
                continue
            altered.append(("content", path))
            for name, info in now.functions.items():
                if info.function.digest != before.functions[name].function.digest:
                    key = ("function", info.ref)
                    altered += [key, ("text", key)]
        return altered if inside else None

    def _sites_moved(self, before: Source, now: Source) -> bool:
        """Whether the places in what is remembered of the module's body are now others: a method above them grew."""
        memory = self._memories.get(("module", now.path))
        moved = [
            key for key, unit in now.units.items() if key in before.units and unit.digest != before.units[key].digest
        ]
        moved = [key for key in moved if key in now.classes]
        return bool(moved) and memory is not None and not places(memory.record, memory.answer).isdisjoint(moved)

    def tick(self) -> None:
        """Called often: raises `Interrupted` when nobody waits for the answer any more."""
        self._ticks += 1
        if not self._ticks & 63 and self.cancelled():
            raise Interrupted

    def reset(self) -> None:
        """Forget what was in progress, after an interruption or a failure."""
        self._forget_progress()
        self._running.clear()

    def unit(self, path: str, name: str) -> Record:
        """What a function unit's interpretation found."""
        return self._first(("function", FunctionRef(path, name))).record

    def standing(self, source: Source) -> list[Record | None]:
        """What `unit` gives of each function of a file, in order, where it is known to hold; None where it has to be asked."""
        found: list[Record | None] = []
        revision = self.revision
        for info in source.functions.values():
            known = self._memories.get(("function", info.ref))
            found.append(known.record if known is not None and known.grounds.verified == revision else None)
        return found

    def variants(self, path: str) -> Iterable[Record]:
        """What functions find as variants of themselves: wrapped by decorators, or inherited by a class of this file."""
        source = self.load(path)
        if source is None:
            return
        frame = Frame(self, source, "", Record())
        for ref, variant in list(variants.of_file(self, frame, path)):
            yield self._first(("function", ref, variant)).record

    def variant(self, info: FunctionInfo, receiver: Value | None) -> str | ClassRef | None:
        """As which variant of itself a function is called, if any."""
        if info.function.decorators and self._noted(("wrapped", info.ref)):
            return variants.DECORATED
        target = receiver.target if receiver is not None and info.owner is not None else None
        if isinstance(target, Instance) and target.cls != info.owner and self._noted(("differs", info.ref, target.cls)):
            return target.cls
        return None

    def _wrapped(self, ref: FunctionRef) -> bool:
        source, info = self.load(ref.path), self._info(ref)
        if source is None or info is None:
            return False
        return variants.is_wrapped(self, Frame(self, source, ref.name, Record()), info)

    def _differs(self, ref: FunctionRef, cls: ClassRef) -> bool:
        return variants.differs(self, ref, cls)

    def together(self, path: str) -> Record:
        """What the functions of a file find of what others leave behind."""
        return self._first(("together", path)).record

    def body(self, path: str) -> Record:
        """What a module body's interpretation found."""
        return self._first(("module", path)).record

    # --- What the memory asks ---------------------------------------------------------------------

    def _text(self, key: Key) -> bytes:
        if key[0] in ("module", "together"):
            source = self.load(key[1])
            return source.skeleton if source is not None else b""
        info = self._info(key[1])
        return info.function.digest if info is not None else b""

    def _work(self, key: Key, record: Record) -> Any:
        if key[0] == "together":
            return kept.together(self, key[1], record)
        return self._module(key[1], record) if key[0] == "module" else self._function(key[1], record, *key[2:])

    def _nothing(self, key: Key) -> Any:
        return None if key[0] == "together" else EMPTY_MODULE if key[0] == "module" else NOTHING

    def _work_small(self, need: Key) -> Any:
        return _SMALL[need[0]](self, *need[1:])

    # --- Running ----------------------------------------------------------------------------------

    def _function(self, ref: FunctionRef, record: Record, variant: str | ClassRef | None = None) -> Summary:
        source, info = self.load(ref.path), self._info(ref)
        if source is None or info is None:
            return NOTHING
        record.files.add(ref.path)
        frame = Frame(self, source, ref.name, record)
        frame.function = info.function
        frame.self_class = info.owner
        owner = variant if isinstance(variant, ClassRef) else info.owner
        handling = self.handling(frame, info.function, owner)
        frame.handler, frame.route = handling.model, handling.route
        self._enter(frame, info.function, handling, owner)
        parameters = {index: frame.variables[p.name].ref for index, p in enumerate(info.function.parameters) if p.name}
        if variant == variants.DECORATED:
            frame.exits.append((variants.decorated(frame, ref, info.function), frame.variables, frame.heap))
            return summarise(frame, info.function, parameters, frozenset(self.catalogue.flows))
        frame.answers = Answers()
        statements.run(frame, info.function.body)
        self._leave(frame, handling)
        return summarise(frame, info.function, parameters, frozenset(self.catalogue.flows))

    def _enter(self, frame: Frame, function: ir.Function, handling: Handling, owner: ClassRef | None) -> None:
        """Bind the parameters: symbols for what callers pass, and the client's data where a framework calls."""
        model = handling.model
        place = 0
        for index, parameter in enumerate(function.parameters):
            symbol = Taint("", Parameter(index), parameter.name, frozenset(), None, 2)
            taints: tuple[Taint, ...] = (symbol,)
            value: Value | None = None
            is_self = (
                index == 0 and owner is not None and not any(syntax.last_name(d) in STATIC for d in function.decorators)
            )
            if is_self and owner is not None:
                target = ClassRef(owner.path, owner.name) if parameter.name == "cls" else Instance(owner)
                value = Value(taints, UNKNOWN, self.library_base(target), target, 0, None, parameter.name)
            else:
                path = ""
                typed: Value | None = None
                if model is not None and parameter.kind != "only-keyword":
                    path = model.types[place] if place < len(model.types) else ""
                    place += 1
                if path:
                    value = Value(taints, UNKNOWN, path, None, 0, None, parameter.name)
                elif parameter.annotation is not None:
                    typed = declared.annotated(frame, parameter.annotation)
                    if typed is not None:
                        value = Value(taints, UNKNOWN, typed.path, typed.target, 0, None, parameter.name)
                if (
                    model is not None
                    and model.parameters
                    and not path
                    and (value is None or value.path is None or plain_type(value.path))
                ):
                    site = frame.site(parameter)
                    trail = Trail(None, site, f"the client's `{parameter.name}`")
                    taints = (symbol, Taint(model.parameters, site, parameter.name, frozenset(), trail, 2))
                    kind = dict(handling.types).get(parameter.name) or (value.path if value is not None else None)
                    if kind:
                        cleared = self.cleared_by_type(frame, kind)
                        taints = (symbol, taints[1].clear(cleared))
                    elif value is not None and isinstance(value.target, Instance):
                        for base in self.bases(value.target.cls):
                            cleared = self.cleared_by_type(frame, base) if isinstance(base, str) else frozenset()
                            taints = (symbol, taints[1].clear(cleared))
                    for told in (typed, declared.called(frame, parameter.default)):
                        if told is not None and told.shape is not None:
                            taints = (symbol, taints[1].clear(fields.cleared(frame, told, told.shape)))
                if value is None:
                    value = Value(taints, name=parameter.name)
                elif value.taints is not taints:
                    value = value.tainted(taints)
            if parameter.kind == "*":
                rest = Value(taints)
                value = Value(ref=frame.allocate(Shape("list", {}, rest, closed=False)), name=parameter.name)
            elif parameter.kind == "**":
                rest = Value(taints)
                value = Value(ref=frame.allocate(Shape("dict", {}, rest, closed=False)), name=parameter.name)
            else:
                ref = frame.allocate(Shape("parameter", {}, None, closed=False))
                value = Value(value.taints, UNKNOWN, value.path, value.target, ref, None, parameter.name)
            if parameter.pattern is not None:
                assignment.assign(frame, parameter.pattern, value, parameter)
            if parameter.name:
                frame.variables[parameter.name] = value

    def _leave(self, frame: Frame, handling: Handling) -> None:
        """The end of a body: falling off it is an exit, and nested functions nobody called are interpreted."""
        if frame.alive:
            frame.exits.append((Value(const=None), frame.variables, frame.heap))
            if frame.answers is not None:
                frame.answers.false.append(frame.variables)
        variables: Variables = {}
        heap: Heap = {}
        for index, (_, at_exit, heap_at_exit) in enumerate(frame.exits):
            if index == 0:
                variables, heap = at_exit.copy(), heap_at_exit.copy()
            else:
                variables, heap = join_states(variables, heap, at_exit.copy(), heap_at_exit)
        if frame.nested:
            frame.variables, frame.heap, frame.alive = variables or frame.variables, heap or frame.heap, True
            for closure in frame.nested:
                self._run_nested(frame, closure)

    def _run_nested(self, frame: Frame, closure: Closure) -> None:
        function = closure.function
        if id(function) in self._running:
            return
        handling = self.handling(frame, function, None)
        if handling.model is None and function in frame.record.handed:
            return
        if frame.depth > 12:
            return
        passed: dict[int, Value] = {}
        if handling.model is not None:
            passed = self._nested_arguments(frame, function, handling.model, dict(handling.types))
        self.run_inline(frame, function, passed, closure, None, handling.model, handling.route)

    def run_inline(
        self,
        frame: Frame,
        function: ir.Function,
        passed: dict[int, Value],
        closure: Closure | None,
        ref: FunctionRef | None,
        handler: HandlerModel | None = None,
        route: str | None = None,
    ) -> Value:
        """Interpret a function with known arguments in the caller's heap, as part of the caller's unit."""
        if closure is not None:
            outer = closure.frame
            child = Frame(self, outer.source, closure.unit, frame.record, outer)
        else:
            assert ref is not None
            source, info = self.load(ref.path), self._info(ref)
            if source is None or info is None:
                return UNKNOWN_VALUE
            child = Frame(self, source, ref.name, frame.record)
            child.self_class = info.owner
        child.function = function
        child.heap = frame.heap
        child.depth = frame.depth + 1
        child.handler, child.route = handler, route if handler is not None else frame.route
        self._running.add(id(function))
        try:
            for index, parameter in enumerate(function.parameters):
                value = passed.get(index)
                if value is None:
                    value = UNKNOWN_VALUE
                    if parameter.kind in ("*", "**"):
                        kind = "list" if parameter.kind == "*" else "dict"
                        value = Value(ref=child.allocate(Shape(kind, {}, UNKNOWN_VALUE, closed=False)))
                    elif parameter.default is not None and not handler:
                        value = (
                            without_constant(expressions.evaluate(child, parameter.default))
                            if closure
                            else (expressions.evaluate(child, parameter.default))
                        )
                    elif parameter.annotation is not None:
                        value = declared.annotated(child, parameter.annotation) or UNKNOWN_VALUE
                if parameter.pattern is not None:
                    assignment.assign(child, parameter.pattern, value, parameter)
                if parameter.name:
                    if value.name != parameter.name:
                        value = Value(
                            value.taints, value.const, value.path, value.target, value.ref, value.shape, parameter.name
                        )
                    child.variables[parameter.name] = value
            statements.run(child, function.body)
            if child.alive:
                child.exits.append((Value(const=None), child.variables, child.heap))
            heap: Heap = frame.heap
            result: Value | None = None
            for index, (value, _, heap_at_exit) in enumerate(child.exits):
                if index == 0:
                    heap = heap_at_exit.copy()
                    result = value
                else:
                    _, heap = join_states({}, heap, {}, heap_at_exit)
                    result = join(result or value, value, heap)
            frame.heap = heap
            child.heap = heap
            if child.nested:
                child.alive = True
                for inner in child.nested:
                    self._run_nested(child, inner)
                frame.heap = child.heap
        finally:
            self._running.discard(id(function))
        if function.is_generator and child.yields is not None:
            return Value(ref=frame.allocate(Shape("list", {}, child.yields, closed=False)))
        return result if result is not None else UNKNOWN_VALUE

    def _module(self, path: str, record: Record) -> ModuleState:
        source = self.load(path)
        if source is None:
            return EMPTY_MODULE
        record.files.add(path)
        frame = Frame(self, source, "", record)
        frame.exports = {}
        for key, unit in source.units.items():
            if not frame.alive:
                frame.alive = True  # a module that ends in `raise` or `exit` still defines what follows
            statement = unit.statement
            if isinstance(statement, ir.FunctionDefinition) and source.functions[key].owner is not None:
                continue  # a method: its class's body defines it
            frame.unit = key
            statements.run(frame, [statement])
        for closure in frame.nested:
            frame.unit = closure.unit
            self._run_nested(frame, closure)
        variables = {name: freeze(value, frame.heap) for name, value in frame.variables.items()}
        exports = {name: freeze(value, frame.heap) for name, value in frame.exports.items()}
        attributes = dict(record.handlers)
        return ModuleState(variables, exports, attributes)


_SMALL: Final[dict[str, Callable[..., Any]]] = {
    "global": Engine._global,
    "export": Engine._export,
    "bases": Engine._bases,
    "class": Engine._outline,
    "lineage": Engine._lineage,
    "differs": Engine._differs,
    "made": Engine._made,
    "resolve": Engine._resolve,
    "store": Engine._store,
    "store from": Engine._store_from,
    "attribute": Engine._attribute,
    "template": rendering.find,
    "unescaped": rendering.unescaped,
    "wrapped": Engine._wrapped,
}
