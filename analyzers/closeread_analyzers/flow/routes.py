"""Rules over routes: what their checks may ask, who calls them, and the memory of what they said.

A check whose `visits` name `Route` or `App` is called for each of a file's routes, or for each application it
creates, with a `RouteContext`. What a route is, is in inventory.py. Which routes a file has is remembered for as long as the
file, the files around it and all that was asked of the engine stay the same; what a check said of one of them, for as long as
all that it may look at does (`_facts`), so that an edit inside one function asks again about that one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .. import ir
from ..catalogue import Rule
from ..check import Report
from .aging import STALE
from .bodies import Body
from .engine import Engine
from .inventory import GATE, App, Inventory, Memory, Route
from .memory import same
from .scopes import Source
from .views import View

ROUTES = "routes"
"""The trait of languages whose frameworks' routes are read."""


class RouteContext:
    """What a check over routes may ask beyond the route itself: the file's routes and the files around.

    `wide` says that the other routes were looked at. What else there is to ask is part of `_facts`.
    """

    def __init__(self, inventory: Inventory) -> None:
        self._inventory = inventory
        self.wide = False

    @property
    def routes(self) -> list[Route]:
        """All routes of the file."""
        self.wide = True
        return self._inventory.routes

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

    def reached(self, route: Route) -> Iterator[tuple[ir.Node, Body]]:
        """The bodies a route runs, with the node in the route that leads there: its own, and what it calls."""
        yield route.function, route.body
        yield from self._inventory.reach.reached(self._inventory.frame(route.unit), route.body)


class _Said(NamedTuple):
    """What one check reported of one route, application or view, and what it rests on."""

    facts: Any
    everything: Any
    """The facts of all, if it looked at them; else None."""
    reports: list[Report]


class _Known(NamedTuple):
    """The last answer for a file."""

    digest: bytes
    inventory: Inventory | None
    found: list[tuple[str, Rule, Report]]
    crashes: dict[str, str]
    said: dict[tuple[str, ir.Node], _Said]
    """By rule and by the node that the route, application or view is."""


_Subject = Route | App | View


def _facts(subject: _Subject, inventory: Inventory) -> tuple[object, ...]:
    """All that a check may look at, but for the other routes. Nodes and bodies are the same while their text is."""
    around = inventory.has_users, inventory.neighbours.signals, inventory.source.units[subject.unit].digest
    if isinstance(subject, Route):
        return (
            around,
            subject.body,
            subject.framework,
            subject.path,
            subject.methods,
            subject.parameters,
            subject.authenticated,
            subject.settings_decide,
            tuple(subject.writes),
            tuple(inventory.reach.reached(inventory.frame(subject.unit), subject.body)),
        )
    if isinstance(subject, App):
        return around, subject.unit, subject.framework
    return (
        around,
        subject.unit,
        subject.framework,
        subject.model,
        subject.actions,
        subject.permissions,
        subject.authenticated,
        subject.narrowed,
    )


def _node(subject: _Subject) -> ir.Node:
    if isinstance(subject, Route):
        return subject.function
    return subject.call if isinstance(subject, App) else subject.definition


class Routes:
    """The inventories of a project, and what the rules over them reported."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._memory = Memory()
        self._made = 0
        self._known: dict[str, _Known] = {}

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
        if (
            known is None
            or known.digest != source.digest
            or (known.inventory is not None and not self._holds(known.inventory))
        ):
            inventory = self.inventory(source)
            said: dict[tuple[str, ir.Node], _Said] = {}
            found: list[tuple[str, Rule, Report]] = []
            if inventory is not None and (inventory.routes or inventory.apps or inventory.views):
                found = list(self._ask(inventory, crashes, known.said if known is not None else {}, said))
            if crashes:
                said = {}
            known = self._known[source.path] = _Known(source.digest, inventory, found, dict(crashes), said)
        crashes.update(known.crashes)
        return known.found

    def said(self, source: Source) -> list[tuple[str, Rule, Report]]:
        """What was last reported in a file, of the units that are still what they were."""
        known = self._known.get(source.path)
        if known is None:
            return []
        then = known.inventory.source.units if known.inventory is not None else {}
        return [
            one
            for one in known.found
            if (now := source.units.get(one[0])) is not None and one[0] in then and now.digest == then[one[0]].digest
        ]

    def of(self, path: str) -> list[Route]:
        """The routes that the last answer for `path` was about, in order of place."""
        known = self._known.get(path)
        if known is None or known.inventory is None:
            return []
        units = known.inventory.source.units
        return sorted(known.inventory.routes, key=lambda route: units[route.unit].start + route.place.start)

    def files(self, path: str) -> dict[str, bool]:
        """The files that the last answer for `path` rests on: whether each was there."""
        known = self._known.get(path)
        if known is None or known.inventory is None:
            return {}
        inventory = known.inventory
        found = {other: digest is not None for other, digest in inventory.neighbours.digests.items()}
        return found | dict.fromkeys(inventory.record.files, True)

    def _holds(self, inventory: Inventory) -> bool:
        load = self.engine.load
        for path, digest in inventory.neighbours.digests.items():
            source = load(path)
            if (source.digest if source is not None else None) != digest:
                return False
        return all(same(self.engine._answer(need), answer) for need, answer in inventory.record.needs.items())

    def _ask(
        self,
        inventory: Inventory,
        crashes: dict[str, str],
        before: dict[tuple[str, ir.Node], _Said],
        said: dict[tuple[str, ir.Node], _Said],
    ) -> Iterator[tuple[str, Rule, Report]]:
        """Every report, rule by rule; what was said `before` and still holds is said again. All goes into `said`."""
        context = RouteContext(inventory)
        self.engine._records.append(inventory.record)
        try:
            subjects: list[_Subject] = [*inventory.routes, *inventory.apps, *inventory.views]
            facts = [_facts(subject, inventory) for subject in subjects]
            everything = tuple(facts)
            for rule in self.engine.catalogue.checks:
                visits: tuple[type, ...] = rule.visits
                check: Callable[..., Iterator[Report]] | None = rule.check
                for subject, own in zip(subjects, facts, strict=True):
                    if type(subject) not in visits:
                        continue
                    self.engine.tick()
                    if check is None or rule.id in crashes:
                        break
                    key = rule.id, _node(subject)
                    known = before.get(key)
                    if known is None or known.facts != own or known.everything not in (None, everything):
                        context.wide = False
                        try:
                            reports = list(check(subject, context))
                        except Exception as error:  # a check may fail in any way, and loses only itself
                            crashes[rule.id] = f"{type(error).__name__}: {error}"
                            break
                        known = _Said(own, everything if context.wide else None, reports)
                    said[key] = known
                    for report in known.reports:
                        yield subject.unit, rule, report
        finally:
            self.engine._records.pop()


__all__ = ["App", "Inventory", "Route", "RouteContext", "Routes", "View"]
