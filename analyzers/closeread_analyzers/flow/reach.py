"""What the code of a route runs: the workspace functions that its calls name, and the bodies behind them.

A call is followed through variables that hold something just made (`dao = UserDao(db)`), through `self` and its
fields, and through parameters that are annotated with a class. Deliberately absent: what else a variable may hold;
the interpreter knows, and is asked by rules over flows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .. import ir
from ..tree import statements
from . import declared
from .bodies import Body
from .frame import Frame, Record
from .scopes import FunctionInfo, Source
from .values import Bound, ClassRef, FunctionRef, Instance, Value

if TYPE_CHECKING:
    from .engine import Engine
    from .inventory import Memory


class Reach:
    """Asks the engine for one file's routes; `record` notes what was asked."""

    def __init__(self, engine: Engine, source: Source, memory: Memory, record: Record) -> None:
        self._engine = engine
        self._source = source
        self._memory = memory
        self._record = record
        self._reached: dict[tuple[int, int], list[tuple[ir.Node, Body]]] = {}
        self._bound: dict[tuple[str, str], dict[str, Value]] = {}

    def frame(self, unit: str, source: Source | None = None) -> Frame:
        """A frame in which names can be asked."""
        source = source or self._source
        frame = Frame(self._engine, source, unit, self._record)
        key = (source.path, unit)
        known = self._bound.get(key)
        if known is None:
            self._bound[key] = {}  # whoever asks while they are found goes without
            entry = source.units.get(unit)
            if entry is not None and isinstance(entry.statement, ir.FunctionDefinition):
                self._bound[key] = self._bindings(frame, source.functions.get(unit), entry.statement.function)
            known = self._bound[key]
        frame.variables.update(known)
        return frame

    def called(self, frame: Frame, call: ir.Call) -> tuple[FunctionInfo, Body] | None:
        """The workspace function that a call names."""
        value = self._value(frame, call.callee)
        target = value.target if value is not None else None
        ref = target.function if isinstance(target, Bound) else target
        if not isinstance(ref, FunctionRef):
            return None
        info = self._engine.function(frame, ref)
        if info is None:
            return None
        return info, self._memory.body(info.function, frozenset(p.name for p in info.function.parameters))

    def reached(self, frame: Frame, body: Body, depth: int = 3) -> list[tuple[ir.Node, Body]]:
        """The bodies that a body's calls run, with the call in `body`."""
        key = (id(body), depth)
        known = self._reached.get(key)
        if known is None:
            known = self._reached[key] = list(self._reach(frame, body, depth))
        return known

    def _reach(self, frame: Frame, body: Body, depth: int) -> Iterator[tuple[ir.Node, Body]]:
        for call in body.calls:
            seen: set[int] = {id(body)}
            pending = [(frame, call, depth)]
            while pending:
                here, at, left = pending.pop()
                found = self.called(here, at)
                if found is None or id(found[1]) in seen:
                    continue
                info, inner = found
                seen.add(id(inner))
                yield call, inner
                source = self._engine.load(info.ref.path)
                if left > 1 and source is not None:
                    inside = self.frame(info.ref.name, source)
                    pending += [(inside, below, left - 1) for below in inner.calls]

    # --- What variables hold ----------------------------------------------------------------------

    def _value(self, frame: Frame, node: ir.Expression) -> Value | None:
        """A dotted name's value; `UserDao(db).find` is one of an instance."""
        if isinstance(node, ir.Attribute) and isinstance(node.value, ir.Call):
            made = self._made(frame, node.value)
            if made is None or made.target is None:
                return None
            return self._engine.member(frame, made.target, node.name, made)
        return declared.plain_path(frame, node)

    def _made(self, frame: Frame, call: ir.Call) -> Value | None:
        """What a call makes, if it is an instance of a class: of the workspace's, or of a library's by its CapWords."""
        value = declared.plain_path(frame, call.callee)
        if value is None:
            return None
        if isinstance(value.target, ClassRef):
            return Value(target=Instance(value.target))
        if value.path is None or not value.path.rpartition(".")[2][:1].isupper():
            return None
        return Value(path=self._engine.canonical(frame, value.path))

    def _bindings(self, frame: Frame, info: FunctionInfo | None, function: ir.Function) -> dict[str, Value]:
        found: dict[str, Value] = {}
        for place, parameter in enumerate(function.parameters):
            value = self._parameter(frame, info, place, parameter)
            if value is not None:
                found[parameter.name] = value
        frame.variables.update(found)
        for statement in statements(*function.body):
            if isinstance(statement, ir.Assign) and isinstance(statement.value, ir.Call):
                given, names = statement.value, statement.targets
            elif isinstance(statement, ir.With) and isinstance(statement.items[0].context, ir.Call):
                given, names = statement.items[0].context, [t for i in statement.items[:1] if (t := i.target)]
            else:
                continue
            made = self._made(frame, given)
            for target in names if made is not None else ():
                if isinstance(target, ir.Name):
                    assert made is not None
                    found[target.id] = frame.variables[target.id] = Value(
                        path=made.path, target=made.target, name=target.id
                    )
        return found

    def _parameter(self, frame: Frame, info: FunctionInfo | None, place: int, parameter: ir.Parameter) -> Value | None:
        """The receiver of a method, and what an annotation says is an instance of a class of the workspace."""
        if info is not None and info.owner is not None and place == 0 and not self._engine.static(info):
            return Value(target=Instance(info.owner), name=parameter.name)
        if not isinstance(parameter.annotation, ir.Name | ir.Attribute):
            return None
        value = declared.plain_path(frame, parameter.annotation)
        if value is None or not isinstance(value.target, ClassRef):
            return None
        return Value(target=Instance(value.target), name=parameter.name)
