"""Which calls no model describes, where it would matter: data from outside goes into them, or what they give reaches a sink.

An observer of one run, like `watch.py`. An argument with data counts as a sink of a kind of its own, and a result as a
source of one, so that summaries carry both to where they meet real data and real sinks. No rule minds those kinds. What
a library's own models leave out is left out here too: who describes a module is taken to know it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, NamedTuple

from .. import ir
from .arguments import Arguments
from .taints import NONE, Site, Taint, Taints
from .values import UNKNOWN, Value, deep_taints

if TYPE_CHECKING:
    from .frame import Frame

_ASKED: Final = "?"
"""The kind of what an unknown call gives; with an argument after it, of what goes into one."""


class Api(NamedTuple):
    """An argument of a library's call, by place ("0") or name, or what it gives ("return"). `path` is its access path."""

    language: str
    path: str
    argument: str


class Unknown:
    """The APIs of one run, and how often each was met.

    `kinds` are those of data that count as from outside; what is harmless for all of `sinks` does not count.
    """

    def __init__(self, kinds: frozenset[str], sinks: frozenset[str]) -> None:
        self.kinds = kinds
        self.sinks = sinks
        self.found: dict[Api, int] = {}
        self._paths: dict[Site, tuple[str, str]] = {}

    def called(self, frame: Frame, node: ir.Call, callee: Value, receiver: Value, arguments: Arguments) -> None:
        """See `Observer`."""
        path = callee.path
        if callee.target is not None or path is None or "." not in path or receiver.const is not UNKNOWN:
            return
        if path.partition(".")[0].partition("(")[0] in frame.models.known_modules:
            return
        site = frame.site(node)
        self._paths[site] = frame.models.language, path
        for name, value in _named(arguments):
            for taint in deep_taints(value, frame.heap):
                frame.reach(_ASKED + name, taint, site, 0)

    def unknown(self, frame: Frame, node: ir.Call, callee: Value) -> Taints:
        """See `Observer`."""
        site = frame.site(node)
        return (Taint(_ASKED, site, "", frozenset(), None, 0),) if site in self._paths else NONE

    def arrived(self, frame: Frame, kind: str, taint: Taint, site: Site) -> None:
        """See `Observer`."""
        if kind.startswith(_ASKED):
            if taint.kind in self.kinds and not self.sinks <= taint.cleared:
                self._count(site, kind.removeprefix(_ASKED))
        elif taint.kind == _ASKED and kind not in taint.cleared and isinstance(taint.origin, Site):
            self._count(taint.origin, "return")

    def narrowed(self, frame: Frame, node: ir.Expression, before: Value, after: Value) -> None:
        """See `Observer`."""

    def _count(self, site: Site, argument: str) -> None:
        path = self._paths.get(site)
        if path is not None:
            api = Api(*path, argument)
            self.found[api] = self.found.get(api, 0) + 1


def _named(arguments: Arguments) -> Iterator[tuple[str, Value]]:
    yield from ((str(place), value) for place, value in enumerate(arguments.positional))
    yield from arguments.keyword.items()


__all__ = ["Api", "Unknown"]
