"""One project of an editor: a root, its settings, its files on disk, the open texts over them, and what was found.

Plain data that `session.py` keeps in order. Deliberately absent: any decision when to analyse what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from closeread_analyzers.finding import FileResult, Finding, Fix, Problem
from closeread_analyzers.outline import Calls, RouteFact

from .settings import Settings
from .workspace.files import Workspace

Edit = tuple[int, int, int]
"""Start byte, old end byte, new end byte."""

IsCancelled = Callable[[], bool]


class ProjectLike(Protocol):
    """What a session needs of `closeread_analyzers.pipeline.Project`."""

    def change(self, path: str, edits: Iterable[Edit] = ()) -> None:
        """The text of `path` is different now."""
        ...

    def analyze(self, path: str, cancelled: IsCancelled = ...) -> FileResult:
        """All findings of one file. Raises `Cancelled`."""
        ...

    def glance(self, path: str, cancelled: IsCancelled = ...) -> FileResult:
        """`analyze`, for the moment after a keystroke: what looks at more than was edited may be as it was before."""
        ...

    def fix(self, finding: Finding, cancelled: IsCancelled = ...) -> Fix | None:
        """What surely mends a finding. Raises `Cancelled`."""
        ...

    def fix_all(
        self, findings: Sequence[Finding], cancelled: IsCancelled = ...
    ) -> tuple[Fix | None, tuple[Finding, ...]]:
        """One fix for as many findings of a file as go together, and which they are. Raises `Cancelled`."""
        ...

    def routes(self, path: str, cancelled: IsCancelled = ...) -> tuple[RouteFact, ...]:
        """The routes of a file. Raises `Cancelled`."""
        ...

    @property
    def calls(self) -> Calls:
        """Who calls whom."""
        ...

    def dependents(self, path: str) -> frozenset[str]:
        """The analysed files whose last result rests on `path`."""
        ...


ProjectFactory = Callable[["Folder"], ProjectLike]


class Memory(Protocol):
    """What a session needs of `remembered.Shared`: results of files as they are on disk, from other runs and for them."""

    def recall(self, workspace: Workspace, path: str) -> FileResult | None:
        """The result of a file with all it rests on; None where none is known that counts."""
        ...

    def keep(self, workspace: Workspace, result: FileResult, digest: str) -> None:
        """Remember the result of a text of that digest, if that is what is on disk."""
        ...


@dataclass(slots=True)
class Open:
    """An open file: its text, and a number of the caller's that tells one text from another."""

    version: int
    text: bytes


@dataclass(frozen=True, slots=True)
class Result:
    """What the analysers said of a file, and after how many changes of its folder they said it."""

    changes: int
    result: FileResult
    others: frozenset[str]
    """The other files that data flows into from this one, to a finding there."""
    whole: bool = True
    """Whether it is more than a glance."""
    rests: frozenset[str] = frozenset()
    """Of a result made elsewhere: all that it rests on. It holds until one of them changes."""

    @classmethod
    def of(cls, changes: int, result: FileResult, *, whole: bool = True, rests: frozenset[str] = frozenset()) -> Result:
        """The result, with the other files it speaks of."""
        others = frozenset(finding.location.path for finding in result.findings) - {result.path}
        return cls(changes, result, others, whole, rests)

    def inside(self, path: str) -> tuple[Finding, ...]:
        """The findings that lie in `path`."""
        return tuple(finding for finding in self.result.findings if finding.location.path == path)


@dataclass(slots=True)
class Folder:
    """One project: a root, its settings, its files on disk and the open texts over them. Satisfies `Files`.

    `only` is set for a file that belongs to no workspace folder: nothing beside it is looked at.
    """

    root: Path
    workspace: Workspace
    only: str | None = None
    problems: tuple[Problem, ...] = ()
    opened: dict[str, Open] = field(default_factory=dict)
    project: ProjectLike | None = None
    ignored: dict[str, bool] = field(default_factory=dict)
    results: dict[str, Result] = field(default_factory=dict)
    scanned: set[str] = field(default_factory=set)
    """Files that are shown though they are not open."""
    unsettled: set[str] = field(default_factory=set)
    """Files in which another file's flows end differently than was shown."""
    changes: int = 0
    changed: dict[str, int] = field(default_factory=dict)
    """By path, and by the folders above it: the last of the changes that was about it."""
    whole: bool = False
    """Whether a scan of all of it has ended, so that a suppression that answers nothing is known to."""

    def change(self, path: str) -> None:
        """The text of `path` is different now, or it is there, or gone."""
        self.changes += 1
        at = path
        while at:
            self.changed[at] = self.changes
            at = at.rstrip("/").rpartition("/")[0]
            at = f"{at}/" if at else ""

    def holds(self, known: Result) -> bool:
        """Whether nothing that a result made elsewhere rests on has changed; of one made here, nobody knows so easily."""
        return all(self.changed.get(path, 0) <= known.changes for path in known.rests)

    @property
    def settings(self) -> Settings:
        """What the user set for this folder."""
        return self.workspace.settings

    def read(self, path: str) -> bytes | None:
        """The text as the user sees it: the open one, or the one on disk."""
        opened = self.opened.get(path)
        if opened is not None:
            return opened.text if len(opened.text) <= self.settings.max_file_size else None
        return self.workspace.read(path) if self.only is None or path == self.only else None

    def skips(self, path: str) -> bool:
        """Whether a scan would leave this file out, and so an editor shows nothing for it either."""
        if self.only is not None:
            return False
        known = self.ignored.get(path)
        if known is None:
            known = self.ignored[path] = self.workspace.ignored(path)
        return known

    def exists(self, path: str) -> bool:
        """Whether there is such a file, open or on disk; of a path that ends with a slash, such a folder."""
        if path.endswith("/"):
            return self.only is None and self.workspace.has_folder(path)
        return path in self.opened or (self.only is None and self.workspace.exists(path))
