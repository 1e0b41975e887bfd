"""One scan, from paths to a `Report`: which files, what is known of them already, and the analysis of the rest.

Each given path belongs to a project (`find_root`), with settings of its own; the paths of a report are
relative to the current folder. A cached result counts only while the text of its file, and of every file
it rests on, is what it was. Deliberately absent: printing, and exit codes.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from closeread_analyzers.finding import Finding, Location, Problem, Severity, plain_rule

from . import settings as settings_
from . import version
from .baseline import Baseline, entry_of
from .reports import Report
from .reports._secrets import secret_places
from .results import Found, Progress, Results, Tools
from .settings import Settings
from .workspace.files import Workspace, find_root

if TYPE_CHECKING:
    from .remedies import Remedy

__all__ = ["Progress", "Scan", "Scope", "Tools", "fails", "is_hidden", "scan"]


@dataclass(frozen=True, slots=True)
class Scan:
    """A finished scan. `gate` counts the vulnerabilities at or above `fail-on`; `warnings` are about the run itself."""

    report: Report
    gate: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a scan is narrowed by: only what changed `since` a commit, `seconds` for all of it, a `baseline`."""

    since: str = ""
    seconds: float | None = None
    baseline: Baseline | None = None


def scan(
    paths: Sequence[str],
    changes: Mapping[str, Any],
    exclude: Iterable[str] = (),
    tools: Tools | None = None,
    outputs: Iterable[Path] = (),
    scope: Scope | None = None,
) -> Scan:
    """Scan `paths`. `changes` are fields of `Settings` that win over every file's; `exclude` adds to theirs.

    `outputs` are where reports will be written, which are never read. Raises `GitError` where `scope.since` names no commit.
    """
    run = _Run(tools or Tools(), dict(changes), tuple(exclude), scope or Scope())
    for output in outputs:  # the report of the last run is not this project's code
        run.taken.add(os.path.abspath(output))  # noqa: PTH100 - `resolve` would follow links
    with contextlib.closing(run):
        for root, given in run.projects(paths).items():
            run.open(root, given)
        run.analyse()
    return run.finish()


@dataclass(slots=True)
class _Part:
    """The part of a scan that is in one project."""

    root: Path
    workspace: Workspace
    files: tuple[str, ...]
    whole: bool
    """Whether all of the project is scanned."""
    found: Found = field(default_factory=Found)
    known: Mapping[str, bool] = field(default_factory=dict)
    """The fingerprints of what was there before the change that the scan is about, and whether it was suppressed."""


class _Run:
    def __init__(self, tools: Tools, changes: dict[str, Any], exclude: tuple[str, ...], scope: Scope) -> None:
        self.tools = tools
        self.scope = scope
        self.started = datetime.now(UTC)
        self.today = self.started.date().isoformat()
        self.results = Results(tools, scope.seconds)
        self.changes = changes
        self.exclude = exclude
        self.parts: list[_Part] = []
        self.problems: list[Problem] = []
        self.warnings: list[str] = []
        self.missing = 0
        self.ignored = 0
        self.taken: set[str] = set()
        self.here = os.path.realpath(os.curdir)
        self.shown: dict[tuple[Path, str], str] = {}

    def close(self) -> None:
        self.results.close()

    def projects(self, paths: Sequence[str]) -> dict[Path, list[Path]]:
        """The roots of the paths there are. The others are problems, and make the scan a failed one."""
        projects: dict[Path, list[Path]] = {}
        for path in paths:
            full = Path(os.path.abspath(path))  # noqa: PTH100 - `resolve` would follow links
            try:
                full.stat()
            except (OSError, ValueError):
                self.missing += 1
                self.problems.append(Problem(path, 0, "There is no such file or folder.", "unreadable"))
                continue
            projects.setdefault(find_root(full), []).append(full)
        return projects

    def open(self, root: Path, given: list[Path]) -> None:
        """List what is to be analysed below one root."""
        base, problems = settings_.read(root)
        for problem in problems:
            if isinstance(problem, settings_.ModelsProblem):
                # Without them the report would look clean, or dirty, for the wrong reason.
                raise settings_.ModelsError(self.here_problem(root, problem))
        settings = dataclasses.replace(base, exclude=(*base.exclude, *self.exclude), **self.changes)
        workspace = Workspace(root, settings)
        listing = workspace.sources(given)
        files = tuple(path for path in listing.files if self.take(root, path))
        if settings.inferred:
            workspace = self.inferring(workspace, files)
        problems = (*problems, *listing.problems, *self.unknown_rules(settings))
        if not listing.files and not listing.problems:
            where = ", ".join(str(path) for path in given)
            problems = (*problems, Problem("", 0, f"Nothing to analyse in {where}.", "unreadable"))
        self.problems += [self.here_problem(root, problem) for problem in problems]
        self.ignored += listing.ignored
        self.parts.append(_Part(root, workspace, files, root in given and not self.scope.since))

    def inferring(self, workspace: Workspace, files: tuple[str, ...]) -> Workspace:
        """The workspace with what a model infers among its models."""
        inference = self.tools.infer(workspace, files)
        if inference.warning:
            self.warnings.append(inference.warning)
        return Workspace(workspace.root, dataclasses.replace(workspace.settings, models=inference.models))

    def take(self, root: Path, path: str) -> bool:
        """Whether no other part has this file: one project may lie inside another."""
        full = os.path.join(root, path)  # noqa: PTH118 - once a file
        if full in self.taken:
            return False
        self.taken.add(full)
        return True

    def unknown_rules(self, settings: Settings) -> list[Problem]:
        if not settings.disable:
            return []
        known = self.tools.rules()
        problems = []
        for name in settings.disable:
            if name not in known:
                near = difflib.get_close_matches(name, known, n=1)
                hint = f"; did you mean `{near[0]}`?" if near else "."
                problems.append(Problem("", 0, f"`disable` names an unknown rule, `{name[:80]}`{hint}", "config"))
        return problems

    def analyse(self) -> None:
        if not self.scope.since:
            self.results.expect(sum(len(part.files) for part in self.parts))
        for part in self.parts:
            if self.scope.since:
                self.since(part, self.scope.since)
            else:
                part.found = self.results.of(part.workspace, part.files)

    def since(self, part: _Part, ref: str) -> None:
        """Only what changed since the commit `ref`, or since the work left it, with all of the project as context."""
        from closeread_analyzers.pipeline import merged

        from .change import changed_since, compared, cut_off, known
        from .workspace import git
        from .workspace.snapshot import Committed

        repository = git.find(part.root)
        if repository is None:
            raise git.GitError(f"--diff needs a git repository, and {part.root} is in none.")
        with contextlib.closing(repository):
            commit = repository.commit_id(ref)
            base = repository.merge_base(commit, repository.head() or commit) or commit
            entries = repository.tree(base)
            settings = dataclasses.replace(part.workspace.settings, jobs=1)  # workers see no commits
            before = Committed(part.root, settings, repository, entries)
            changed = changed_since(before, part.workspace, part.files)
            change = compared(self.results, before, part.workspace, changed, part.files)
        part.found = change.after
        part.known = known(merged(change.before.results.values(), self.today))
        self.problems += [self.here_problem(part.root, problem) for problem in cut_off(change)]

    def finish(self) -> Scan:
        from closeread_analyzers.pipeline import merged

        from .change import was_known

        shown: list[Finding] = []
        suppressed: list[Finding] = []
        found: list[Finding] = []
        hidden = gate = lines = files = existing = 0
        lines_of = self.lines_of()
        baseline = self.scope.baseline
        for part in self.parts:
            settings = part.workspace.settings
            disabled = frozenset(settings.disable)
            self.problems += [self.here_problem(part.root, problem) for problem in part.found.warnings.values()]
            for result in part.found.results.values():
                lines += result.lines
                files += 1
                self.problems += [self.here_problem(part.root, problem) for problem in result.problems]
            for finding in merged(part.found.results.values(), self.today, part.whole):
                here = self.here_finding(part.root, finding)
                found.append(here)
                if was_known(finding, part.known):
                    existing += 1
                elif finding.suppression is not None:
                    suppressed.append(here)
                elif is_hidden(finding, settings, disabled):
                    hidden += 1
                elif (
                    baseline is not None
                    and (answered := baseline.answered(here, entry_of(here, lines_of(here.location.path)))).suppression
                ):
                    suppressed.append(answered)
                else:
                    gate += fails(finding, settings.fail_on)
                    shown.append(here)
        problems = sorted(set(self.problems), key=lambda p: (p.path, p.line, p.kind, p.message))
        secrets = secret_places(found)
        report = Report(
            findings=tuple(sorted(shown, key=_order)),
            suppressed=tuple(sorted(suppressed, key=_order)),
            problems=tuple(problems),
            files=files,
            lines=lines,
            cached=self.results.cached,
            ignored=self.ignored,
            hidden=hidden,
            own_models=self.own_models(),
            started=self.started,
            ended=datetime.now(UTC),
            version=version(),
            failed=bool(self.missing) or self.nothing_worked(),
            rules=self.tools.rules() if shown or suppressed else {},
            lines_of=lines_of,
            existing=existing,
            since=self.scope.since,
            unmatched=baseline.unmatched if baseline is not None else 0,
            late=self.results.late,
            scanned=frozenset(self.here_path(part.root, path) for part in self.parts for path in part.found.results),
            secrets=secrets,
            remedies=self.remedies(tuple(shown), secrets),
        )
        warnings = (self.results.warning,) if self.results.warning else ()
        return Scan(report, gate, (*self.warnings, *warnings))

    def own_models(self) -> tuple[int, int, int]:
        """How many models of the user's own are in force, how many of them clear data, and how many a model inferred."""
        packed = [part.workspace.settings.models for part in self.parts if part.workspace.settings.models]
        if not packed:
            return 0, 0, 0
        from closeread_analyzers.catalogue import user_in_force

        counts = [user_in_force(one) for one in packed]
        entries, clearing, inferred = (sum(column) for column in zip(*counts, strict=True))
        return entries, clearing, inferred

    def nothing_worked(self) -> bool:
        """Whether the analysis failed on every single file: that is a defect here, and no clean result."""
        results = [result for part in self.parts for result in part.found.results.values()]
        failures = [r for r in results if any(p.kind in {"crash", "timeout"} and p.line == 0 for p in r.problems)]
        return bool(results) and len(failures) == len(results) and not any(r.lines for r in failures)

    def here_path(self, root: Path, path: str) -> str:
        """A project's path as seen from the current folder; absolute where it is not below it."""
        key = (root, path)
        if key not in self.shown:
            full = os.path.normpath(os.path.join(os.path.realpath(root), path))  # noqa: PTH118
            try:
                relative = os.path.relpath(full, self.here)
            except ValueError:  # another drive
                relative = os.pardir
            outside = relative == os.pardir or relative.startswith(os.pardir + os.sep)
            self.shown[key] = (full if outside else relative).replace(os.sep, "/")
        return self.shown[key]

    def here_problem(self, root: Path, problem: Problem) -> Problem:
        if not problem.path:
            return dataclasses.replace(problem, path=self.here_path(root, "."))
        return dataclasses.replace(problem, path=self.here_path(root, problem.path))

    def here_finding(self, root: Path, finding: Finding) -> Finding:
        def moved(at: Location) -> Location:
            return dataclasses.replace(at, path=self.here_path(root, at.path))

        trace = tuple(dataclasses.replace(step, location=moved(step.location)) for step in finding.trace)
        return dataclasses.replace(finding, location=moved(finding.location), trace=trace)

    def lines_of(self) -> Callable[[str], list[str]]:
        read = self.reader()

        @lru_cache(maxsize=64)
        def lines(shown: str) -> list[str]:
            text = read(shown)
            return [] if text is None else [line.rstrip("\r") for line in text.decode().split("\n")]

        return lines

    def reader(self) -> Callable[[str], bytes | None]:
        """The texts of files by the paths that the report has."""
        workspaces = {part.root: part.workspace for part in self.parts}
        places: dict[str, tuple[Path, str]] = {}

        def read(shown: str) -> bytes | None:
            if shown not in places:
                places.update({name: (root, path) for (root, path), name in self.shown.items()})
            root, path = places.get(shown, (None, ""))
            return None if root is None else workspaces[root].read(path)

        return read

    def remedies(
        self, findings: tuple[Finding, ...], secrets: Mapping[str, tuple[Location, ...]]
    ) -> Callable[[], Mapping[str, Remedy]]:
        """The patches of the vulnerabilities in reach of the current folder, tried when a report asks for them.

        To try one is to analyse its file anew: remarks are mended in the editor, where somebody looks at them.
        """

        @cache
        def make() -> Mapping[str, Remedy]:
            from .fixes import verified
            from .remedies import remediable, remedies

            asked = {finding.fingerprint for finding in findings if remediable(finding)}
            fixes = {}
            for part in self.parts:
                of_part = (
                    f for result in part.found.results.values() for f in result.findings if f.fingerprint in asked
                )
                fixes.update(verified(part.workspace, of_part))
            return remedies(fixes, findings, self.reader(), secrets)

        return make


def is_hidden(finding: Finding, settings: Settings, disabled: frozenset[str]) -> bool:
    """Whether the user does not want to see this finding."""
    if plain_rule(finding.rule) in disabled or finding.rule in disabled or finding.confidence < settings.min_confidence:
        return True
    if finding.severity < settings.min_severity:
        return True
    return finding.kind == "remark" and not settings.remarks


def fails(finding: Finding, fail_on: Severity | None) -> bool:
    """Whether a gate at `fail_on` is shut by this finding."""
    # What rests on a model's answer fails no pipeline: nobody has confirmed it.
    sure = finding.rule == plain_rule(finding.rule)
    return fail_on is not None and finding.kind == "vulnerability" and finding.severity >= fail_on and sure


def _order(finding: Finding) -> tuple[Any, ...]:
    at = finding.location
    return at.path, at.start_line, finding.rule, at.start_column, at.end_line, at.end_column, finding.message
