"""The review of a commit, or of what is staged for the next one: what it introduces and fixes, and remarks on what it touches.

Read from git's objects and the index, so that the working files do not matter; the settings are those of the working
folder. Findings are compared with those before the change (`change.py`). Remarks are told of functions that the change
touched only, but for text that speaks to a model: that is told wherever it is new. Deliberately absent: showing, and keeping (`log.py`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from closeread_analyzers.finding import Finding, Problem, Severity

from . import settings as settings_
from . import version
from .change import Change, compared, cut_off, in_changed_functions
from .reports import Report
from .reports._secrets import secret_places
from .results import Results, Tools
from .scan import fails, is_hidden
from .settings import Settings
from .work import Cancelled, Snapshot
from .workspace.files import is_source
from .workspace.git import Commit, GitError, Repository, find
from .workspace.snapshot import Committed

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule

    from .model.reviewer import Changed


@dataclass(frozen=True, slots=True)
class Review:
    """`report` holds what was introduced; paths are relative to `root`. `commit` is None for what is staged.

    `gate` counts the introduced vulnerabilities at or above the threshold.
    """

    root: Path
    commit: Commit | None
    report: Report
    fixed: tuple[Finding, ...]
    gate: int


def repository_of(path: Path, index: str | None = None) -> Repository:
    """The repository that `path` is in. Raises `GitError`."""
    found = find(path)
    if found is None:
        raise GitError(f"{path} is in no git repository.")
    return Repository(found.top, found.git_dir, index)


def of_commit(repository: Repository, ref: str = "HEAD", tools: Tools | None = None) -> Review:
    """The review of a commit against its first parent. Raises `GitError`, and `work.Cancelled` if the tools say so."""
    return _review(repository, *_sides(repository, ref), tools or Tools(), with_dependents=True)


def of_staged(
    repository: Repository,
    tools: Tools | None = None,
    threshold: Severity | None = None,
    *,
    with_dependents: bool = False,
) -> Review:
    """The review of what is staged. Files that rest on the changed ones are looked at only where somebody has the time."""
    sides = _sides(repository, None)
    return _review(repository, *sides, tools or Tools(), threshold=threshold, with_dependents=with_dependents)


def touched(
    repository: Repository, ref: str | None = "HEAD", cancelled: Callable[[], bool] = lambda: False
) -> list[Changed]:
    """The functions that a commit changed or brought, as they are after it; with None, those that are staged.

    Raises `GitError`, and `work.Cancelled` if `cancelled()`.
    """
    from closeread_analyzers.pipeline import Project

    from .model.reviewer import Changed

    _, was, now = _sides(repository, ref)
    settings, _ = settings_.read(repository.top)
    before, after = (Committed(repository.top, settings, repository, entries) for entries in (was, now))
    old, new = (Project(Snapshot(side)) for side in (before, after))
    found = []
    for path in sorted(now):
        if was.get(path) == now[path] or not is_source(path) or after.ignored(path):
            continue
        if cancelled():
            raise Cancelled
        digests, texts = old.functions(path), new.function_texts(path)
        found += [
            Changed(path, name, line, text.decode("utf-8", "replace"))
            for name, (line, text) in texts.items()
            if digests.get(name) != new.functions(path)[name]
        ]
    return found


def _sides(repository: Repository, ref: str | None) -> tuple[Commit | None, dict[str, str], dict[str, str]]:
    """A commit, or None for what is staged; and the files before it and after it, by path. Raises `GitError`."""
    if ref is None:
        now = repository.index()
        return None, {path: id_ for path, id_ in (now | repository.staged()).items() if id_}, now
    commit = repository.commit(repository.commit_id(ref))
    was = repository.tree(commit.parents[0]) if commit.parents else {}
    return commit, was, repository.tree(commit.id)


def _review(
    repository: Repository,
    commit: Commit | None,
    was: dict[str, str],
    now: dict[str, str],
    tools: Tools,
    *,
    with_dependents: bool = False,
    threshold: Severity | None = None,
) -> Review:
    started = datetime.now(UTC)
    root = repository.top
    settings, problems = settings_.read(root)
    settings = replace(settings, jobs=1)  # workers see no commits
    before, after = (Committed(root, settings, repository, entries) for entries in (was, now))
    changed = sorted(path for path in was.keys() | now.keys() if was.get(path) != now.get(path))
    changed = [path for path in changed if not after.ignored(path)]
    with contextlib.closing(Results(tools)) as results:
        files = after.sources().files if with_dependents else ()
        change = compared(results, before, after, changed, files)
    introduced, fixed = change.findings(started.date().isoformat())
    shown, suppressed = _shown(introduced, before, after, settings, tools.rules)
    least = threshold or settings.fail_on or Severity.HIGH
    found = change.after.results.values()
    report = Report(
        findings=tuple(shown),
        suppressed=tuple(suppressed),
        problems=(*problems, *_problems(change)),
        files=len(found),
        lines=sum(result.lines for result in found),
        cached=results.cached,
        started=started,
        ended=datetime.now(UTC),
        version=version(),
        rules=tools.rules() if shown or suppressed else {},
        lines_of=lambda path: (after.read(path) or b"").decode().split("\n"),
        secrets=secret_places([finding for result in found for finding in result.findings]),
    )
    gate = sum(fails(finding, least) for finding in shown)
    visible = [f for f in fixed if not is_hidden(f, settings, frozenset(settings.disable))]
    return Review(root, commit, report, tuple(visible), gate)


def _shown(
    introduced: Iterable[Finding],
    before: Committed,
    after: Committed,
    settings: Settings,
    rules: Callable[[], Mapping[str, Rule]],
) -> tuple[list[Finding], list[Finding]]:
    disabled = frozenset(settings.disable)
    visible = [finding for finding in introduced if not is_hidden(finding, settings, disabled)]
    suppressed = [finding for finding in visible if finding.suppression is not None]
    shown = [finding for finding in visible if finding.suppression is None]
    remarks = [finding for finding in shown if finding.kind == "remark" and not rules()[finding.rule].text]
    if remarks:
        touched = in_changed_functions(before, after, remarks)
        shown = [finding for finding in shown if finding not in remarks or finding in touched]
    return shown, suppressed


def _problems(change: Change) -> list[Problem]:
    found = [problem for result in change.after.results.values() for problem in result.problems]
    return [*found, *change.after.warnings.values(), *cut_off(change)]
