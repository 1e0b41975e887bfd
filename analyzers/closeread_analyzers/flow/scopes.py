"""Names: what a file defines, and where its functions, classes and methods are.

A `Source` is one file, lowered and indexed by its definitions. What a name *means* across files is
asked of the engine, which follows imports; this module only says what stands where.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import accumulate, count
from operator import add

from .. import ir
from ..catalogue import Models
from ..languages import Language
from .values import ClassRef, FunctionRef


@dataclass(slots=True, eq=False)
class FunctionInfo:
    """A function unit. `owner` is its class, for methods; `enclosing` the names of the classes around it."""

    ref: FunctionRef
    function: ir.Function
    owner: ClassRef | None


@dataclass(slots=True, eq=False)
class ClassInfo:
    """A class. `methods` are its own only; `unit` is the unit that holds its skeleton."""

    ref: ClassRef
    definition: ir.Class
    unit: str
    methods: dict[str, FunctionRef] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Source:
    """One file, ready to be asked.

    `units` maps a unit's key to it: the qualified name of a definition, "@" and its text's digest for any other
    statement (and "#2" for the second of the same text), so that a key does not change with its neighbours.
    `keys` finds a definition's key by its function, `latest` that of the last function of a name.
    `imports` are the bindings by module-level import statements, `stars` the modules imported whole; `has_exports` says
    that the module names what it exports, rather than exporting all it defines.
    """

    path: str
    module: ir.Module
    language: Language
    models: Models
    digest: bytes
    units: dict[str, ir.Unit] = field(default_factory=dict)
    keys: dict[ir.Function, str] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)
    functions: dict[str, FunctionInfo] = field(default_factory=dict)
    classes: dict[str, ClassInfo] = field(default_factory=dict)
    imports: dict[str, ir.Import] = field(default_factory=dict)
    stars: list[ir.Import] = field(default_factory=list)
    has_exports: bool = False
    skeleton: bytes = b""
    lines: list[int] = field(default_factory=list)

    def line_starts(self) -> list[int]:
        """The byte offset at which each line starts; made on first use."""
        if not self.lines:
            starts = list(accumulate(map(len, self.module.source.split(b"\n")), initial=0))
            starts.pop()
            self.lines = list(map(add, starts, count()))
        return self.lines


def index(path: str, module: ir.Module, language: Language, models: Models, digest: bytes) -> Source:
    """The `Source` of a lowered module."""
    source = Source(path, module, language, models, digest)
    others: dict[bytes, int] = {}
    skeleton: list[bytes] = []
    for place, unit in enumerate(module.units):
        statement = unit.statement
        if unit.name:
            key = unit.name
        else:
            count = others[unit.digest] = others.get(unit.digest, 0) + 1
            key = f"@{unit.digest.hex()}" if count == 1 else f"@{unit.digest.hex()}#{count}"
        source.units[key] = unit
        if isinstance(statement, ir.FunctionDefinition):
            owner, _, _ = unit.name.rpartition(".")
            in_class = ClassRef(path, owner) if owner else None
            source.functions[unit.name] = FunctionInfo(FunctionRef(path, unit.name), statement.function, in_class)
            source.keys[statement.function] = key
            source.latest[key.partition("#")[0]] = key
            skeleton.append(_head(module.source, unit, statement.function))
        elif isinstance(statement, ir.ClassDefinition):
            _index_class(source, unit.name, statement.definition, unit.name)
            skeleton.append(_outline(module, place))
        else:
            skeleton.append(unit.digest)
            source.has_exports = source.has_exports or isinstance(statement, ir.Export)
            _index_imports(source, statement)
    for name, info in source.functions.items():
        if info.owner is not None and (cls := source.classes.get(info.owner.name)) is not None:
            method = name.rpartition(".")[2].partition("#")[0]
            if method not in cls.methods or not _writes(info.function):
                cls.methods[method] = info.ref
    source.skeleton = b"".join(skeleton)
    return source


def _writes(function: ir.Function) -> bool:
    """Whether a method is what assigning to a property, or deleting it, calls."""
    return any(isinstance(d, ir.Attribute) and d.name in ("setter", "deleter") for d in function.decorators)


def _head(text: bytes, unit: ir.Unit, function: ir.Function) -> bytes:
    """What others see of a function: its name, how it is called, and its decorators, which the module evaluates."""
    name = f"{'async ' if function.is_async else ''}{unit.name}{'*' if function.is_generator else ''}\0".encode()
    if not function.decorators:
        return name
    return name + text[unit.start : unit.start + function.decorators[-1].end]


def _outline(module: ir.Module, place: int) -> bytes:
    """A class without its methods: its text, and where its own statements stand, since a method above may grow."""
    unit = module.units[place]
    start = unit.start
    pieces: list[bytes] = []
    for method in module.units[place + 1 :]:
        if method.start >= unit.end:
            break
        if method.start >= start:
            pieces.append(module.source[start : method.start])
            start = method.end
    if not pieces:
        return unit.digest
    pieces.append(module.source[start : unit.end])
    places = ",".join(str(statement.start) for statement in own_statements(unit.statement))
    return hashlib.blake2b(b"\0".join([*pieces, places.encode()]), digest_size=16).digest()


def own_statements(statement: ir.Statement) -> Iterator[ir.Statement]:
    """The statements of a class, and of the classes in it, that are no methods."""
    yield statement
    if isinstance(statement, ir.ClassDefinition):
        for inner in statement.definition.body:
            if not isinstance(inner, ir.FunctionDefinition) or not inner.function.is_unit:
                yield from own_statements(inner)


def _index_class(source: Source, name: str, definition: ir.Class, unit: str) -> None:
    source.classes[name] = ClassInfo(ClassRef(source.path, name), definition, unit)
    for statement in definition.body:
        if isinstance(statement, ir.ClassDefinition):
            _index_class(source, f"{name}.{statement.definition.name}", statement.definition, unit)


def _index_imports(source: Source, statement: ir.Statement) -> None:
    """Imports at module level, also those under `if` and `try`: the first binding of a name wins."""
    pending = [statement]
    while pending:
        at = pending.pop()
        if isinstance(at, ir.Import):
            if at.member == "*":
                source.stars.append(at)
            else:
                source.imports.setdefault(at.bound, at)
        elif isinstance(at, ir.If):
            pending += at.orelse[::-1] + at.body[::-1]
        elif isinstance(at, ir.Try):
            pending += at.final[::-1] + at.orelse[::-1]
            for handler in reversed(at.handlers):
                pending += handler.body[::-1]
            pending += at.body[::-1]
        elif isinstance(at, ir.Block):
            pending += at.body[::-1]
