"""Names: what a file defines, and where its functions, classes and methods are.

A `Source` is one file, lowered and indexed by its definitions. What a name *means* across files is
asked of the engine, which follows imports; this module only says what stands where.
"""

from __future__ import annotations

from dataclasses import dataclass, field

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

    `units` maps a unit's key to it: the qualified name of a definition, "@n" for the n-th other statement.
    `imports` are the bindings by module-level import statements, `stars` the modules imported whole.
    """

    path: str
    module: ir.Module
    language: Language
    models: Models
    digest: bytes
    units: dict[str, ir.Unit] = field(default_factory=dict)
    functions: dict[str, FunctionInfo] = field(default_factory=dict)
    classes: dict[str, ClassInfo] = field(default_factory=dict)
    imports: dict[str, ir.Import] = field(default_factory=dict)
    stars: list[ir.Import] = field(default_factory=list)
    skeleton: bytes = b""
    lines: list[int] = field(default_factory=list)

    def line_starts(self) -> list[int]:
        """The byte offset at which each line starts; made on first use."""
        if not self.lines:
            starts = [0]
            find = self.module.source.find
            at = find(b"\n")
            while at >= 0:
                starts.append(at + 1)
                at = find(b"\n", at + 1)
            self.lines = starts
        return self.lines


def index(path: str, module: ir.Module, language: Language, models: Models, digest: bytes) -> Source:
    """The `Source` of a lowered module."""
    source = Source(path, module, language, models, digest)
    others = 0
    skeleton: list[bytes] = []
    for unit in module.units:
        statement = unit.statement
        if unit.name:
            key = unit.name
        else:
            key = f"@{others}"
            others += 1
        source.units[key] = unit
        if isinstance(statement, ir.FunctionDefinition):
            owner, _, _ = unit.name.rpartition(".")
            in_class = ClassRef(path, owner) if owner else None
            source.functions[unit.name] = FunctionInfo(FunctionRef(path, unit.name), statement.function, in_class)
            if not owner:
                skeleton.append(unit.name.encode())
        elif isinstance(statement, ir.ClassDefinition):
            _index_class(source, unit.name, statement.definition, unit.name)
            skeleton.append(unit.digest)
        else:
            skeleton.append(unit.digest)
            _index_imports(source, statement)
    for name, info in source.functions.items():
        if info.owner is not None and (cls := source.classes.get(info.owner.name)) is not None:
            cls.methods[name.rpartition(".")[2].partition("#")[0]] = info.ref
    source.skeleton = b"".join(skeleton)
    return source


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
