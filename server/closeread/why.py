"""`closeread why FILE:LINE`: the question, asked of the analysers with a workspace around it, and the answer as text.

Deliberately absent: memory. The question is asked seldom, and all that the answer rests on is analysed again.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from closeread_analyzers.explain import Answer, Note
from closeread_analyzers.finding import Finding, Location
from closeread_analyzers.pipeline import Project

from . import settings as settings_
from .reports import shown
from .reports.text import harmless
from .results import Results, Tools
from .session import Session
from .session import shown as is_shown
from .settings import Settings
from .work import Snapshot, own_catalogue, start_deep
from .workspace.files import Workspace, find_root

T = TypeVar("T")


_LEFT_OUT = "the file is left out by .gitignore or `exclude`, so that neither a scan nor an editor shows it"


class BadQuestion(ValueError):
    """The question cannot be answered; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, the code of its line, and the settings that decide what of it is shown elsewhere."""

    answer: Answer
    code: str
    settings: Settings
    left_out: bool = False
    """Whether neither a scan nor an editor looks at the file."""

    @property
    def hidden(self) -> tuple[Finding, ...]:
        """What was found and is not shown, because the settings say so."""
        return tuple(f for f in self.answer.findings if f.suppression is None and not is_shown(f, self.settings))

    @property
    def verdict(self) -> str:
        """The short answer."""
        findings = [finding for finding in self.answer.findings if finding.suppression is None]
        if not findings:
            return f"Not reported: {_LEFT_OUT}." if self.left_out else "Not reported."
        rules = ", ".join(dict.fromkeys(finding.rule for finding in findings))
        if len(self.hidden) == len(findings):
            return f"Found ({rules}), and hidden by the settings (disable, min-severity, min-confidence or remarks)."
        return f"Found ({rules}), but {_LEFT_OUT}." if self.left_out else f"Reported ({rules})."


@dataclass(frozen=True, slots=True)
class Place:
    """A line (counted from 1) of a file on disk, and the workspace that the file belongs to."""

    workspace: Workspace
    settings: Settings
    path: str
    line: int

    def project(self) -> Project:
        """The workspace's files under analysis, the user's own models in force."""
        return Project(Snapshot(self.workspace), own_catalogue(self.settings.models))


def place(question: str) -> Place:
    """What "FILE:LINE" names. Raises `BadQuestion`, and `ModelsError` for mistakes in the user's models."""
    file, _, number = question.rpartition(":")
    if not file or not number.isdecimal() or len(number) > 9:
        raise BadQuestion(f"write FILE:LINE, like src/app.py:12; {question!r} is not that")
    full = Path(os.path.abspath(file))  # noqa: PTH100 - `resolve` would follow links
    if not full.is_file():
        raise BadQuestion(f"there is no file {file}")
    root = find_root(full)
    settings, problems = settings_.read(root)
    for problem in problems:
        if isinstance(problem, settings_.ModelsProblem):
            raise settings_.ModelsError(problem)
    return Place(Workspace(root, settings), settings, full.relative_to(root).as_posix(), int(number))


def ask(question: str) -> Answered:
    """The answer to "FILE:LINE". Raises what `place` raises."""
    at = place(question)
    others = at.workspace.sources().files
    left_out = at.workspace.ignored(at.path)
    told = replace(deep(lambda: answered(at.project(), at.path, at.line, others, at.settings)), left_out=left_out)
    depends = any(note.kind == "parameter" for note in told.answer.notes)
    if not depends or not (telling := tellers(at, others)):
        return told
    told = deep(lambda: answered(at.project(), at.path, at.line, others, at.settings, telling=telling))
    return replace(told, left_out=left_out)


def tellers(at: Place, files: Sequence[str]) -> tuple[str, ...]:
    """The other files that findings on a line come through: a flow is told with the file that it begins in.

    They are found by a scan of `files`, which the cache mostly answers.
    """
    with contextlib.closing(Results(Tools())) as results:
        found = results.of(at.workspace, files).results.values()
    flows = (
        finding.trace
        for result in found
        for finding in result.findings
        if finding.location.path == at.path and finding.location.start_line <= at.line <= finding.location.end_line
    )
    return tuple(
        dict.fromkeys(step.location.path for trace in flows for step in trace if step.location.path != at.path)
    )


def ask_session(session: Session, path: Path, line: int, cancelled: Callable[[], bool]) -> Answered:
    """The answer about a line (counted from 1) of the text that the user sees. Raises `BadQuestion`."""
    folder, name = session.place(path)
    others = folder.workspace.sources().files if folder.only is None else ()
    project = Project(folder, own_catalogue(folder.settings.models))
    return replace(answered(project, name, line, others, folder.settings, cancelled), left_out=folder.skips(name))


def answered(
    project: Project,
    path: str,
    line: int,
    others: Iterable[str],
    settings: Settings,
    cancelled: Callable[[], bool] = lambda: False,
    *,
    telling: Sequence[str] = (),
) -> Answered:
    """The answer about one line of a project. Raises `BadQuestion`, and `Cancelled` of the pipeline."""
    try:
        answer = project.why(path, line, others, cancelled, telling=telling)
    except LookupError as error:
        raise BadQuestion(str(error.args[0])) from None
    lines = (project.files.read(path) or b"").decode("utf-8", "replace").split("\n")
    return Answered(answer, lines[answer.line - 1].strip(), settings)


def deep(run: Callable[[], T]) -> T:
    """`run` on a thread whose stack has room for deeply nested code."""
    found: list[T] = []
    errors: list[BaseException] = []

    def inside() -> None:
        try:
            found.append(run())
        except BaseException as error:
            errors.append(error)

    start_deep(inside).join()
    if errors:
        raise errors[0]
    return found[0]


# --- The answer's forms ----------------------------------------------------------------------------


def text(told: Answered) -> str:
    """The answer as a person reads it."""
    return "\n".join(_lines(told)) + "\n"


def _lines(told: Answered) -> Iterator[str]:
    answer = told.answer
    yield f"{harmless(answer.path)}:{answer.line}: {harmless(told.code[:160])}"
    yield told.verdict
    for note in answer.notes:
        yield ""
        yield f"- {_sentence(note)}"
        for number, step in enumerate(note.trace, 1):
            yield f"    {number}. {harmless(step.location.path)}:{step.location.start_line} {harmless(step.message)}"


def _sentence(note: Note) -> str:
    message = harmless(note.message)
    return message[:1].upper() + message[1:] if note.kind not in ("reported", "suppressed") else message


def as_json(told: Answered) -> dict[str, Any]:
    """The answer as data; the kinds of notes are those of `closeread_analyzers.explain`."""
    answer = told.answer
    hidden = told.hidden
    return {
        "path": shown(answer.path),
        "line": answer.line,
        "code": shown(told.code),
        "verdict": told.verdict,
        "findings": [
            {
                "rule": finding.rule,
                "severity": finding.severity.label,
                "confidence": finding.confidence.label,
                "fingerprint": finding.fingerprint,
                "suppressed": finding.suppression is not None,
                "hidden": finding in hidden,
            }
            for finding in answer.findings
        ],
        "notes": [
            {
                "kind": note.kind,
                "message": shown(note.message),
                "location": _place(note.location) if note.location is not None else None,
                "trace": [
                    {"kind": step.kind, "message": shown(step.message), "location": _place(step.location)}
                    for step in note.trace
                ],
            }
            for note in answer.notes
        ],
    }


def _place(at: Location) -> dict[str, Any]:
    return {"path": shown(at.path), "line": at.start_line, "column": at.start_column}
