"""A fix for one finding, as a patch: a rule's own where there is one, else a model's proposal that passed the checks.

Deliberately absent: writing to any file.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from closeread_analyzers.finding import FileResult, Finding, Fix
from closeread_analyzers.pipeline import Project, merged

from .explanation import Explanation, explain
from .model import mender
from .model.assistant import Assistant, assistant
from .model.shelf import ModelProblem
from .why import BadQuestion, Place, deep, place, tellers


@dataclass(frozen=True, slots=True)
class Mended:
    """A patch, or None and why no candidate was taken. `model` is who proposed it, or "" for a rule."""

    patch: str | None
    model: str = ""
    refused: tuple[str, ...] = ()


def mend(
    question: str, rule: str | None = None, model: Callable[[], AbstractContextManager[Assistant | None]] = assistant
) -> Mended:
    """The answer to "FILE:LINE". Raises `BadQuestion`, and `ModelProblem` where a model would be needed and cannot run."""
    at = place(question)
    return deep(lambda: _mend(at, at.project(), rule, model))


def explained(question: str, rule: str | None = None) -> Explanation:
    """The finding on "FILE:LINE" explained. Raises `BadQuestion`."""
    at = place(question)
    project = at.project()
    return deep(lambda: explain(_finding(at, project, rule), project.files, project.catalogue))


def _mend(
    at: Place, project: Project, rule: str | None, model: Callable[[], AbstractContextManager[Assistant | None]]
) -> Mended:
    finding = _finding(at, project, rule)
    fix = project.fix(finding)
    if fix is not None:
        return Mended(patch(project, fix))
    with model() as answering:
        if answering is None:
            raise ModelProblem(
                f"no rule can mend {finding.rule} without judgement, and no model is in use to propose something "
                "(closeread model pull)"
            )
        proposal = mender.propose(project, finding, answering)
        made = patch(project, proposal.fix) if proposal.fix is not None else None
        return Mended(made, answering.model.name, proposal.refused)


def _finding(at: Place, project: Project, rule: str | None) -> Finding:
    """The finding on the line: what the file itself tells, or else one whose flow begins in another file."""
    here = _on_line(at, [project.analyze(at.path)], rule)
    if not here:
        others = tellers(at, at.workspace.sources().files)
        here = _on_line(at, [project.analyze(path) for path in (at.path, *others)], rule)
    if not here:
        raise BadQuestion(f"there is no finding{f' of {rule}' if rule else ''} on line {at.line} of {at.path}")
    if len(here) > 1:
        raise BadQuestion(
            f"there are several findings on that line; choose: --rule {' or '.join(f.rule for f in here)}"
        )
    return here[0]


def _on_line(at: Place, results: Iterable[FileResult], rule: str | None) -> list[Finding]:
    return [
        finding
        for finding in merged(results)
        if finding.location.path == at.path
        and finding.location.start_line <= at.line <= finding.location.end_line
        and finding.suppression is None
        and rule in (None, finding.rule)
    ]


def patch(project: Project, fix: Fix) -> str:
    """A fix as a unified diff."""
    return difference(fix, project.files.read(fix.path) or b"")


def difference(fix: Fix, before: bytes) -> str:
    """What a fix changes in a text, as a unified diff."""
    old, new = (part.decode("utf-8", "replace").splitlines(keepends=True) for part in (before, fix.applied(before)))
    return "".join(difflib.unified_diff(old, new, f"a/{fix.path}", f"b/{fix.path}"))


__all__ = ["BadQuestion", "Mended", "mend", "patch"]
