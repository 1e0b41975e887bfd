"""Who rests on whom: what an edit inside functions may have made wrong, without asking every memory.

Deliberately absent: whether it did make it wrong. Who is found here is doubted, and verified by value when somebody
asks for it (memory.py). Nobody is ever struck off: to doubt one too many costs time, and nothing else.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from .frame import Record
from .taints import Site, steps
from .values import Value

Key = tuple[Any, ...]

INSIDE: Final = frozenset(["function", "text", "content"])
"""The kinds of needs that an edit inside a function can answer otherwise: what it does, its text, a file's text."""


def places(record: Record, state: Iterable[Any]) -> set[str]:
    """The units with a place in what a module's body found, or in the traces of what it leaves behind."""
    units = {site.unit for _, site, _ in record.hits} | {site.unit for _, site in record.uses}
    pending = list(state)
    while pending:
        at = pending.pop()
        if isinstance(at, dict):
            pending += at.values()
        elif isinstance(at, Value):
            if at.shape is not None:
                pending += at.shape.values()
            for taint in at.taints:
                if isinstance(taint.origin, Site):
                    units.add(taint.origin.unit)
                units.update(step.site.unit for step in steps(taint.trail))
    return units


class Users:
    """By need: the questions whose answers rest on it. `built_on` are the small questions that rest on such needs."""

    def __init__(self, built_on: Mapping[Key, Iterable[Key]]) -> None:
        self._built_on = built_on
        self._users: defaultdict[Key, set[Key]] = defaultdict(set)
        for small, needs in built_on.items():
            self.add(small, needs)

    def add(self, key: Key, needs: Iterable[Key]) -> None:
        """The answer to `key` rests on `needs`."""
        for need in needs:
            if need[0] in INSIDE or need in self._built_on:
                self._users[need].add(key)

    def of(self, needs: Iterable[Key]) -> set[Key]:
        """All whose answers rest on one of `needs`, however indirectly."""
        found: set[Key] = set()
        pending = list(needs)
        while pending:
            for user in self._users.get(pending.pop(), ()):
                if user not in found:
                    found.add(user)
                    pending.append(user)
        return found
