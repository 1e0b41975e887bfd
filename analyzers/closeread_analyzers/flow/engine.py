"""Summaries and module bodies on demand, what they rest on, and the memory of both.

Two questions are remembered: what a function does (`("function", ref)`) and what a module's body
leaves behind (`("module", path)`). While one is being answered, everything it asks of the engine is
noted in its record with the answer; when a text changes, a memory holds as long as its own text and
all the answers it rested on are the same *by value*. So an edit inside one function's body stops there.

Recursion: what is asked while it is being answered gets "does nothing". Answers given on that ground
are provisional: they serve the answer in progress and are then forgotten, so that every remembered
answer is the one that would come if it had been asked first. Results never depend on the order of asking.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from .. import ir
from ..catalogue import Catalogue, Entry, HandlerModel, Models, Sink, TypeModel, Use, name_words
from . import expressions, own, rendering, syntax
from .frame import Frame, Record, Variables, join_states
from .memory import Interrupted, Key, Memories, same
from .scopes import ClassInfo, FunctionInfo, Source
from .summaries import NOTHING, Effect, Summary, without_constant
from .touched import places
from .values import (
    NONE,
    UNKNOWN,
    UNKNOWN_VALUE,
    Bound,
    ClassRef,
    Closure,
    FunctionRef,
    Heap,
    Instance,
    ModuleRef,
    Parameter,
    Shape,
    Taint,
    Trail,
    Value,
    freeze,
    join,
    join_shapes,
    join_taints,
    shallow_join,
    thaw,
)

if TYPE_CHECKING:
    from .watch import Watch

MAX_CHANGED: Final = 8
"""Changed files up to which it is worth finding what of them is different."""

CONSTRUCTORS: Final = ("__init__", "constructor")
_PROPERTY: Final = ("property", "cached_property", "reify", "hybrid_property")
_STATIC: Final = ("staticmethod",)
_NUMBER: Final = re.compile(r"\d+(_|$)")
_ROUTE_TYPED: Final = re.compile(r"<(\w+)(?:\([^)]*\))?:(\w+)>")
_ROUTE_VARIABLE: Final = re.compile(r"[<{*(:]")


class Namespace(NamedTuple):
    """A folder of the workspace reached by `import a.b`: it has no file of its own."""

    importer: str
    name: str


class Outline(NamedTuple):
    """A class's own methods, and its annotated attributes in order."""

    methods: dict[str, FunctionRef]
    fields: tuple[str, ...]


class ModuleState(NamedTuple):
    """What a module's body leaves behind; all values frozen."""

    variables: dict[str, Value]
    exports: dict[str, Value]
    attributes: dict[str, dict[str, Value]]


@dataclass(slots=True, eq=False)
class Handling:
    """A function that a framework calls: by which model; "literal" if its route has no variable part; parameters the route types."""

    model: HandlerModel | None
    route: str | None
    types: tuple[tuple[str, str], ...] = ()


NOT_HANDLED: Final = Handling(None, None)
EMPTY_MODULE: Final = ModuleState({}, {}, {})


class Engine(Memories):
    """The flow analysis of a project. One thread at a time.

    `load(path)` gives a file's `Source`, or None if there is no such file in the project.
    """

    def __init__(
        self, catalogue: Catalogue, load: Callable[[str], Source | None], exists: Callable[[str], bool]
    ) -> None:
        super().__init__()
        self.catalogue = catalogue
        self.load = load
        self.has_file = exists
        self.literal_kinds = frozenset(
            kind for kind, rules in catalogue.flows.items() if any("literal" in rule.flow_from for rule in rules)
        )
        self.cancelled: Callable[[], bool] = lambda: False
        self.observer: Watch | None = None
        self._ticks = 0
        self._running: set[int] = set()
        self._sizes: dict[ir.Node, int] = {}
        self._bound: dict[ir.Node, frozenset[str]] = {}
        self._named: dict[tuple[str, str], tuple[Sink, ...]] = {}
        self._changed: dict[str, Source | None] = {}
        self._missing: dict[str, dict[tuple[str, int], tuple[str, ...]]] = {}
        self._folders: dict[str, bool] = {}

    outlines = frozenset(["global", "export", "bases", "class", "resolve", "attribute", "template"])

    # --- Revisions and memory ---------------------------------------------------------------------

    def change(self, path: str, before: Source | None) -> None:
        """A file's text changed; `before` is what it was, if it was asked for."""
        self._changed.setdefault(path, before)

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
        if len(self._sizes) > 50_000:
            self._sizes.clear()
            self._bound.clear()

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

    def body(self, path: str) -> Record:
        """What a module body's interpretation found."""
        return self._first(("module", path)).record

    # --- What the memory asks ---------------------------------------------------------------------

    def _text(self, key: Key) -> bytes:
        if key[0] == "module":
            source = self.load(key[1])
            return source.skeleton if source is not None else b""
        info = self._info(key[1])
        return info.function.digest if info is not None else b""

    def _work(self, key: Key, record: Record) -> Any:
        return self._module(key[1], record) if key[0] == "module" else self._function(key[1], record)

    def _nothing(self, key: Key) -> Any:
        return EMPTY_MODULE if key[0] == "module" else NOTHING

    def _work_small(self, need: Key) -> Any:
        return _SMALL[need[0]](self, *need[1:])

    # --- Sources ----------------------------------------------------------------------------------

    def _info(self, ref: FunctionRef) -> FunctionInfo | None:
        source = self.load(ref.path)
        return source.functions.get(ref.name) if source is not None else None

    def function(self, frame: Frame, ref: FunctionRef) -> FunctionInfo | None:
        """A function of the workspace. Noted by its text, since callers bind its parameters."""
        info = self._info(ref)
        record = self._records[-1]
        record.needs[("text", ("function", ref))] = info.function.digest if info is not None else b""
        record.files.add(ref.path)
        return info

    def summary(self, frame: Frame, ref: FunctionRef) -> Summary | None:
        """What a function does, or None if there is no such function."""
        if self._info(ref) is None:
            return None
        answer: Summary = self._asked(("function", ref))
        return answer

    def text(self, source: Source, unit: str, node: ir.Node) -> str:
        """A node's source text."""
        start = self.start(source, unit)
        return source.module.source[start + node.start : start + min(node.end, node.start + 200)].decode(
            "utf-8", "replace"
        )

    def start(self, source: Source, unit: str) -> int:
        """Where a unit starts in its file, in bytes."""
        found = source.units.get(unit)
        return found.start if found is not None else 0

    def size(self, function: ir.Function) -> int:
        """How many statements a function has, nested ones included."""
        known = self._sizes.get(function)
        if known is None:
            known = self._sizes[function] = syntax.count(function.body)
        return known

    def bound_names(self, node: ir.Node, body: list[ir.Statement]) -> frozenset[str]:
        """The names that a loop binds."""
        known = self._bound.get(node)
        if known is None:
            known = self._bound[node] = syntax.bound_names([node, *body])  # type: ignore[list-item]
        return known

    def is_running(self, function: ir.Function) -> bool:
        """Whether an inline interpretation of it is in progress."""
        return id(function) in self._running

    # --- Names across files -----------------------------------------------------------------------

    def global_value(self, frame: Frame, path: str, name: str) -> Value:
        """What a module-level (or built-in) name holds, ready for use in `frame`."""
        value: Value = self._noted(("global", path, name)) or UNKNOWN_VALUE
        if value.shape is None:
            return value
        root = frame
        while root.parent is not None:
            root = root.parent
        thawed = thaw(value, frame.heap)
        if root.source.path == path:
            root.variables[name] = thawed
        return thawed

    def _global(self, path: str, name: str) -> Value:
        source = self.load(path)
        if source is None:
            return UNKNOWN_VALUE
        found = self._defined(source, name)
        if found is not None:
            return found
        for star in source.stars:
            target = self._resolved(path, star.module, star.level)
            if target is not None:
                found = self._exported(target, name)
                if found is not None:
                    return found
        return Value(path=name, name=name)

    def _defined(self, source: Source, name: str) -> Value | None:
        """What the file itself binds a name to."""
        if name in source.functions:
            return Value(target=FunctionRef(source.path, source.latest[name]), name=name)
        if name in source.classes:
            return Value(target=ClassRef(source.path, name), name=name)
        if name not in self._assigned(source):
            if name in source.imports:
                return self._imported(source.path, source.imports[name])
            return None
        state: ModuleState = self._asked(("module", source.path))
        value = state.variables.get(name)
        if value is None:
            return self._imported(source.path, source.imports[name]) if name in source.imports else None
        return mutable(name, value)

    def _assigned(self, source: Source) -> frozenset[str]:
        known = self._bound.get(source.module)  # type: ignore[call-overload]
        if known is None:
            statements = [unit.statement for unit in source.module.units if not unit.name]
            known = self._bound[source.module] = syntax.bound_names(statements)  # type: ignore[index]
        return known  # type: ignore[no-any-return]

    def imported(self, frame: Frame, source: Source, node: ir.Import) -> Value:
        """What an import statement binds."""
        value = self._imported(source.path, node)
        return thaw(value, frame.heap)

    def _imported(self, importer: str, node: ir.Import) -> Value:
        name = node.bound or node.module.rpartition("/")[2]
        if node.root:
            root = node.module.partition(".")[0]
            target = self._resolved(importer, root, 0)
            if target is not None:
                return Value(target=ModuleRef(target), name=name)
            if self._resolved(importer, node.module, 0) is not None:
                return Value(target=Namespace(importer, root), name=name)
            return Value(path=root, name=name)
        target = self._resolved(importer, node.module, node.level)
        if node.member is None:
            if target is not None:
                return Value(target=ModuleRef(target), name=name)
            return Value(path=node.module, name=name)
        if target is not None:
            found = self._exported(target, node.member)
            if found is not None:
                return found
            below = self._resolved(target, node.member, 1) if node.member not in ("default", "*") else None
            if below is not None:
                return Value(target=ModuleRef(below), name=name)
            return Value(target=ModuleRef(target), name=name) if node.member in ("default", "*") else Value(name=name)
        inner = f"{node.module}.{node.member}" if node.module else node.member
        below = self._resolved(importer, inner, node.level)
        if below is not None:
            return Value(target=ModuleRef(below), name=name)
        if node.level and not node.module:
            return Value(name=name)
        return Value(path=self._canonical(importer, node.module if node.member == "default" else inner), name=name)

    def _canonical(self, importer: str, path: str) -> str:
        source = self.load(importer)
        return canonical(source.models, path) if source is not None else path

    def _resolved(self, importer: str, module: str, level: int) -> str | None:
        return self._noted(("resolve", importer, module, level))  # type: ignore[no-any-return]

    def _resolve(self, importer: str, module: str, level: int) -> str | None:
        """The project file that a module is, or None."""
        source = self.load(importer)
        found = None
        if source is not None:
            absent: dict[str, None] = {}
            for candidate in source.language.resolve(importer, module, level):
                if candidate != importer:
                    if self.has_file(candidate) and self.load(candidate) is not None:
                        found = candidate
                        break
                    absent[self._lacking(candidate, importer)] = None
            known = found is None and not level and module.partition(".")[0] in source.models.known_modules
            self._missing.setdefault(importer, {})[module, level] = () if known else tuple(absent)
        return found

    def _lacking(self, path: str, importer: str) -> str:
        """What has to appear before a file can: the outermost of its folders that is not there, or itself."""
        end = path.find("/") + 1
        while end:
            folder = path[:end]
            there = self._folders.get(folder)
            if there is None:
                there = self._folders[folder] = importer.startswith(folder) or self.has_file(folder)
            if not there:
                return folder
            end = path.find("/", end) + 1
        return path

    def missing(self, path: str) -> Iterable[str]:
        """The paths that would change what a file's imports mean if they existed; folders end with a slash.

        Those of libraries that the models know are left out: nobody shadows them, and they are many.
        """
        return (absent for tried in self._missing.get(path, {}).values() for absent in tried)

    def waiting_for(self, path: str) -> frozenset[str]:
        """The files whose imports looked for a file that is new."""

        def is_for(absent: str) -> bool:
            return path == absent or (absent.endswith("/") and path.startswith(absent))

        return frozenset(
            importer
            for importer, tried in self._missing.items()
            if any(is_for(a) for some in tried.values() for a in some)
        )

    def exported(self, frame: Frame, path: str, name: str) -> Value | None:
        """A module's member, ready for use in `frame`."""
        value = self._exported(path, name)
        return None if value is None else thaw(value, frame.heap)

    def _exported(self, path: str, name: str) -> Value | None:
        return self._noted(("export", path, name))  # type: ignore[no-any-return]

    def _export(self, path: str, name: str) -> Value | None:
        source = self.load(path)
        if source is None:
            return None
        self._records[-1].files.add(path)
        if source.has_exports:
            state: ModuleState = self._asked(("module", path))
            found = state.exports.get(name)
            if found is not None:
                return found
            whole = state.exports.get("*") or state.exports.get("default")
            if whole is not None and name not in ("*", "default"):
                shape = whole.shape
                if shape is not None and name in shape.items:
                    return shape.items[name]
                return None
            if name not in ("*", "default"):
                return self._defined(source, name)
            return None
        found = self._defined(source, name)
        if found is None:
            for star in source.stars:
                target = self._resolved(path, star.module, star.level)
                if target is not None and target != path:
                    found = self._exported(target, name)
                    if found is not None:
                        break
        return found

    # --- Classes ----------------------------------------------------------------------------------

    def _class(self, cls: ClassRef) -> ClassInfo | None:
        source = self.load(cls.path)
        return source.classes.get(cls.name) if source is not None else None

    def _outlined(self, cls: ClassRef) -> Outline | None:
        return self._noted(("class", cls))  # type: ignore[no-any-return]

    def _outline(self, cls: ClassRef) -> Outline | None:
        """What others see of a class itself."""
        info = self._class(cls)
        if info is None:
            return None
        fields: list[str] = []
        for statement in info.definition.body:
            if isinstance(statement, ir.Assign) and statement.annotation is not None:
                fields += [target.id for target in statement.targets if isinstance(target, ir.Name)]
        return Outline(info.methods, tuple(dict.fromkeys(fields)))

    def bases(self, cls: ClassRef) -> tuple[ClassRef | str, ...]:
        """What a class inherits from, nearest first, itself not included: workspace classes and library paths."""
        return self._noted(("bases", cls)) or ()

    def _bases(self, cls: ClassRef) -> tuple[ClassRef | str, ...]:
        found: list[ClassRef | str] = []
        info, source = self._class(cls), self.load(cls.path)
        if info is not None and source is not None:
            frame = Frame(self, source, info.unit, Record())
            for argument in info.definition.bases:
                if argument.name is not None:
                    continue
                node = argument.value
                while isinstance(node, (ir.Call, ir.Subscript)):
                    node = node.callee if isinstance(node, ir.Call) else node.value
                value = expressions.plain_path(frame, node)
                if value is None:
                    continue
                if isinstance(value.target, ClassRef):
                    found += [value.target, *(base for base in self.bases(value.target) if base not in found)]
                elif value.path is not None:
                    found.append(canonical(source.models, value.path))
        return tuple(dict.fromkeys(found))

    def library_base(self, target: Any) -> str | None:
        """The library class that a workspace class (or an instance of one) is, by inheritance."""
        cls = target.cls if isinstance(target, Instance) else target
        if not isinstance(cls, ClassRef):
            return None
        paths = [base for base in self.bases(cls) if isinstance(base, str)]
        source = self.load(cls.path)
        known = source.models.known_modules if source is not None else frozenset()
        return next((path for path in paths if path.partition(".")[0] in known), paths[0] if paths else None)

    def member(self, frame: Frame, target: Any, name: str, value: Value) -> Value | None:
        """`value.name` where value is something of the workspace; None when the workspace does not say."""
        if isinstance(target, ModuleRef):
            found = self.exported(frame, target.path, name)
            if found is not None:
                return found
            for whole_name in ("*", "default"):
                whole = self.exported(frame, target.path, whole_name)
                if whole is not None and isinstance(whole.target, (Instance, ClassRef)):
                    return self.member(frame, whole.target, name, whole)
            below = self._resolved(target.path, name, 1)
            return Value(target=ModuleRef(below), name=name) if below is not None else None
        if isinstance(target, Namespace):
            dotted = f"{target.name}.{name}"
            file = self._resolved(target.importer, dotted, 0)
            if file is not None:
                return Value(target=ModuleRef(file), name=name)
            return Value(target=Namespace(target.importer, dotted), name=name)
        if isinstance(target, Instance):
            return self._class_member(frame, target.cls, name, value, True)
        if isinstance(target, ClassRef):
            return self._class_member(frame, target, name, value, False)
        return None

    def _class_member(self, frame: Frame, cls: ClassRef, name: str, value: Value, instance: bool) -> Value | None:
        for owner in (cls, *self.bases(cls)):
            if isinstance(owner, str):
                continue
            outline = self._outlined(owner)
            if outline is None:
                continue
            method = outline.methods.get(name)
            if method is not None:
                function = self.function(frame, method)
                decorators = [] if function is None else [syntax.last_name(d) for d in function.function.decorators]
                if instance and any(decorator in _PROPERTY for decorator in decorators):
                    from .calls import Arguments, invoke

                    got = Value(target=Bound(method, value), name=name)
                    return invoke(frame, ir.Node(0, 0), got, [], None, Arguments([], {}))
                if instance or "classmethod" in decorators:
                    return Value(target=Bound(method, value), name=name)
                return Value(target=method, name=name)
            attribute = self._noted(("attribute", owner, name))
            if attribute is not None:
                if (
                    attribute.path is None
                    and attribute.target is None
                    and not attribute.taints
                    and attribute.shape is None
                ):
                    break  # a plain default, which instances mostly replace: the constructor may say more
                found = thaw(attribute, frame.heap)
                if not instance or not value.taints or attribute.path is None or not _plain_type(attribute.path):
                    return found
                # `name: str` says what kind of text an instance holds, and nothing of where it comes from
                cleared = self.cleared_by_type(frame, attribute.path)
                held = tuple([taint.part(name).clear(cleared) for taint in value.taints])
                return found.tainted(join_taints(found.taints, held))
        if not instance:
            return (
                thaw(attribute, frame.heap)
                if (attribute := self._noted(("attribute", cls, name))) is not None
                else None
            )
        field = self.field(frame, cls, name)
        if field is None:
            return None
        taints = join_taints(field.taints, tuple([taint.part(name) for taint in value.taints]))
        return thaw(Value(taints, UNKNOWN, field.path, field.target, 0, field.shape, name), frame.heap)

    def _attribute(self, cls: ClassRef, name: str) -> Value | None:
        """A class attribute's frozen value."""
        info = self._class(cls)
        if info is None or name not in self._class_names(info):
            return None
        state: ModuleState = self._asked(("module", cls.path))
        return state.attributes.get(cls.name, {}).get(name)

    def _class_names(self, info: ClassInfo) -> frozenset[str]:
        known = self._bound.get(info.definition)
        if known is None:
            known = self._bound[info.definition] = syntax.bound_names(info.definition.body)
        return known

    def field(self, frame: Frame, cls: ClassRef, name: str) -> Value | None:
        """What the constructor leaves in an attribute, as far as it does not depend on who constructs."""
        constructor = self.constructor(frame, cls)
        if constructor is None:
            return None
        summary = self.summary(frame, constructor)
        for effect in summary.effects if summary is not None else ():
            if effect.place == 0 and effect.key == name:
                value = effect.value
                return concrete(value, name)
        return None

    def constructor(self, frame: Frame, cls: ClassRef) -> FunctionRef | None:
        """The function that makes an instance, own or inherited."""
        for owner in (cls, *self.bases(cls)):
            outline = self._outlined(owner) if isinstance(owner, ClassRef) else None
            if outline is not None:
                for name in CONSTRUCTORS:
                    if name in outline.methods:
                        return outline.methods[name]
        return None

    def fields_in_order(self, frame: Frame, cls: ClassRef) -> list[str]:
        """The annotated attributes of a class without a constructor: a record's fields, as its arguments fill them."""
        names: list[str] = []
        owners = [owner for owner in (cls, *self.bases(cls)) if isinstance(owner, ClassRef)]
        for owner in reversed(owners):
            outline = self._outlined(owner)
            names += [name for name in outline.fields if name not in names] if outline is not None else ()
        return names

    def static(self, info: FunctionInfo) -> bool:
        """Whether a method takes no receiver."""
        return info.owner is not None and any(syntax.last_name(d) in _STATIC for d in info.function.decorators)

    def super_of(self, frame: Frame, cls: ClassRef, arguments: Any) -> Value:
        """`super()` in a method of `cls`: the next class, with the method's own receiver."""
        receiver = UNKNOWN_VALUE
        if frame.function is not None and frame.function.parameters:
            receiver = frame.variables.get(frame.function.parameters[0].name, UNKNOWN_VALUE)
        nearest = next(iter(self.bases(cls)), None)
        if isinstance(nearest, ClassRef):
            return Value(receiver.taints, UNKNOWN, None, Instance(nearest), receiver.ref, None, "super")
        return Value(receiver.taints, UNKNOWN, nearest, None, receiver.ref, None, "super")

    def define_class(self, frame: Frame, definition: ir.Class) -> Value:
        """Run a class body; keep what it binds as the class's attributes."""
        name = f"{frame.self_class.name}.{definition.name}" if frame.self_class is not None else definition.name
        known = frame.source.classes.get(name)
        ours = known is not None and known.definition is definition
        child = Frame(self, frame.source, frame.unit, frame.record, frame)
        child.depth = frame.depth
        child.self_class = ClassRef(frame.source.path, name) if ours else None
        for decorator in definition.decorators:
            expressions.evaluate(frame, decorator)
        child.run(definition.body)
        frame.heap = child.heap
        frame.nested += child.nested
        if not ours:
            return Value(name=definition.name)
        root = frame
        while root.parent is not None:
            root = root.parent
        if root.exports is not None:
            attributes = {key: freeze(value, child.heap) for key, value in child.variables.items()}
            frame.record.handlers.append((name, attributes))
        return Value(target=ClassRef(frame.source.path, name), name=definition.name)

    # --- What the models say of names and text ----------------------------------------------------

    def named_sinks(self, models: Models, name: str) -> tuple[Sink, ...]:
        """The sinks that something is by its name."""
        key = (models.language, name)
        known = self._named.get(key)
        if known is None:
            words = _NUMBER.sub(r"\1", name_words(name))
            known = tuple(entry for entry in models.named if entry.name is not None and entry.name.search(words))
            if len(self._named) > 100_000:
                self._named.clear()
            self._named[key] = known
        return known

    def cleared_behind(self, prefix: str) -> frozenset[str]:
        """The sink kinds for which data is harmless behind this constant text."""
        return frozenset(kind for kind, pattern in self.catalogue.prefixes.items() if pattern.match(prefix))

    def canonical(self, frame: Frame, path: str) -> str:
        """The path under which the models know a type."""
        return canonical(frame.models, path)

    def operator_path(self, frame: Frame, operator: str, left: Value) -> str | None:
        """The path of an operator's result: joining with `/` gives another of the same."""
        return left.path if operator == "/" else None

    def annotation_text(self, frame: Frame, text: str) -> Value | None:
        """A quoted annotation: a dotted name."""
        names = text.split(".")
        if not all(name.isidentifier() for name in names):
            return None
        node: ir.Expression = ir.Name(0, 0, names[0])
        for name in names[1:]:
            node = ir.Attribute(0, 0, node, name)
        return expressions.annotated(frame, node)

    # --- Handlers ---------------------------------------------------------------------------------

    def decorate(self, frame: Frame, function: ir.Function, value: Value) -> None:
        """A definition's decorators are evaluated, and reported where the models call one a use."""
        unit = frame.unit
        if function.is_unit and isinstance(value.target, FunctionRef):
            frame.unit = value.target.name
        for decorator in function.decorators:
            for entry in self._decorator_entries(frame, decorator):
                if isinstance(entry, Use):
                    frame.use(entry.kind, decorator, 2, entry.message)
            if isinstance(decorator, ir.Call):
                expressions.evaluate(frame, decorator)
        frame.unit = unit

    def _decorator_entries(self, frame: Frame, decorator: ir.Expression) -> Iterable[Entry]:
        callee = decorator.callee if isinstance(decorator, ir.Call) else decorator
        value = expressions.plain_path(frame, callee)
        if value is not None and value.path is not None:
            exact = frame.models.decorators.get(value.path)
            if exact is not None:
                return exact
            if value.path.partition(".")[0] in frame.models.known_modules:
                return ()
        elif value is not None and (path := own.path_of(frame.models.own, value.target)) is not None:
            return frame.models.decorators.get(path, ())
        if isinstance(callee, ir.Attribute):
            words = name_words(syntax.last_name(callee.value))
            wild = frame.models.wild_decorators.get(callee.name, ())
            return tuple(entry for entry in wild if entry.receiver is None or entry.receiver.search(words))
        return ()

    def handling(self, frame: Frame, function: ir.Function, owner: ClassRef | None) -> Handling:
        """How a framework calls a function, by its decorators, its class, or its first parameter's name."""
        for decorator in function.decorators:
            for entry in self._decorator_entries(frame, decorator):
                if isinstance(entry, HandlerModel) and self._speaks(frame, decorator, entry):
                    route = self._route(frame, decorator, entry)
                    if route is None:
                        return Handling(entry, None)
                    typed = tuple((name, kind) for kind, name in _ROUTE_TYPED.findall(route))
                    return Handling(entry, None if _ROUTE_VARIABLE.search(route) else "literal", typed)
        models = frame.models
        if owner is not None:
            for base in self.bases(owner):
                path = base if isinstance(base, str) else own.path_of(models.own, base)
                for entry in models.bases.get(path, ()) if path is not None else ():
                    if isinstance(entry, HandlerModel) and _is_among(entry.methods, function.name):
                        return Handling(entry, None)
        for entry in models.handlers_by_name:
            offset = 1 if owner is not None else 0
            if any(_starts_with(function.parameters[offset:], path.split(", ")) for path in entry.paths):
                return Handling(entry, None)
        return NOT_HANDLED

    def _speaks(self, frame: Frame, decorator: ir.Expression, entry: HandlerModel) -> bool:
        if not entry.when and not entry.unless:
            return True
        from .calls import Arguments, holds, quiet_arguments

        given = quiet_arguments(frame, decorator) if isinstance(decorator, ir.Call) else Arguments([], {})
        return holds(frame, entry, given, UNKNOWN_VALUE)

    def _route(self, frame: Frame, decorator: ir.Expression, entry: HandlerModel) -> str | None:
        if entry.route is None or entry.route.path is None or not isinstance(decorator, ir.Call):
            return None
        from .calls import argument_node

        node = argument_node(decorator, entry.route.path)
        if node is None:
            return None
        const = expressions.evaluate(frame, node).const
        return const if isinstance(const, str) else None

    def handle(self, frame: Frame, node: ir.Node, value: Value, entry: HandlerModel, arguments: Any) -> None:
        """A function was handed to a framework: interpret it as the framework will call it."""
        target = value.target
        ref: FunctionRef | None = None
        closure: Closure | None = None
        if isinstance(target, Closure):
            function, closure = target.function, target
            frame.record.handed.add(function)
        elif isinstance(target, FunctionRef):
            info = self.function(frame, target)
            if info is None:
                return
            function, ref = info.function, target
        else:
            return
        if self.is_running(function) or frame.depth >= 12:
            return
        passed = self._handler_arguments(frame, node, function, entry)
        self.run_inline(frame, function, passed, closure, ref, entry)

    def _handler_arguments(
        self, frame: Frame, node: ir.Node, function: ir.Function, entry: HandlerModel
    ) -> dict[int, Value]:
        passed: dict[int, Value] = {}
        place = 0
        for index, parameter in enumerate(function.parameters):
            if index == 0 and parameter.name in ("self", "this", "cls"):
                continue
            path = entry.types[place] if place < len(entry.types) else ""
            place += 1
            if path:
                passed[index] = Value(path=path, name=parameter.name)
            elif entry.parameters and parameter.name:
                site = frame.site(node)
                trail = Trail(None, site, f"the client's `{parameter.name}`")
                passed[index] = Value(
                    (Taint(entry.parameters, site, parameter.name, frozenset(), trail, 2),), name=parameter.name
                )
        return passed

    # --- Running ----------------------------------------------------------------------------------

    def _function(self, ref: FunctionRef, record: Record) -> Summary:
        source, info = self.load(ref.path), self._info(ref)
        if source is None or info is None:
            return NOTHING
        record.files.add(ref.path)
        frame = Frame(self, source, ref.name, record)
        frame.function = info.function
        frame.self_class = info.owner
        handling = self.handling(frame, info.function, info.owner)
        frame.handler, frame.route = handling.model, handling.route
        self._enter(frame, info.function, handling, info.owner)
        parameters = {index: frame.variables[p.name].ref for index, p in enumerate(info.function.parameters) if p.name}
        frame.truths = []
        frame.run(info.function.body)
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
                index == 0
                and owner is not None
                and not any(syntax.last_name(d) in _STATIC for d in function.decorators)
            )
            if is_self and owner is not None:
                target = ClassRef(owner.path, owner.name) if parameter.name == "cls" else Instance(owner)
                value = Value(taints, UNKNOWN, self.library_base(target), target, 0, None, parameter.name)
            else:
                path = ""
                if model is not None:
                    path = model.types[place] if place < len(model.types) else ""
                    place += 1
                if path:
                    value = Value(taints, UNKNOWN, path, None, 0, None, parameter.name)
                elif parameter.annotation is not None:
                    typed = expressions.annotated(frame, parameter.annotation)
                    if typed is not None:
                        value = Value(taints, UNKNOWN, typed.path, typed.target, 0, None, parameter.name)
                if (
                    model is not None
                    and model.parameters
                    and not path
                    and (value is None or value.path is None or _plain_type(value.path))
                ):
                    site = frame.site(parameter)
                    trail = Trail(None, site, f"the client's `{parameter.name}`")
                    taints = (symbol, Taint(model.parameters, site, parameter.name, frozenset(), trail, 2))
                    kind = dict(handling.types).get(parameter.name) or (value.path if value is not None else None)
                    if kind:
                        cleared = self.cleared_by_type(frame, kind)
                        taints = (symbol, taints[1].clear(cleared))
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
                expressions.assign(frame, parameter.pattern, value, parameter)
            if parameter.name:
                frame.variables[parameter.name] = value

    def cleared_by_type(self, frame: Frame, path: str) -> frozenset[str]:
        """An annotation that a framework enforces clears as calling the type would: `int` as `int(x)`."""
        cleared: frozenset[str] = frozenset()
        for entry in frame.models.calls.get(path, ()):
            cleared |= getattr(entry, "clears", frozenset())
        return cleared

    def _leave(self, frame: Frame, handling: Handling) -> None:
        """The end of a body: falling off it is an exit, and nested functions nobody called are interpreted."""
        if frame.alive:
            frame.exits.append((Value(const=None), frame.variables, frame.heap))
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

    def _nested_arguments(
        self, frame: Frame, function: ir.Function, model: HandlerModel, types: dict[str, str]
    ) -> dict[int, Value]:
        passed: dict[int, Value] = {}
        for index, parameter in enumerate(function.parameters):
            path = model.types[index] if index < len(model.types) else ""
            if path:
                passed[index] = Value(path=path, name=parameter.name)
            elif model.parameters and parameter.name:
                site = frame.site(parameter)
                trail = Trail(None, site, f"the client's `{parameter.name}`")
                taint = Taint(model.parameters, site, parameter.name, frozenset(), trail, 2)
                if parameter.name in types:
                    taint = taint.clear(self.cleared_by_type(frame, types[parameter.name]))
                elif parameter.annotation is not None:
                    typed = expressions.annotated(frame, parameter.annotation)
                    if typed is not None and typed.path is not None:
                        if not _plain_type(typed.path):
                            passed[index] = typed
                            continue
                        taint = taint.clear(self.cleared_by_type(frame, typed.path))
                passed[index] = Value((taint,), name=parameter.name)
        return passed

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
                        value = expressions.annotated(child, parameter.annotation) or UNKNOWN_VALUE
                if parameter.pattern is not None:
                    expressions.assign(child, parameter.pattern, value, parameter)
                if parameter.name:
                    if value.name != parameter.name:
                        value = Value(
                            value.taints, value.const, value.path, value.target, value.ref, value.shape, parameter.name
                        )
                    child.variables[parameter.name] = value
            child.run(function.body)
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
            frame.run([statement])
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
    "resolve": Engine._resolve,
    "attribute": Engine._attribute,
    "template": rendering.find,
    "unescaped": rendering.unescaped,
}


def concrete(value: Value, name: str = "") -> Value:
    """Of a frozen value, what does not depend on the caller: neither symbols nor constants."""
    taints = tuple(taint for taint in value.taints if not isinstance(taint.origin, Parameter))
    shape = value.shape
    if shape is not None:
        items = {key: concrete(item) for key, item in shape.items.items()}
        shape = Shape(shape.kind, items, concrete(shape.rest) if shape.rest is not None else None, closed=False)
    return Value(taints, UNKNOWN, value.path, value.target, 0, shape, name)


def canonical(models: Models, path: str) -> str:
    """The path under which the models know what this path is an instance of, or another name of."""
    for entry in models.attributes.get(path, ()):
        if isinstance(entry, TypeModel) and not entry.when and not entry.unless:
            return entry.returns
    return path


def _is_among(methods: tuple[str, ...], name: str) -> bool:
    """Whether a method is one that a model names; `resolve_*` names all that start so."""
    return name in methods or any(m.endswith("*") and name.startswith(m[:-1]) for m in methods)


def _starts_with(parameters: list[ir.Parameter], names: list[str]) -> bool:
    """Whether a function's first parameters are called so, and nothing else says what they are."""
    return len(parameters) >= len(names) and all(
        parameter.name == name and parameter.annotation is None
        for parameter, name in zip(parameters, names, strict=False)
    )


def _plain_type(path: str) -> bool:
    """A built-in type's bare name: what a framework makes of text."""
    return "." not in path


def mutable(name: str, value: Value) -> Value:
    """A module-level value as functions may find it: only what is written like a constant is sure to be one."""
    if name.isupper() and len(name) > 1:
        return value
    const = value.const if isinstance(value.const, (str, bytes)) else UNKNOWN
    shape = value.shape
    if shape is not None and shape.kind in ("list", "dict", "set"):
        shape = Shape(shape.kind, shape.items, shape.rest or UNKNOWN_VALUE, closed=False)
    if const is value.const and shape is value.shape:
        return value
    return Value(value.taints, const, value.path, value.target, 0, shape, value.name)


def summarise(frame: Frame, function: ir.Function, parameters: dict[int, int], kinds: frozenset[str]) -> Summary:
    """The summary of a function that has been interpreted on symbols."""
    returns: Value | None = None
    alias = -2
    by_ref = {ref: index for index, ref in parameters.items() if ref}
    for value, _, heap in frame.exits:
        this = by_ref.get(value.ref, -1) if value.ref else -1
        alias = this if alias in (-2, this) else -1
        frozen = freeze(value, heap)
        if frozen.shape is not None and frozen.shape.kind == "parameter":
            frozen = Value(frozen.taints, frozen.const, frozen.path, frozen.target, 0, None, frozen.name)
        returns = frozen if returns is None else _join_frozen(returns, frozen)
    if function.is_generator:
        inner = frame.yields or UNKNOWN_VALUE
        shape = Shape("list", {}, freeze(inner, frame.heap), closed=False)
        returns, alias = Value(shape=shape), -1
    effects: dict[tuple[int, Any], Value] = {}
    for index, ref in parameters.items():
        for _, _, heap in frame.exits:
            shape_at_exit = heap.get(ref)
            if shape_at_exit is None or shape_at_exit.kind != "parameter":
                continue
            for key, value in shape_at_exit.items.items():
                frozen = freeze(value, heap)
                known = effects.get((index, key))
                effects[index, key] = frozen if known is None else _join_frozen(known, frozen)
            if shape_at_exit.rest is not None:
                frozen = freeze(shape_at_exit.rest, heap)
                known = effects.get((index, None))
                effects[index, None] = frozen if known is None else _join_frozen(known, frozen)
    return Summary(
        returns or UNKNOWN_VALUE,
        max(alias, -1),
        tuple(frame.record.sinks.values()),
        tuple(Effect(index, key, value) for (index, key), value in effects.items()),
        _cleared(function, parameters, frame.truths or [], kinds),
        _cleared(function, parameters, [variables for _, variables, _ in frame.exits], kinds),
    )


def _join_frozen(left: Value, right: Value) -> Value:
    joined = shallow_join(left, right)
    if left.shape is not None and right.shape is not None and left.shape is not right.shape:
        shape = join_shapes(left.shape, right.shape, {})
        return Value(joined.taints, joined.const, joined.path, joined.target, 0, shape, joined.name)
    return joined


def _cleared(
    function: ir.Function, parameters: dict[int, int], states: list[Variables], kinds: frozenset[str]
) -> tuple[tuple[int, frozenset[str]], ...]:
    """Which parameters, still what the caller gave, are harmless in all of some states."""
    found: list[tuple[int, frozenset[str]]] = []
    for index, ref in parameters.items() if states else ():
        cleared = kinds
        for variables in states:
            value = variables.get(function.parameters[index].name)
            if value is None or value.ref != ref:
                cleared = frozenset()
                break
            symbols = [taint for taint in value.taints if taint.origin == Parameter(index)]
            cleared = cleared.intersection(*(taint.cleared for taint in symbols)) if symbols else cleared
        if cleared:
            found.append((index, cleared))
    return tuple(found)


__all__ = ["NONE", "Engine", "Interrupted", "same"]
