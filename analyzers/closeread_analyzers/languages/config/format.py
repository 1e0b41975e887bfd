"""What all formats of configuration do alike; a format says how its text is read."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, ClassVar, NamedTuple

from ... import ir
from ..jinja.tree import Root, Spans, Tree
from .document import module_of
from .relevance import is_relevant

LOCKS = frozenset(
    {
        "package-lock.json",
        "npm-shrinkwrap.json",
        "composer.lock",
        "poetry.lock",
        "pdm.lock",
        "uv.lock",
        "cargo.lock",
        "pipfile.lock",
        "yarn.lock",
        "pnpm-lock.yaml",
        "pnpm-lock.yml",
        "bun.lock",
        "packages.lock.json",
        "project.assets.json",
    }
)
"""Files that a tool writes for itself, in lower case."""


_LONGEST_LINE = 5_000  # characters before a comment; what is longer nobody wrote


class Reading(NamedTuple):
    """What a text became. Positions are absolute bytes."""

    statements: list[ir.Statement]
    problems: list[ir.SyntaxProblem]


class ConfigLanguage:
    """Satisfies `Language` and `NamedFiles`; a format derives from it and gives `read`."""

    name: str
    suffixes: tuple[str, ...]
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    comment = "#"
    traits: frozenset[str] = frozenset({"settings"})
    largest: int | None = 1_000_000
    always_relevant: ClassVar[bool] = False

    def read(self, path: str, source: bytes) -> Reading:
        """The statements of a text."""
        raise NotImplementedError

    def reads(self, name: str) -> bool:
        """Whether a file of this name is written by people, and for an application to read."""
        lower = name.lower()
        return lower not in LOCKS and ".min." not in lower

    def parse(self, source: bytes, previous: Any = None) -> Tree:
        """The comments, and no more: the text is read when it is lowered."""
        return Tree(Root(_comments_of(source, self.comment), len(source)))

    def lower(self, path: str, source: bytes, tree: Any, previous: ir.Module | None = None) -> ir.Module:
        """Lower a text; never raises."""
        if self.largest is not None and len(source) > self.largest:
            return ir.Module(path, source, [], [])
        if not self.always_relevant and not is_relevant(source):
            return ir.Module(path, source, [], [])
        return module_of(path, source, *self.read(path, source))

    def resolve(self, importer: str, module: str, level: int) -> Iterable[str]:
        """Nothing is imported."""
        return ()

    def module_name(self, path: str) -> str:
        """The path."""
        return path


def _comments_of(source: bytes, mark: str) -> Callable[[], Spans]:
    """Comments start a line or follow a space, outside quotes that are closed on their line.

    A comment in a script that is a value (`run: |`) counts: there is no other place to answer a finding on its line.
    """
    start = re.compile(rb"(?:^|(?<=[ \t]))" + re.escape(mark.encode()), re.MULTILINE)

    def find() -> Spans:
        found: Spans = []
        for match in start.finditer(source):
            begin = source.rfind(b"\n", 0, match.start()) + 1
            if (found and found[-1][1] > match.start()) or match.start() - begin > _LONGEST_LINE:
                continue
            before = source[begin : match.start()]
            if before.count(b'"') % 2 or before.count(b"'") % 2:
                continue
            end = source.find(b"\n", match.start())
            found.append((match.start(), end if end >= 0 else len(source)))
        return found

    return find
