"""What a name means, across files: definitions, imports, re-exports, built-ins; and the engine's state.

Imports are followed inside the workspace by the candidates that the language offers; what leads out of it is an
access path for the models. Deliberately absent: what classes have (classes.py) and anything that runs code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final, NamedTuple, cast

from .. import ir
from ..catalogue import Catalogue, Models, Sink, TypeModel
from . import kept, syntax
from .frame import Frame, StoreKey
from .memory import Memories
from .scopes import FunctionInfo, Source
from .summaries import Summary
from .taints import Parameter
from .values import UNKNOWN, UNKNOWN_VALUE, ClassRef, FunctionRef, Instance, ModuleRef, Shape, Value, thaw

if TYPE_CHECKING:
    from .engine import Engine
    from .watch import Observer


class Namespace(NamedTuple):
    """A folder of the workspace reached by `import a.b`: it has no file of its own."""

    importer: str
    name: str


class ModuleState(NamedTuple):
    """What a module's body leaves behind; all values frozen."""

    variables: dict[str, Value]
    exports: dict[str, Value]
    attributes: dict[str, dict[str, Value]]


EMPTY_MODULE: Final = ModuleState({}, {}, {})


class Names(Memories):
    """Names, and the files they lead to. `load(path)` gives a file's `Source`, or None if there is none."""

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
        self.observer: Observer | None = None
        self._ticks = 0
        self._edits = 0
        self._running: set[int] = set()
        self._sizes: dict[ir.Node, int] = {}
        self._bound: dict[ir.Node, frozenset[str]] = {}
        self._carried: dict[ir.Node, frozenset[str]] = {}
        self.met: dict[ir.Function, frozenset[str]] = {}
        self.makers: dict[ir.Function, dict[str, ir.Expression]] = {}
        self.answers: dict[ir.Function, dict[str, ir.Expression]] = {}
        self.changed: dict[ir.Module, frozenset[str]] = {}
        self._named: dict[tuple[str, str], tuple[Sink, ...]] = {}
        self._changed: dict[str, Source | None] = {}
        self._missing: dict[str, dict[tuple[str, int], tuple[str, ...]]] = {}
        self._folders: dict[str, bool] = {}

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

    def summary(self, frame: Frame, ref: FunctionRef, variant: str | ClassRef | None = None) -> Summary | None:
        """What a function does, or one of its variants (variants.py), or None if there is no such function."""
        if self._info(ref) is None:
            return None
        answer: Summary = self._asked(("function", ref) if variant is None else ("function", ref, variant))
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

    def told_by(self, function: ir.Function | None, name: ir.Name) -> ir.Expression | None:
        """The test whose answer a variable holds where it is read, if what was tested is still what it was."""
        if function is None:
            return None
        known = self.answers.get(function)
        if known is None:
            known = self.answers[function] = syntax.answers(function)
        test = known.get(name.id)
        return test if test is not None and test.end < name.start else None

    def carried_names(self, node: ir.Node, body: list[ir.Statement]) -> frozenset[str]:
        """The names that a loop binds and that a turn may find as the turn before left them."""
        known = self._carried.get(node)
        if known is None:
            known = self._carried[node] = self.bound_names(node, body) - syntax.made_first(node, body)
        return known

    def is_running(self, function: ir.Function) -> bool:
        """Whether an inline interpretation of it is in progress."""
        return id(function) in self._running

    # --- Names across files -----------------------------------------------------------------------

    def global_value(self, frame: Frame, path: str, name: str) -> Value:
        """What a module-level (or built-in) name holds, ready for use in `frame`."""
        value: Value = self._noted(("global", path, name)) or UNKNOWN_VALUE
        if _may_be_store(value) or value.path in frame.models.kept:
            key = self._noted(("store", path, name))
            if key is not None:
                return kept.read(frame, key, value)
        if value.shape is None:
            return value
        root = frame.root
        thawed = thaw(value, frame.heap)
        if root.source.path == path:
            root.variables[name] = thawed
        return thawed

    def store(self, frame: Frame, key: StoreKey) -> Value | None:
        """A store, as `frame` finds it; None for one that is gone."""
        value: Value | None = self._noted(("global", *key))
        return None if value is None else kept.read(frame, key, value)

    def _store(self, path: str, name: str) -> StoreKey | None:
        """The module-level store that a name means, if functions of this file, or of the one that defines it, change it."""
        source = self.load(path)
        if source is None:
            return None
        node = source.imports.get(name)
        if node is None:
            changed = name in self._assigned(source) and name in kept.changed_names(cast("Engine", self), source)
            return (path, name) if changed else None
        if node.member in (None, "*", "default"):
            return None
        target = self._resolved(path, node.module, node.level)
        if target is None:
            known = f"{node.module}.{node.member}" in source.models.kept
            return (path, name) if known and name in kept.changed_names(cast("Engine", self), source) else None
        key: StoreKey | None = self._noted(("store", target, node.member))
        return key if key is not None else self._store_from(path, target, node.member)

    def _store_from(self, path: str, target: str, name: str) -> StoreKey | None:
        """Another file's module-level variable, if functions of this file change it."""
        source, defining = self.load(path), self.load(target)
        if source is None or defining is None or name not in self._assigned(defining) or name in defining.imports:
            return None
        return (target, name) if name in kept.changed_names(cast("Engine", self), source) else None

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
        if value is None:
            return None
        if _may_be_store(value) or value.path in frame.models.kept:
            key = self._noted(("store", path, name)) or self._noted(("store from", frame.source.path, path, name))
            if key is not None:
                return kept.read(frame, key, value)
        return thaw(value, frame.heap)

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

    def cleared_by_type(self, frame: Frame, path: str) -> frozenset[str]:
        """An annotation that a framework enforces clears as calling the type would: `int` as `int(x)`."""
        cleared: frozenset[str] = frozenset()
        for entry in frame.models.calls.get(path, ()):
            cleared |= getattr(entry, "clears", frozenset())
        return cleared


def _may_be_store(value: Value) -> bool:
    """Whether a module-level value is one that functions may fill: no function, class, module or library's name."""
    target = value.target
    return (target is None and (value.path is None or value.shape is not None)) or isinstance(target, Instance)


def plain_type(path: str) -> bool:
    """A built-in type's bare name: what a framework makes of text."""
    return "." not in path


def canonical(models: Models, path: str) -> str:
    """The path under which the models know what this path is an instance of, or another name of."""
    for entry in models.attributes.get(path, ()):
        if isinstance(entry, TypeModel) and not entry.when and not entry.unless:
            return entry.returns
    return path


def concrete(value: Value, name: str = "") -> Value:
    """Of a frozen value, what does not depend on the caller: neither symbols nor constants."""
    taints = tuple(taint for taint in value.taints if not isinstance(taint.origin, Parameter))
    shape = value.shape
    if shape is not None:
        items = {key: concrete(item) for key, item in shape.items.items()}
        shape = Shape(shape.kind, items, concrete(shape.rest) if shape.rest is not None else None, closed=False)
    return Value(taints, UNKNOWN, value.path, value.target, 0, shape, name)


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
