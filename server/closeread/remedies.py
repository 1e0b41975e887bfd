"""Fixes as patches, for the reports that carry them: what `git apply` takes, by a finding's fingerprint.

Only fixes that change nothing beyond the finding. Deliberately absent: a patch that would quote a secret (its lines are
exact, and cannot be masked), and patches of files outside the current folder.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from closeread_analyzers.finding import Finding, Fix, Location

_CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Remedy:
    """What a fix does, and the unified diff that does it."""

    title: str
    patch: str


def remediable(finding: Finding) -> bool:
    """Whether a report would carry the patch of a finding, if there is one."""
    return finding.kind == "vulnerability" and not finding.location.path.startswith("/")


def remedies(
    fixes: Mapping[str, Fix],
    findings: Iterable[Finding],
    read: Callable[[str], bytes | None],
    secrets: Mapping[str, tuple[Location, ...]],
) -> dict[str, Remedy]:
    """The patches of `findings` (as reports name their files) among `fixes`; `read` gives the text of such a file."""
    made: dict[str, Remedy] = {}
    for finding in findings:
        fix, path = fixes.get(finding.fingerprint), finding.location.path
        text = read(path) if fix is not None and fix.safe and remediable(finding) else None
        if fix is None or text is None:
            continue
        old, new = (_lines(part) for part in (text, fix.applied(text)))
        if _quotes(old, new, secrets.get(path, ())):
            continue
        patch = "".join(difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", n=_CONTEXT))
        if patch:
            made[finding.fingerprint] = Remedy(fix.title, patch)
    return made


def _lines(text: bytes) -> list[str]:
    lines = text.decode().split("\n")
    last = lines.pop()
    return [f"{line}\n" for line in lines] + ([f"{last}\n\\ No newline at end of file\n"] if last else [])


def _quotes(old: list[str], new: list[str], places: tuple[Location, ...]) -> bool:
    """Whether the patch has a line with a secret in it."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    for group in matcher.get_grouped_opcodes(_CONTEXT):
        first, last = group[0][1] + 1, group[-1][2]
        if any(at.start_line <= last and first <= at.end_line for at in places):
            return True
    return False
