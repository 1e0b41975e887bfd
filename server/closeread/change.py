"""What a change introduced and what it fixed: the findings after it without those before it, joined on the fingerprint.

The one core of `analyze --diff`, the hook and the review of commits. Analysed are the files that changed and those that
rest on them, on both sides; the rest of the project is context. Which files rest on a changed one is found by name: a
file that mentions it is analysed, and only if its result says that it rests on the change, those that mention that file
in turn.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from posixpath import basename, dirname, splitext

from closeread_analyzers.finding import FileResult, Finding, Problem
from closeread_analyzers.languages import language_of

from .results import Found, Results
from .work import Snapshot
from .workspace.files import Workspace, is_source
from .workspace.git import blob_id
from .workspace.snapshot import Committed

_MOST_DEPENDENTS = 500


@dataclass(frozen=True, slots=True)
class Change:
    """Both sides of a change. `cut` counts the files that might rest on it and were too many to look at."""

    before: Found
    after: Found
    cut: int

    def findings(self, today: str) -> tuple[list[Finding], list[Finding]]:
        """What the change introduced, suppressed findings included, and what it fixed.

        A finding whose suppression is gone is introduced: somebody has to look at it again.
        """
        sides = (self.before, self.after)
        raw = [{f.fingerprint for result in side.results.values() for f in result.findings} for side in sides]
        if raw[0] == raw[1] and not any(result.ignores for side in sides for result in side.results.values()):
            return [], []  # the usual commit, for which the hook need not wait until the rules are read
        from closeread_analyzers.pipeline import merged

        old, new = (merged(side.results.values(), today) for side in sides)
        now = {finding.fingerprint for finding in new}
        before = known(old)
        introduced = [finding for finding in new if not was_known(finding, before)]
        return introduced, [f for f in old if f.fingerprint not in now and f.suppression is None]


def known(findings: Iterable[Finding]) -> dict[str, bool]:
    """The fingerprints of what there was before a change, and whether it was suppressed."""
    return {finding.fingerprint: finding.suppression is not None for finding in findings}


def was_known(finding: Finding, before: Mapping[str, bool]) -> bool:
    """Whether a finding of after the change was there before, and no less answered."""
    was_suppressed = before.get(finding.fingerprint)
    return was_suppressed is not None and (finding.suppression is not None or not was_suppressed)


def cut_off(change: Change) -> list[Problem]:
    """What is to be said of the files that were not looked at."""
    if not change.cut:
        return []
    message = f"{change.cut} more files name what changed and were not looked at; a whole scan does."
    return [Problem("", 0, message, "timeout")]


def compared(
    results: Results, before: Committed, after: Workspace, changed: Sequence[str], files: Iterable[str]
) -> Change:
    """Analyse both sides of what `changed`; `files` are the project's sources after the change."""
    changed = [path for path in changed if is_source(path)]
    there = Found()
    cut: set[str] = set()
    others = [path for path in files if path not in set(changed)]
    wanted = [path for path in changed if after.exists(path)]
    names = _names(changed)
    while True:
        found = results.of(after, wanted)
        there.results |= found.results
        there.warnings |= found.warnings
        names |= _names(
            path for path, result in found.results.items() if path in set(changed) or _rests(result, changed)
        )
        seen = there.results.keys()
        mentioning = [path for path in others if path not in seen and _mentions(after.read(path), names)]
        room = max(0, _MOST_DEPENDENTS - len(seen))
        wanted = mentioning[:room]
        cut.update(mentioning[room:])
        if not wanted:
            break
        names = set()
    was = sorted({path for path in (*changed, *there.results) if before.exists(path)})
    return Change(results.of(before, was), there, len(cut - there.results.keys()))


def changed_since(before: Committed, workspace: Workspace, files: Iterable[str]) -> list[str]:
    """The files whose text is not what it was, those that are new, and those that are gone."""
    now = set(files)
    gone = [path for path in before.entries if path not in now and is_source(path) and not workspace.exists(path)]
    return sorted(gone + [path for path in now if _differs(before, workspace, path)])


def in_changed_functions(before: Workspace, after: Workspace, findings: Iterable[Finding]) -> list[Finding]:
    """Those of the findings whose function (or module-level code) is not word for word what it was."""
    from closeread_analyzers.pipeline import Project

    sides = [Project(Snapshot(side)) for side in (before, after)]
    kept = []
    for finding in findings:
        path, name = finding.location.path, finding.function
        old, new = (side.functions(path) for side in sides)
        if not name or old.get(name) != new.get(name):
            kept.append(finding)
    return kept


def _differs(before: Committed, workspace: Workspace, path: str) -> bool:
    id_ = before.entries.get(path)
    if id_ is None:
        return True
    text = workspace.read(path)
    if text is not None and blob_id(text, id_) == id_:
        return False
    old = before.read(path)  # the same text in other bytes: line ends, an encoding, a mark
    return text is None or old is None or text.replace(b"\r\n", b"\n") != old.replace(b"\r\n", b"\n")


def _rests(result: FileResult, changed: Sequence[str]) -> bool:
    rests = dict(result.dependencies)
    return any(path in rests for path in changed)


def _names(paths: Iterable[str]) -> set[bytes]:
    """What other files call these by: the file's stem, and its folder's name for a file that stands for its folder."""
    names = set()
    for path in paths:
        language = language_of(path)
        stem = splitext(basename(path))[0]
        if language is not None and language.module_name(path).rpartition(".")[2] != stem:
            stem = basename(dirname(path)) or stem
        names.add(stem.encode("utf-8", "surrogateescape"))
    return names


def _mentions(text: bytes | None, names: set[bytes]) -> bool:
    if text is None or not names:
        return False
    return (
        re.search(rb"(?<!\w)(?:" + b"|".join(re.escape(name) for name in sorted(names)) + rb")(?!\w)", text) is not None
    )
