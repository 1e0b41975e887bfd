"""What a function is besides what its own text says: wrapped by the workspace's decorators, or run on an object of a subclass.

Both are questions of their own, ("function", ref, DECORATED) and ("function", ref, subclass), asked only where the answer may
differ: a method that meets nothing a subclass defines anew is what it is everywhere.

Deliberately absent: subclasses nobody constructs in a file that is looked at, overriding methods that only hand on what
they are given, and decorators of classes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from .. import ir
from ..tree import walk_here
from . import calls, declared, expressions, invocation, syntax
from .arguments import Arguments
from .taints import Parameter
from .values import Bound, ClassRef, Closure, FunctionRef, Instance, Partial, Undecorated, Value, deep_taints

if TYPE_CHECKING:
    from .engine import Engine
    from .frame import Frame
    from .scopes import ClassInfo, FunctionInfo
    from .summaries import Summary

DECORATED: Final = "decorated"
MAX_VARIANTS: Final = 24
"""Inherited methods of one class that are looked at anew."""

_WRAPPERS: Final = (FunctionRef, Bound, ClassRef, Closure, Partial, Instance)


# --- Decorators ------------------------------------------------------------------------------------


def is_wrapped(engine: Engine, frame: Frame, info: FunctionInfo) -> bool:
    """Whether a decorator of the workspace stands between a function and its callers."""
    for decorator in info.function.decorators:
        callee = decorator.callee if isinstance(decorator, ir.Call) else decorator
        value = declared.plain_path(frame, callee)
        if value is not None and isinstance(value.target, (FunctionRef, ClassRef, Instance, Bound)):
            return True
    return False


def decorated(frame: Frame, ref: FunctionRef, function: ir.Function) -> Value:
    """The value of a call of a function through its decorators, with its parameters as they are bound in `frame`."""
    wrapped = Value(target=Undecorated(ref), name=function.name)
    for decorator in reversed(function.decorators):
        value = expressions.evaluate(frame, decorator)
        if isinstance(value.target, _WRAPPERS):
            result = invocation.invoke(frame, decorator, value, [wrapped], None)
            if isinstance(result.target, (*_WRAPPERS, Undecorated)):
                wrapped = Value(target=result.target, ref=result.ref, name=function.name)
    positional = [frame.variables[p.name] for p in function.parameters if p.name and p.kind in _BY_PLACE]
    keyword = {p.name: frame.variables[p.name] for p in function.parameters if p.name and p.kind == "only-keyword"}
    return invocation.invoke(frame, function, wrapped, positional, None, Arguments(positional, keyword))


def registered(frame: Frame, decorator: ir.Expression, value: Value) -> None:
    """A decorator of the file's own that puts what it is given into a store of the file: it does so here."""
    callee = declared.plain_path(frame, decorator.callee if isinstance(decorator, ir.Call) else decorator)
    target = callee.target if callee is not None else None
    ref = target.function if isinstance(target, Bound) else target
    if not isinstance(ref, FunctionRef) or ref.path != frame.source.path:
        return
    info = frame.engine.function(frame, ref)
    stores = frame.engine._assigned(frame.source).difference(frame.source.imports)
    if info is None or syntax.changed(info.function).isdisjoint(stores):
        return
    inside = Closure(
        info.function, frame
    )  # as a function of the module, it sees the module's variables as they are now
    inside.unit = ref.name
    wrap = Value(target=inside)
    if isinstance(decorator, ir.Call):
        given = calls.evaluated(frame, decorator)
        wrap = invocation.invoke(frame, decorator, wrap, given.positional, None, given)
    if isinstance(wrap.target, _WRAPPERS):
        plain = Undecorated(value.target) if isinstance(value.target, FunctionRef) else value.target
        invocation.invoke(frame, decorator, wrap, [Value(target=plain, name=value.name)], None)


_BY_PLACE: Final = ("positional", "only-positional")


# --- Subclasses ------------------------------------------------------------------------------------


def names_of(engine: Engine, function: ir.Function) -> frozenset[str]:
    """The attributes of its first parameter that a method looks at."""
    known = engine.met.get(function)
    if known is None:
        first = function.parameters[0].name if function.parameters else ""
        known = engine.met[function] = frozenset(
            node.name
            for node in walk_here(*function.body)
            if isinstance(node, ir.Attribute) and isinstance(node.value, ir.Name) and node.value.id == first
        )
    return known


def differs(engine: Engine, ref: FunctionRef, cls: ClassRef) -> bool:
    """Whether an inherited method, run on `cls`, meets what `cls` (or a class between) defines anew."""
    info = engine._info(ref)
    if info is None or info.owner is None or info.owner == cls:
        return False
    between: set[str] = set()
    for owner in (cls, *engine.bases(cls)):
        if owner == info.owner:
            break
        found = engine._class(owner) if isinstance(owner, ClassRef) else None
        if found is not None:
            between |= found.methods.keys() | engine._class_names(found)
    above = {name: method for name, method in engine.named_methods(info.owner).items() if name not in between}
    return _meets(engine, info.function, between, above, set())


def _meets(
    engine: Engine, function: ir.Function, between: set[str], above: dict[str, FunctionRef], seen: set[ir.Function]
) -> bool:
    seen.add(function)
    names = names_of(engine, function)
    if not names.isdisjoint(between):
        return True
    for name in names.intersection(above):
        info = engine._info(above[name])
        if info is not None and info.function not in seen and _meets(engine, info.function, between, above, seen):
            return True
    return False


def of_file(engine: Engine, frame: Frame, path: str) -> Iterable[tuple[FunctionRef, str | ClassRef]]:
    """The functions of a file that are wrapped, and the inherited methods that its classes make different."""
    source = engine.load(path)
    if source is None:
        return
    for info in source.functions.values():
        if info.function.decorators and engine._noted(("wrapped", info.ref)):
            yield info.ref, DECORATED
    for cls in source.classes.values():
        count = 0
        telling = _is_telling(engine, cls)
        for ref in engine.methods(cls.ref):
            inherited = engine._info(ref)
            if inherited is None or inherited.owner == cls.ref or count >= MAX_VARIANTS:
                continue
            differs = telling and engine._noted(("differs", ref, cls.ref))
            if differs or engine.is_handler_here(frame, inherited, cls.ref):
                count += 1
                yield ref, cls.ref


def _is_telling(engine: Engine, cls: ClassInfo) -> bool:
    """Whether what a class has of its own brings data from outside or to a sink: else what it inherits finds nothing new."""
    summaries: list[Summary] = [engine._first(("function", ref)).answer for ref in cls.methods.values()]
    given: list[Value | None] = [engine._noted(("attribute", cls.ref, name)) for name in engine._class_names(cls)]
    for summary in summaries:
        given += [summary.returns, *(effect.value for effect in summary.effects)]
    return any(summary.sinks for summary in summaries) or any(
        not isinstance(taint.origin, Parameter)
        for value in given
        if value is not None
        for taint in deep_taints(value, {})
    )


__all__ = ["DECORATED", "decorated", "differs", "is_wrapped", "of_file"]
