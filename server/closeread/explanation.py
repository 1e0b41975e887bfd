"""What one finding means, from the engine's facts alone: what happens, step by step with the code, why it matters, what to do.

The same words for the command line and the editor, and the same every time; a model may add some of its own
(`model/teacher.py`), said after these. Deliberately absent: markup.
"""

from __future__ import annotations

from dataclasses import dataclass

from closeread_analyzers.catalogue import Catalogue
from closeread_analyzers.finding import Finding
from closeread_analyzers.pipeline import Files

from .reports.text import harmless

NOTHING_ON_THE_WAY = "Nothing on this way makes the data harmless for what is done with it."
_WIDEST = 160


@dataclass(frozen=True, slots=True)
class Place:
    """A line (counted from 1) on the way, its code, and what happens there."""

    path: str
    line: int
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One finding explained. `steps` has the finding's own line where there is no trace."""

    rule: str
    title: str
    message: str
    steps: tuple[Place, ...]
    why: str
    fix: str


def explain(finding: Finding, files: Files, catalogue: Catalogue) -> Explanation:
    """The explanation of a finding in the texts as they are."""
    rule = catalogue.rules[finding.rule]
    texts: dict[str, list[str]] = {}

    def code(path: str, line: int) -> str:
        if path not in texts:
            texts[path] = (files.read(path) or b"").decode("utf-8", "replace").split("\n")
        lines = texts[path]
        return lines[line - 1].strip()[:_WIDEST] if 0 < line <= len(lines) else ""

    places = [(step.location, step.message) for step in finding.trace] or [(finding.location, "here")]
    steps = tuple(Place(at.path, at.start_line, code(at.path, at.start_line), message) for at, message in places)
    why = " ".join(rule.prose.split("\n\n")[0].split())
    return Explanation(finding.rule, rule.title, finding.message, steps, why, rule.fix)


def text(explained: Explanation) -> str:
    """The explanation for a terminal."""
    lines = [harmless(explained.message), ""]
    for number, step in enumerate(explained.steps, 1):
        lines.append(f"{number:3}. {harmless(step.path)}:{step.line}: {harmless(step.message)}")
        lines.append(f"       {harmless(step.code)}")
    if len(explained.steps) > 1:
        lines += ["", NOTHING_ON_THE_WAY]
    lines += ["", explained.why]
    if explained.fix:
        lines += ["", f"What to do: {explained.fix}"]
    return "\n".join(lines)
