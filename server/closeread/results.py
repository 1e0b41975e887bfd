"""The results of a workspace's files: remembered ones where they still count, the others made now and remembered.

One `Results` serves a whole run, whatever workspaces it is about: working files, a commit, the index. It stops at a
deadline, and what was not reached by then is a problem of each such file. Deliberately absent: which files, and what
becomes of their findings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from closeread_analyzers.finding import FileResult, Problem

from . import remembered, work
from .store import Store
from .workspace.files import Workspace

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule

    from .inferred import Inference

Progress = Callable[[int, int], None]
"""Called with how many files are done, and how many there are."""

_PUT_EVERY = 200


@dataclass(frozen=True, slots=True)
class Tools:
    """What a scan works with; tests give others."""

    make: work.MakeAnalyser = work.pipeline
    spawn: work.Spawn = work.spawn_worker
    cache_folder: Path | None = None
    rules: Callable[[], Mapping[str, Rule]] = field(default=lambda: _rules())
    infer: Callable[[Workspace, Sequence[str]], Inference] = field(
        default=lambda workspace, paths: _infer(workspace, paths)
    )
    progress: Progress = field(default=lambda done, total: None)
    cancelled: Callable[[], bool] = field(default=lambda: False)


@dataclass(slots=True)
class Found:
    """The results of some files by path; `warnings` is what reading alone told of them."""

    results: dict[str, FileResult] = field(default_factory=dict)
    warnings: dict[str, Problem] = field(default_factory=dict)


class Results:
    """See the module. To be closed. `cached` counts the results that were remembered."""

    def __init__(self, tools: Tools, seconds: float | None = None) -> None:
        """`seconds` from now on the analysis stops; None is never."""
        self.tools = tools
        self.cached = 0
        self.late = False
        self._seconds = seconds
        self._deadline = None if seconds is None else monotonic() + seconds
        self._store: Store | None = None
        self._done = 0
        self._total = 0

    @property
    def warning(self) -> str:
        """What is wrong with the cache, or ""."""
        return self._store.warning if self._store is not None else ""

    def close(self) -> None:
        """Let go of the cache."""
        if self._store is not None:
            self._store.close()

    def expect(self, files: int) -> None:
        """So many files are still to come, for the progress."""
        self._total += files
        self.tools.progress(self._done, self._total)

    def of(self, workspace: Workspace, paths: Sequence[str]) -> Found:
        """The results of `paths`. Raises `work.Cancelled` when the tools say so."""
        found = Found()
        keys = self._read(workspace, paths, found)
        if keys:
            self._store = self._store or Store(self.tools.cache_folder)
            self._recall(workspace, keys, found, self._store)
        self._progress(len(found.results))
        left = [path for path in paths if path not in found.results]
        fresh: dict[bytes, bytes] = {}
        try:
            for outcome in work.analyze(
                workspace, left, make=self.tools.make, spawn=self.tools.spawn, cancelled=self._stopped
            ):
                result = outcome.result
                found.results[result.path] = result
                value = remembered.packed(result) if outcome.digest and workspace.settings.cache else None
                if value is not None:
                    fresh[remembered.key(workspace, result.path, outcome.digest)] = value
                if len(fresh) >= _PUT_EVERY:
                    self._remember(fresh)
                self._progress(1)
        except work.Cancelled:
            if not self.late:
                raise
            message = f"Not analysed: the {self._seconds:g} seconds for the whole run (`--deadline`) were over."
            for path in left:
                found.results.setdefault(path, FileResult(path, problems=(Problem(path, 0, message, "timeout"),)))
        finally:
            self._remember(fresh)
        return found

    def _stopped(self) -> bool:
        self.late = self.late or (self._deadline is not None and monotonic() > self._deadline)
        return self.late or self.tools.cancelled()

    def _progress(self, files: int) -> None:
        self._done += files
        self.tools.progress(self._done, max(self._total, self._done))

    @staticmethod
    def _read(workspace: Workspace, paths: Sequence[str], found: Found) -> dict[str, bytes]:
        """Read every file once, for its digest; what has no text is done with. Returns the others' keys."""
        keys = {}
        for path in paths:
            source = workspace.load(path)
            if source.text is None:
                found.results[path] = FileResult(path, problems=(source.problem,) if source.problem else ())
                continue
            if source.problem is not None:
                found.warnings[path] = source.problem
            if workspace.settings.cache:
                keys[path] = remembered.key(workspace, path, source.digest)
        return keys

    def _recall(self, workspace: Workspace, keys: dict[str, bytes], found: Found, store: Store) -> None:
        values = store.get_many(keys.values())
        recollection = remembered.Recollection(workspace)
        for path, key in keys.items():
            value = values.pop(key, None)
            result = None if value is None else recollection.unpacked(path, value)
            if result is not None:
                found.results[path] = result
                self.cached += 1

    def _remember(self, fresh: dict[bytes, bytes]) -> None:
        if self._store is not None:
            self._store.put_many(fresh)
        fresh.clear()


def _infer(workspace: Workspace, paths: Sequence[str]) -> Inference:
    from .inferred import infer

    return infer(workspace, paths)


def _rules() -> Mapping[str, Rule]:
    from closeread_analyzers.catalogue import builtin

    return builtin().rules
