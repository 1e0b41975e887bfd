"""Functions that frameworks call: by decorator, by base class, by being handed over, by their first parameter's name.

What such a function is given is the client's, as the models say. Here too is what the models say of a name or of a
text as such. Deliberately absent: routes as facts (inventory.py), which rules ask for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from .. import ir
from ..catalogue import Entry, HandlerModel, Models, Sink, Use, name_words
from . import declared, expressions, own, syntax, variants
from .classes import Classes
from .frame import Frame
from .names import canonical, plain_type
from .scopes import FunctionInfo
from .taints import Taint, Trail
from .values import UNKNOWN_VALUE, ClassRef, Closure, FunctionRef, Value

_NUMBER: Final = re.compile(r"\d+(_|$)")
_ROUTE_TYPED: Final = re.compile(r"<(\w+)(?:\([^)]*\))?:(\w+)>")
_ROUTE_VARIABLE: Final = re.compile(r"[<{*(:]")


@dataclass(slots=True, eq=False)
class Handling:
    """A function that a framework calls: by which model; "literal" if its route has no variable part; parameters the route types."""

    model: HandlerModel | None
    route: str | None
    types: tuple[tuple[str, str], ...] = ()


NOT_HANDLED: Final = Handling(None, None)


class Handlers(Classes):
    """How frameworks call functions, and what they give them."""

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
        return declared.annotated(frame, node)

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
            if frame.parent is None and frame.function is None:
                variants.registered(frame, decorator, value)
        frame.unit = unit

    def _decorator_entries(self, frame: Frame, decorator: ir.Expression) -> Iterable[Entry]:
        callee = decorator.callee if isinstance(decorator, ir.Call) else decorator
        value = declared.plain_path(frame, callee)
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
        if owner is not None and (inherited := self._by_base(frame, function, owner)) is not None:
            return Handling(inherited, None)
        for entry in models.handlers_by_name:
            offset = 1 if owner is not None else 0
            if any(_starts_with(function.parameters[offset:], path.split(", ")) for path in entry.paths):
                return Handling(entry, None)
        return NOT_HANDLED

    def _by_base(self, frame: Frame, function: ir.Function, owner: ClassRef) -> HandlerModel | None:
        """How a framework calls a method of a class that inherits from one of its own."""
        models = frame.models
        for base in self.bases(owner):
            path = base if isinstance(base, str) else own.path_of(models.own, base)
            for entry in models.bases.get(path, ()) if path is not None else ():
                if isinstance(entry, HandlerModel) and _is_among(entry.methods, function.name):
                    return entry
        return None

    def is_handler_here(self, frame: Frame, info: FunctionInfo, cls: ClassRef) -> bool:
        """Whether a framework calls an inherited method because of what `cls` inherits besides."""
        if info.owner is None or not any(isinstance(base, str) for base in self.bases(cls)):
            return False
        return self._by_base(frame, info.function, cls) is not None and (
            self._by_base(frame, info.function, info.owner) is None
        )

    def _speaks(self, frame: Frame, decorator: ir.Expression, entry: HandlerModel) -> bool:
        if not entry.when and not entry.unless:
            return True
        from .arguments import Arguments
        from .conditions import holds
        from .narrowing import quiet_arguments

        given = quiet_arguments(frame, decorator) if isinstance(decorator, ir.Call) else Arguments([], {})
        return holds(frame, entry, given, UNKNOWN_VALUE)

    def _route(self, frame: Frame, decorator: ir.Expression, entry: HandlerModel) -> str | None:
        if entry.route is None or entry.route.path is None or not isinstance(decorator, ir.Call):
            return None
        from .arguments import argument_node

        node = argument_node(decorator, entry.route.path)
        if node is None:
            return None
        const = expressions.evaluate(frame, node).const
        return const if isinstance(const, str) else None

    def speaks_of(self, frame: Frame, target: Any, entry: HandlerModel, entries: Iterable[tuple[Entry, int]]) -> bool:
        """Whether an entry is about a function with so many parameters as this one has."""
        function = target.function if isinstance(target, Closure) else None
        if isinstance(target, FunctionRef) and (info := self.function(frame, target)) is not None:
            function = info.function
        count = len(function.parameters) if function is not None else 0
        if entry.arity:
            return entry.arity == count
        return not any(isinstance(other, HandlerModel) and other.arity == count for other, _ in entries if count)

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
                given = Value(path=path, name=parameter.name)
                passed[index] = expressions.read_path(frame, node, given, path, "", UNKNOWN_VALUE)
            elif entry.parameters and parameter.name:
                site = frame.site(node)
                trail = Trail(None, site, f"the client's `{parameter.name}`")
                passed[index] = Value(
                    (Taint(entry.parameters, site, parameter.name, frozenset(), trail, 2),), name=parameter.name
                )
        return passed

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
                    typed = declared.annotated(frame, parameter.annotation)
                    if typed is not None and typed.path is not None:
                        if not plain_type(typed.path):
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
        """Interpret a function with known arguments; the engine does."""
        raise NotImplementedError


def _is_among(methods: tuple[str, ...], name: str) -> bool:
    """Whether a method is one that a model names; `resolve_*` names all that start so."""
    return name in methods or any(m.endswith("*") and name.startswith(m[:-1]) for m in methods)


def _starts_with(parameters: list[ir.Parameter], names: list[str]) -> bool:
    """Whether a function's first parameters are called so, and nothing else says what they are."""
    return len(parameters) >= len(names) and all(
        parameter.name == name and parameter.annotation is None
        for parameter, name in zip(parameters, names, strict=False)
    )
