"""What an editor shows of a file beside its findings: its routes, and who calls whom.

Plain data, from what the analysis knows anyway: routes are facts of `flow/routes.py`, and calls are what the summaries
rest on. Deliberately absent: calls that the interpreter did not resolve; they are no guess of ours.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from . import ir
from .finding import Location
from .flow.engine import Engine
from .flow.inventory import Route
from .flow.scopes import FunctionInfo, Source
from .flow.values import FunctionRef
from .presentation import span
from .shapes import last_name
from .tree import walk


@dataclass(frozen=True, slots=True)
class RouteFact:
    """A function that a framework calls for a client. `authenticated` says who asks, "" where anyone may."""

    methods: tuple[str, ...]
    path: str
    function: str
    framework: str
    authenticated: str
    location: Location


@dataclass(frozen=True, slots=True)
class FunctionFact:
    """A function of the workspace: its qualified name, all of it, and its head's line."""

    name: str
    location: Location
    head: Location


@dataclass(frozen=True, slots=True)
class CallFact:
    """One function that calls, or is called, and the places of the calls in the caller's file."""

    function: FunctionFact
    places: tuple[Location, ...]


def route_fact(source: Source, route: Route) -> RouteFact:
    """A route for people."""
    base = source.units[route.unit].start
    return RouteFact(
        tuple(sorted(route.methods)),
        route.path,
        route.function.name,
        route.framework,
        route.authenticated or "",
        span(source, base + route.place.start, base + route.place.end),
    )


class Calls:
    """Who calls whom, as the summaries that were made know it."""

    def __init__(self, engine: Engine, load: Callable[[str], Source | None]) -> None:
        self._engine = engine
        self._load = load

    def at(self, path: str, line: int) -> FunctionFact | None:
        """The function that a line (1-based) is in; the innermost unit."""
        source = self._load(path)
        if source is None:
            return None
        facts = [self._fact(source, info) for info in source.functions.values()]
        around = [fact for fact in facts if fact.location.start_line <= line <= fact.location.end_line]
        return min(around, key=lambda fact: fact.location.end_line - fact.location.start_line, default=None)

    def function(self, path: str, name: str) -> FunctionFact | None:
        """A function by its qualified name."""
        source = self._load(path)
        info = source.functions.get(name) if source is not None else None
        return self._fact(source, info) if source is not None and info is not None else None

    def called_by(self, path: str, name: str) -> tuple[CallFact, ...]:
        """The functions that a function calls, with the places in it."""
        source = self._load(path)
        info = source.functions.get(name) if source is not None else None
        if source is None or info is None:
            return ()
        found = []
        for ref in sorted(self._needs(info.ref)):
            there = self._load(ref.path)
            callee = there.functions.get(ref.name) if there is not None else None
            if there is not None and callee is not None:
                places = tuple(self._places(source, info, ref))
                if places:
                    found.append(CallFact(self._fact(there, callee), places))
        return tuple(found)

    def callers_of(self, path: str, name: str) -> tuple[CallFact, ...]:
        """The functions that call a function, of those that were analysed."""
        wanted = FunctionRef(path, name)
        found = []
        for ref in sorted(self._analysed()):
            source = self._load(ref.path)
            info = source.functions.get(ref.name) if source is not None else None
            if source is not None and info is not None and wanted in self._needs(ref):
                places = tuple(self._places(source, info, wanted))
                if places:
                    found.append(CallFact(self._fact(source, info), places))
        return tuple(found)

    def _analysed(self) -> Iterator[FunctionRef]:
        return (key[1] for key in self._engine._memories if key[0] == "function")

    def _needs(self, ref: FunctionRef) -> set[FunctionRef]:
        memory = self._engine._memories.get(("function", ref))
        if memory is None:
            return set()
        needs: Any = memory.grounds.needs
        members = {key[1][1] for key in needs if key[0] == "text"}  # of a circle, all hold together
        return {key[1] for key in needs if key[0] == "function"} | members

    def _places(self, source: Source, info: FunctionInfo, callee: FunctionRef) -> Iterator[Location]:
        last = callee.name.rpartition(".")[2].partition("#")[0]
        names = {last} if last not in ("__init__", "constructor") else {last, callee.name.split(".")[-2]}
        unit = source.units[info.ref.name]
        for node in walk(*info.function.body):
            if isinstance(node, ir.Call) and last_name(node.callee) in names:
                yield span(source, unit.start + node.start, unit.start + node.end)

    def _fact(self, source: Source, info: FunctionInfo) -> FunctionFact:
        unit = source.units[info.ref.name]
        line = source.module.source.find(b"\n", unit.start, unit.end)
        head = span(source, unit.start, line if line >= 0 else unit.end)
        return FunctionFact(info.ref.name, span(source, unit.start, unit.end), head)
