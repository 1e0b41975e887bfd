"""A user's open editor, without the editor's protocol: folders under analysis and the texts typed over them.

One `Session` holds a `Project` for every workspace folder, and one for each open file outside them all.
It is not thread-safe: one thread owns it and calls everything. Texts are UTF-8 bytes and edits are byte
offsets, so that the analysers can parse incrementally.

Deliberately absent: threads, waiting, and the words of any protocol.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from closeread_analyzers.finding import FileResult, Finding, Fix, Problem, plain_rule
from closeread_analyzers.languages import language_of
from closeread_analyzers.outline import Calls, RouteFact
from closeread_analyzers.pipeline import Cancelled, Project, merged

from . import settings as settings_
from .folder import Edit, Folder, IsCancelled, Memory, Open, ProjectFactory, ProjectLike, Result
from .settings import Settings
from .work import own_catalogue
from .workspace.files import Listing, Workspace, digest

__all__ = ["Analysis", "Cancelled", "Edit", "Folder", "ProjectFactory", "ProjectLike", "Session", "shown"]

EDITOR = "the editor"
CONFIG_NAMES = frozenset({settings_.CONFIG_NAME, "pyproject.toml"})


def _never() -> bool:
    return False


def _project(folder: Folder) -> ProjectLike:
    return Project(folder, own_catalogue(folder.settings.models))


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one file had to say, and the text it was said of.

    `name` is the file's path in its folder. `version` is None for a file that is not open.
    """

    name: str
    version: int | None = None
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    lines: int = 0


def shown(finding: Finding, settings: Settings) -> bool:
    """Whether the user wants to see this finding."""
    return (
        finding.suppression is None
        and finding.severity >= settings.min_severity
        and finding.confidence >= settings.min_confidence
        and (not settings.disable or {finding.rule, plain_rule(finding.rule)}.isdisjoint(settings.disable))
        and (settings.remarks or finding.kind != "remark")
    )


class Session:
    """Folders, open texts, and their analysis."""

    def __init__(
        self,
        project_factory: ProjectFactory = _project,
        today: Callable[[], str] = lambda: datetime.now(UTC).date().isoformat(),
        memory: Memory | None = None,
    ) -> None:
        """`today` is what suppressions that expire are judged by: the date in UTC, as in every report."""
        self._factory = project_factory
        self._memory = memory
        self._today = today
        self._folders: dict[Path, Folder] = {}
        self._loose: dict[Path, Folder] = {}
        self._editor: dict[Path | None, Mapping[str, Any]] = {}
        self.moves = 0
        """One up with whatever may make an answer another one; may be read from any thread."""

    # --- What the user has ------------------------------------------------------------------------

    @property
    def folders(self) -> tuple[Folder, ...]:
        """The workspace folders."""
        return tuple(self._folders.values())

    def add_folder(self, root: Path) -> None:
        """A workspace folder was added; open files in it move to its project."""
        if root not in self._folders:
            self._folders[root] = self._folder(root)
            self._move()

    def remove_folder(self, root: Path) -> None:
        """A workspace folder is gone; its open files become files of their own, or an outer folder's."""
        folder = self._folders.pop(root, None)
        if folder is None:
            return
        for name, opened in folder.opened.items():
            self._put(root / name, opened)

    def configure(self, editor: Mapping[str, Any], root: Path | None = None) -> None:
        """Settings from the editor, over those in files; for one folder, or (None) for those without their own."""
        self._editor[root] = editor
        self.reload()

    def reload(self, root: Path | None = None) -> None:
        """Read the settings again, of one folder or of all."""
        for folder in self._all():
            if root is not None and folder.root != root:
                continue
            settings, folder.problems = self._settings(folder.root, in_workspace=folder.only is None)
            old = folder.settings
            if settings == old:
                continue
            self.moves += 1
            folder.workspace = Workspace(folder.root, settings)
            folder.ignored.clear()
            if settings.max_file_size != old.max_file_size or settings.models != old.models:
                self._reset(folder)  # what it read and what it could not, or what it knows, may differ

    def config_problems(self) -> list[tuple[Path, bytes, tuple[Problem, ...]]]:
        """The settings files with something wrong in them: path, text, and what is wrong."""
        made = []
        for folder in self.folders:
            for name in sorted({problem.path for problem in folder.problems} & CONFIG_NAMES):
                problems = tuple(problem for problem in folder.problems if problem.path == name)
                made.append((folder.root / name, folder.read(name) or b"", problems))
        return made

    def models_problems(self) -> list[str]:
        """What is wrong with the user's own models; without them, everything goes on."""
        return [
            f"{folder.root / problem.path}:{problem.line}: {problem.message} None of your own models is in force."
            for folder in self.folders
            for problem in folder.problems
            if isinstance(problem, settings_.ModelsProblem)
        ]

    def editor_problems(self) -> list[str]:
        """What is wrong with the settings the editor sent."""
        problems: list[Problem] = []
        for editor in self._editor.values():
            problems += settings_.merged(Settings(), editor, EDITOR)[1]
        return list(dict.fromkeys(problem.message for problem in problems))

    def prepare(self) -> None:
        """Load what every analysis needs, before somebody waits for it."""
        for folder in self._all():
            self._project(folder)

    def forget(self) -> None:
        """Drop everything that was remembered of any analysis."""
        for folder in self._all():
            self._reset(folder)
            folder.workspace = Workspace(folder.root, folder.settings)

    # --- Texts ------------------------------------------------------------------------------------

    def open(self, path: Path, version: int, text: bytes) -> None:
        """The user opened a file; from now on its text is this one."""
        self._put(path, Open(version, text))

    def edit(self, path: Path, version: int, text: bytes, edits: Sequence[Edit]) -> None:
        """The user typed. A file that is not open is opened."""
        folder, name = self.place(path)
        opened = folder.opened.get(name)
        if opened is None:
            self.open(path, version, text)
            return
        opened.version, opened.text = version, text
        self._changed(folder, name, edits)

    def close(self, path: Path) -> None:
        """The user closed a file; its text is the one on disk again."""
        folder, name = self.place(path)
        if folder.opened.pop(name, None) is None:
            return
        if folder.only is not None:
            self._loose.pop(path, None)
            return
        folder.workspace.forget(name)
        self._changed(folder, name)
        if name not in folder.scanned:
            self._drop(folder, name)

    def changed_on_disk(self, path: Path) -> None:
        """Someone else wrote, made or removed a file."""
        folder, name = self.place(path)
        folder.workspace.forget(name)
        folder.ignored.clear()
        if name not in folder.opened:
            self._changed(folder, name)
            if not folder.workspace.exists(name):
                folder.scanned.discard(name)
                self._drop(folder, name)

    def opened(self) -> list[Path]:
        """Every open file."""
        return [folder.root / name for folder in self._all() for name in folder.opened]

    # --- Analysis ---------------------------------------------------------------------------------

    def analyze(
        self, path: Path, cancelled: IsCancelled = _never, *, scan: bool = False, glance: bool = False
    ) -> tuple[Folder, Analysis]:
        """Everything to show in one file: what was found from it, and what other files' flows come to in it.

        At a glance, what takes a look at more than was edited (rules over routes, other files' flows) is as it was
        last known: soon right, and at once. A file that is neither open nor was ever part of a scan shows the latter only.
        Raises `Cancelled`; whatever else it raises is a defect of ours.
        """
        folder, name = self.place(path)
        opened = folder.opened.get(name)
        version = opened.version if opened is not None else None
        if language_of(name) is None or folder.skips(name):
            return folder, Analysis(name, version)
        if opened is None and not (folder.root / name).is_file():
            if name in folder.scanned:
                folder.scanned.discard(name)
                self._drop(folder, name)
        elif scan:
            folder.scanned.add(name)
        results: list[FileResult] = []
        problem = None
        if opened is not None or name in folder.scanned:
            problem = self._unreadable(folder, name)
            own = (
                FileResult(name)
                if problem is not None and problem[0]
                else self._result(folder, name, cancelled, glance)
            )
            results.append(own)
        results += self._flows_into(folder, name, cancelled, glance)
        findings = tuple(
            finding
            for finding in merged(results, self._today(), folder.whole)
            if finding.location.path == name and shown(finding, folder.settings)
        )
        problems = [] if problem is None else [problem[1]]
        if results and results[0].path == name:
            problems += [other for other in results[0].problems if other not in problems]
        return folder, Analysis(name, version, findings, tuple(problems), results[0].lines if results else 0)

    def fix(self, path: Path, finding: Finding, cancelled: IsCancelled = _never) -> Fix | None:
        """What surely mends a finding that is shown in `path`. Raises `Cancelled`."""
        folder, _ = self.place(path)
        return self._project(folder).fix(finding, cancelled)

    def fix_all(self, path: Path, findings: Sequence[Finding], cancelled: IsCancelled = _never) -> Fix | None:
        """One fix for as many findings of `path` as go together. Raises `Cancelled`."""
        folder, _ = self.place(path)
        return self._project(folder).fix_all(findings, cancelled)[0]

    def project(self, path: Path) -> ProjectLike:
        """The analysis that a file belongs to."""
        return self._project(self.place(path)[0])

    def flows(self, path: Path) -> list[Finding]:
        """The findings whose data passes through a file, as last known: found from it, or from elsewhere."""
        folder, name = self.place(path)
        return [
            finding
            for finding in merged(folder.results[other].result for other in sorted(folder.results))
            if shown(finding, folder.settings) and any(step.location.path == name for step in finding.trace)
        ]

    def routes(self, path: Path, cancelled: IsCancelled = _never) -> tuple[RouteFact, ...]:
        """The routes of a file. Raises `Cancelled`."""
        folder, name = self.place(path)
        if language_of(name) is None or folder.skips(name):
            return ()
        return self._project(folder).routes(name, cancelled)

    def calls(self, path: Path) -> Calls:
        """Who calls whom in the project of a file, of what was analysed."""
        return self._project(self.place(path)[0]).calls

    def adopt(self, folder: Folder, result: FileResult) -> bool:
        """Take in a file's result that was made elsewhere, of the files on disk; whether it is about what the user sees."""
        if folder not in self._all():
            return False
        rests = dict(result.dependencies)
        for name in (result.path, *rests):
            opened = folder.opened.get(name)
            if opened is not None and rests.get(name) != digest(opened.text):
                return False
        self._known(folder, result.path, Result.of(folder.changes, result, rests=frozenset({result.path, *rests})))
        return True

    def affected(self, path: Path) -> list[Path]:
        """The files that are shown and may have to be shown differently since `path` changed; open ones first.

        `path` itself is one of them only where it is not open: whoever types there renews that anyway.
        """
        folder, name = self.place(path)
        names = set(folder.unsettled)
        if folder.project is not None:
            names |= {other for other in folder.project.dependents(name) if self._is_shown(folder, other)}
        names |= {other for other, known in folder.results.items() if not folder.holds(known)}
        folder.unsettled.clear()
        names.discard(name)
        if name in folder.scanned and name not in folder.opened:
            names.add(name)
        return [folder.root / other for other in sorted(names, key=lambda other: (other not in folder.opened, other))]

    def scanned_whole(self, root: Path, names: Sequence[str]) -> list[Path]:
        """A scan of a whole folder, of these files, has ended. Returns the others that were shown: they are gone, or left out now.

        What suppresses nothing is now known, and told of what was open before.
        """
        folder = self._folders.get(root)
        if folder is None:
            return []
        if not folder.whole:
            folder.whole = True
            self.moves += 1
            folder.unsettled |= {name for name, known in folder.results.items() if known.result.ignores}
        others = sorted(folder.scanned.difference(names, folder.opened))
        for name in others:
            folder.scanned.discard(name)
            self._drop(folder, name)
        return [root / name for name in others]

    def unsettled(self) -> list[Path]:
        """The files that other files' flows end in differently than was shown; each is named once."""
        found = [folder.root / name for folder in self._all() for name in sorted(folder.unsettled)]
        for folder in self._all():
            folder.unsettled.clear()
        return found

    def sources(self, folder: Folder) -> Listing:
        """The source files of a folder, and what could not be looked at."""
        return folder.workspace.sources()

    def _is_shown(self, folder: Folder, name: str) -> bool:
        return name in folder.opened or name in folder.scanned

    def _unreadable(self, folder: Folder, name: str) -> tuple[bool, Problem] | None:
        """Whether there is no text, and what is wrong with it."""
        opened = folder.opened.get(name)
        if opened is None:
            source = folder.workspace.load(name)
            return None if source.problem is None else (source.text is None, source.problem)
        limit = folder.settings.max_file_size
        if len(opened.text) <= limit:
            return None
        return True, Problem(name, 0, f"Larger than {limit:,} bytes (`max-file-size`); not analysed.", "too-large")

    def _flows_into(self, folder: Folder, name: str, cancelled: IsCancelled, glance: bool) -> list[FileResult]:
        """The results of the files whose flows end in `name`, each of them as of now."""
        if glance:
            return [known.result for known in folder.results.values() if name in known.others]
        found = []
        for other in [other for other, known in folder.results.items() if name in known.others]:
            try:
                found.append(self._result(folder, other, cancelled))
            except Cancelled:
                raise
            except Exception:
                # Told where that file itself is analysed; it must not cost this one its own findings.
                self._drop(folder, other)
        return found

    def _result(self, folder: Folder, name: str, cancelled: IsCancelled, glance: bool = False) -> FileResult:
        known = folder.results.get(name) or self._recalled(folder, name)
        if known is not None and self._stands(folder, name, known, glance):
            return known.result
        glance = glance and known is not None and not known.rests  # there is nothing to look back at
        new = Result.of(folder.changes, self._analyze(folder, name, cancelled, glance), whole=not glance)
        self._known(folder, name, new)
        opened = folder.opened.get(name)
        if self._memory is not None and opened is not None and new.whole and folder.only is None:
            self._memory.keep(folder.workspace, new.result, digest(opened.text))
        return new.result

    @staticmethod
    def _stands(folder: Folder, name: str, known: Result, glance: bool) -> bool:
        """Whether there is nothing to be done. What was found elsewhere serves until somebody may type there."""
        if known.rests:
            return folder.holds(known) and (glance or name not in folder.opened)
        return known.changes == folder.changes and (known.whole or glance)

    def _recalled(self, folder: Folder, name: str) -> Result | None:
        """What other runs, or CI, found in a file that was not looked at yet."""
        if self._memory is None or folder.only is not None:
            return None
        result = self._memory.recall(folder.workspace, name)
        return folder.results.get(name) if result is not None and self.adopt(folder, result) else None

    def _known(self, folder: Folder, name: str, new: Result) -> None:
        self.moves += 1
        known = folder.results.get(name)
        folder.results[name] = new
        before = known.others if known is not None else frozenset()
        for other in before | new.others:
            if known is None or known.inside(other) != new.inside(other):
                folder.unsettled.add(other)

    def _analyze(self, folder: Folder, name: str, cancelled: IsCancelled, glance: bool) -> FileResult:
        project = self._project(folder)
        deadline = time.monotonic() + folder.settings.file_timeout
        late = False

        def stop() -> bool:
            nonlocal late
            late = late or time.monotonic() > deadline
            return late or cancelled()

        try:
            return project.glance(name, stop) if glance else project.analyze(name, stop)
        except Cancelled:
            if not late:
                raise
            message = f"Took longer than {folder.settings.file_timeout:g} seconds (`file-timeout`)."
            return FileResult(name, problems=(Problem(name, 0, message, "timeout"),))

    def _project(self, folder: Folder) -> ProjectLike:
        if folder.project is None:
            folder.project = self._factory(folder)
        return folder.project

    def _changed(self, folder: Folder, name: str, edits: Sequence[Edit] = ()) -> None:
        self.moves += 1
        folder.change(name)
        if folder.project is not None:
            folder.project.change(name, edits)

    def _drop(self, folder: Folder, name: str) -> None:
        """Forget a file's result; what it had found in others is no longer shown there."""
        self.moves += 1
        known = folder.results.pop(name, None)
        if known is not None:
            folder.unsettled |= known.others

    def _reset(self, folder: Folder) -> None:
        self.moves += 1
        folder.project = None
        folder.results.clear()
        folder.whole = False
        folder.changes += 1

    # --- Places -----------------------------------------------------------------------------------

    def place(self, path: Path) -> tuple[Folder, str]:
        """The project a file belongs to, and its name there: the innermost workspace folder, or one of its own."""
        folder = self._inside(path)
        if folder is not None:
            return folder, path.relative_to(folder.root).as_posix()
        loose = self._loose.get(path)
        if loose is None:
            loose = self._folder(path.parent, only=path.name)
        return loose, path.name

    def _all(self) -> tuple[Folder, ...]:
        return (*self._folders.values(), *self._loose.values())

    def _inside(self, path: Path) -> Folder | None:
        for parent in path.parents:
            folder = self._folders.get(parent)
            if folder is not None:
                return folder
        return None

    def _folder(self, root: Path, only: str | None = None) -> Folder:
        settings, problems = self._settings(root, in_workspace=only is None)
        return Folder(root, Workspace(root, settings), only, problems)

    def _settings(self, root: Path, *, in_workspace: bool) -> tuple[Settings, tuple[Problem, ...]]:
        # A file's settings are those of a folder the user opened, never of one that happens to be around it.
        base, problems = settings_.read(root) if in_workspace else (Settings(), ())
        editor = self._editor.get(root, self._editor.get(None, {}))
        settings = settings_.merged(base, editor, EDITOR)[0]
        if settings.inferred:
            from .inferred import at_hand  # with the librarian and the model's shelf: few want it

            settings = replace(settings, models=at_hand(settings.models))
        return settings, problems

    def _put(self, path: Path, opened: Open) -> None:
        folder, name = self.place(path)
        if folder.only is not None:
            self._loose[path] = folder
        folder.opened[name] = opened
        folder.workspace.forget(name)
        self._changed(folder, name)

    def _move(self) -> None:
        """Give every open file to the folder it belongs to now."""
        for folder in self._all():
            for name, opened in list(folder.opened.items()):
                path = folder.root / name
                if self._inside(path) in (folder, None):
                    continue
                del folder.opened[name]
                self._loose.pop(path, None)
                self._changed(folder, name)
                self._drop(folder, name)
                self._put(path, opened)
