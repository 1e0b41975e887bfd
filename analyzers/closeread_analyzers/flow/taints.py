"""What an attacker may have put into a value: where it came from, how it came, and what it is harmless for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

MAX_TAINTS: Final = 6


class Site(NamedTuple):
    """A place that survives moved lines: bytes relative to a named unit's start.

    `unit` is a unit's key in its module (see `scopes.Source.unit_start`).
    """

    path: str
    unit: str
    start: int
    end: int


STORE: Final = -1
"""The place of what no caller hands over: a module-level store, named by the first of what is `inside`."""


class Parameter(NamedTuple):
    """The origin of a symbolic taint: the caller's `place`-th argument, or something inside it.

    `inside` holds attribute names and constant keys, outermost first.
    """

    place: int
    inside: tuple[Any, ...] = ()


class Trail(NamedTuple):
    """A linked list of trace steps, newest first, so that sharing is free.

    With an `inner` it is no step of its own: it stands for the steps of `inner`, upon those of `before`, and its
    site and message are those of the last one. So a callee's trail goes into its callers' without being copied.
    """

    before: Trail | None
    site: Site
    message: str
    inner: Trail | None = None


def joined(before: Trail | None, after: Trail | None) -> Trail | None:
    """The steps of `after` upon those of `before`."""
    if before is None or after is None:
        return before or after
    return Trail(before, after.site, after.message, after)


def steps(trail: Trail | None) -> Iterator[Trail]:
    """All steps of a trail, newest first."""
    pending = [trail]
    while pending:
        at = pending.pop()
        while at is not None:
            if at.inner is None:
                yield at
                at = at.before
            else:
                pending.append(at.before)
                at = at.inner


class Taint:
    """That a value may carry data of a kind.

    kind     the source kind ("" while symbolic)
    origin   the `Site` of the source, or a `Parameter`
    label    how to name the source in a message
    cleared  the sink kinds for which it has been made harmless
    trail    how it came here
    sure     2 the engine followed every step, 1 a step was assumed, 0 several were
    """

    __slots__ = ("_parts", "cleared", "key", "kind", "label", "origin", "sure", "trail")

    def __init__(
        self,
        kind: str,
        origin: Site | Parameter,
        label: str,
        cleared: frozenset[str],
        trail: Trail | None,
        sure: int,
    ) -> None:
        self.kind = kind
        self.origin = origin
        self.label = label
        self.cleared = cleared
        self.trail = trail
        self.sure = sure
        self.key = (kind, origin, cleared)
        self._parts: dict[Any, Taint] | None = None

    def part(self, key: Any) -> Taint:
        """Of a symbolic taint: that of what lies under `key` inside its parameter (three levels at most). Remembered."""
        origin = self.origin
        if not isinstance(origin, Parameter) or len(origin.inside) >= 3:
            return self
        parts = self._parts
        if parts is None:
            parts = self._parts = {}
        found = parts.get(key)
        if found is None:
            origin = Parameter(origin.place, (*origin.inside, key))
            found = parts[key] = Taint(self.kind, origin, self.label, self.cleared, self.trail, self.sure)
        return found

    def clear(self, kinds: frozenset[str]) -> Taint:
        """The same taint, harmless for `kinds` too."""
        if kinds <= self.cleared:
            return self
        return Taint(self.kind, self.origin, self.label, self.cleared | kinds, self.trail, self.sure)

    def step(self, site: Site, message: str) -> Taint:
        """The same taint, one step further."""
        trail = self.trail
        if trail is not None and trail.site == site:
            return self
        return Taint(self.kind, self.origin, self.label, self.cleared, Trail(trail, site, message), self.sure)

    def doubt(self, sure: int = 1) -> Taint:
        """The same taint, at most this sure."""
        if self.sure <= sure:
            return self
        return Taint(self.kind, self.origin, self.label, self.cleared, self.trail, sure)

    def __repr__(self) -> str:
        return f"<{self.kind or 'symbol'} {self.origin} cleared={sorted(self.cleared)}>"


Taints = tuple[Taint, ...]

NONE: Final[Taints] = ()

INFERRED: Final = -1
"""How sure what rests on an `inferred` entry is: less than anything else. (0 by assumption, 1 by name alone, 2 by path.)"""


def join_taints(left: Taints, right: Taints) -> Taints:
    """The taints of both, bounded. Of one source's data, what is harmless for less speaks for what is harmless for more."""
    if not right or left is right:
        return left
    if not left:
        return right
    keys = {taint.key for taint in left}
    added = [taint for taint in right if taint.key not in keys]
    if not added:
        return left
    joined = list(left)
    for taint in added:
        for place, known in enumerate(joined):
            if known.origin == taint.origin and known.kind == taint.kind:
                if known.cleared <= taint.cleared:
                    break
                if taint.cleared < known.cleared:
                    joined[place] = taint
                    break
        else:
            joined.append(taint)
    return tuple(joined[:MAX_TAINTS])
