"""Rules over routes: what their checks may ask, who calls them, and the memory of what they said.

A check whose `visits` name `Route` or `App` is called for each of a file's routes, or for each application it
creates, with a `RouteContext`. What a route is, is in inventory.py. Reports are remembered for as long as the
file, the files around it and all that was asked of the engine stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from .. import ir
from ..catalogue import Rule
from ..check import Report
from .aging import STALE
from .bodies import Body
from .engine import Engine
from .inventory import GATE, App, Inventory, Memory, Route
from .memory import same
from .scopes import FunctionInfo, Source
from .views import View

ROUTES = "routes"
"""The trait of languages whose frameworks' routes are read."""


class RouteContext:
    """What a check over routes may ask beyond the route itself: the file's routes and the files around."""

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self.source = inventory.source
        self.routes = inventory.routes

    @property
    def has_users(self) -> bool:
        """Whether anything here, or in the files around, tells who asks."""
        return self._inventory.has_users

    def around(self, signal: str) -> bool:
        """Whether a file around shows a signal of neighbours.py."""
        return signal in self._inventory.neighbours.signals

    def text(self, route: Route, node: ir.Node) -> str:
        """A node's source text."""
        return self._inventory.text(route.unit, node)

    def called(self, route: Route, call: ir.Call) -> tuple[FunctionInfo, Body] | None:
        """The workspace function that a call in a route surely calls."""
        return self._inventory.reach.called(self._inventory.frame(route.unit), call)

    def reached(self, route: Route) -> Iterator[tuple[ir.Node, Body]]:
        """The bodies a route runs, with the node in the route that leads there: its own, and what it calls."""
        yield route.function, route.body
        yield from self._inventory.reach.reached(self._inventory.frame(route.unit), route.body)


class Routes:
    """The inventories of a project, and what the rules over them reported."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._memory = Memory()
        self._made = 0
        self._known: dict[str, tuple[bytes, Inventory | None, list[tuple[str, Rule, Report]], dict[str, str]]] = {}

    def inventory(self, source: Source) -> Inventory | None:
        """The routes of a file; None where it has none and cannot have."""
        if ROUTES not in source.language.traits or not GATE.search(source.module.source):
            return None
        self._made += 1
        if self._made % STALE == 0:
            self._memory.age()
        return Inventory(self.engine, source, self._memory)

    def reports(self, source: Source, crashes: dict[str, str]) -> list[tuple[str, Rule, Report]]:
        """What the rules over routes report in a file: unit, rule, report."""
        known = self._known.get(source.path)
        if known is None or known[0] != source.digest or (known[1] is not None and not self._holds(known[1])):
            inventory = self.inventory(source)
            found = (
                list(self._ask(inventory, crashes))
                if inventory is not None and (inventory.routes or inventory.apps or inventory.views)
                else []
            )
            known = self._known[source.path] = (source.digest, inventory, found, dict(crashes))
        crashes.update(known[3])
        return known[2]

    def said(self, source: Source) -> list[tuple[str, Rule, Report]]:
        """What was last reported in a file, of the units that are still what they were."""
        known = self._known.get(source.path)
        if known is None:
            return []
        then = known[1].source.units if known[1] is not None else {}
        return [
            one
            for one in known[2]
            if (now := source.units.get(one[0])) is not None and one[0] in then and now.digest == then[one[0]].digest
        ]

    def of(self, path: str) -> list[Route]:
        """The routes that the last answer for `path` was about, in order of place."""
        known = self._known.get(path)
        if known is None or known[1] is None:
            return []
        units = known[1].source.units
        return sorted(known[1].routes, key=lambda route: units[route.unit].start + route.place.start)

    def files(self, path: str) -> dict[str, bool]:
        """The files that the last answer for `path` rests on: whether each was there."""
        known = self._known.get(path)
        if known is None or known[1] is None:
            return {}
        inventory = known[1]
        found = {other: digest is not None for other, digest in inventory.neighbours.digests.items()}
        return found | dict.fromkeys(inventory.record.files, True)

    def _holds(self, inventory: Inventory) -> bool:
        load = self.engine.load
        for path, digest in inventory.neighbours.digests.items():
            source = load(path)
            if (source.digest if source is not None else None) != digest:
                return False
        return all(same(self.engine._answer(need), answer) for need, answer in inventory.record.needs.items())

    def _ask(self, inventory: Inventory, crashes: dict[str, str]) -> Iterator[tuple[str, Rule, Report]]:
        context = RouteContext(inventory)
        facts: dict[type, list[Any]] = {Route: inventory.routes, App: inventory.apps, View: inventory.views}
        self.engine._records.append(inventory.record)
        try:
            for rule in self.engine.catalogue.checks:
                visits: tuple[type, ...] = rule.visits
                asked: list[Any] = []
                for kind, subjects in facts.items():
                    if kind in visits:
                        asked += subjects
                check: Callable[..., Iterator[Report]] | None = rule.check
                for subject in asked:
                    self.engine.tick()
                    if check is None or rule.id in crashes:
                        break
                    try:
                        reports = list(check(subject, context))
                    except Exception as error:  # a check may fail in any way, and loses only itself
                        crashes[rule.id] = f"{type(error).__name__}: {error}"
                        break
                    for report in reports:
                        yield subject.unit, rule, report
        finally:
            self.engine._records.pop()


__all__ = ["App", "Inventory", "Route", "RouteContext", "Routes", "View"]
