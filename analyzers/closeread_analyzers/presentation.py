"""From what the engine found to what people read: locations, sentences, traces, fingerprints."""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from . import ir
from .catalogue import Rule
from .check import Report, is_test
from .finding import INFERRED, Confidence, Finding, Location, Severity, Step
from .flow.frame import Hit, UseHit
from .flow.scopes import Source
from .flow.taints import INFERRED as INFERRED_SURE
from .flow.taints import Site, Trail
from .flow.taints import steps as trail_steps

_SPACE = re.compile(r"\s+")
_SHOWN = 60


def line_of(source: Source, offset: int) -> int:
    """The 1-based line of a byte offset."""
    return bisect_right(source.line_starts(), offset)


Stamp = tuple[object, ...]
"""Of a unit: its text and where it stands. While those are the same, so is what is said of places in it."""


class Presentation:
    """Makes findings; `source` finds the files they point into.

    What was made is remembered by what it was made of, between a `begin` and the next for the same file: an edit
    inside one function leaves the findings of all others the very same objects.
    """

    def __init__(self, source: Callable[[str], Source | None]) -> None:
        self.source = source
        self._made: dict[str, dict[int, Made]] = {}
        self._before: dict[int, Made] = {}
        self._now: dict[int, Made] = {}
        self._stamps: dict[tuple[str, str], Stamp | None] = {}
        self._sites: set[tuple[str, str]] = set()

    def begin(self, path: str) -> None:
        """The findings of `path` come next."""
        self._before = self._made.get(path, {})
        self._now = self._made[path] = {}
        self._stamps.clear()

    def _remembered(self, of: object, make: Callable[[], Finding | None]) -> Finding | None:
        """What was made of this very object, or what `make` makes of it."""
        known = self._before.get(id(of))
        if known is None or known.of is not of or not self._stands(known):
            self._sites = set()
            finding = make()
            known = Made(of, finding, [(at, self._stamp(at)) for at in self._sites])
        self._now[id(of)] = known
        return known.finding

    def _stands(self, made: Made) -> bool:
        return all(self._stamp(at) == stamp for at, stamp in made.rests)

    def _stamp(self, at: tuple[str, str]) -> Stamp | None:
        if at not in self._stamps:
            path, unit = at
            source = self.source(path)
            found = source.units.get(unit) if source is not None else None
            stamp: Stamp | None = None
            if source is not None and found is not None:
                line = line_of(source, found.start)
                # A class's digest leaves its methods' text out, and what stands below them moves with it.
                is_class = isinstance(found.statement, ir.ClassDefinition)
                digest = source.digest if is_class else found.digest
                stamp = (digest, line, found.start - source.line_starts()[line - 1])
            self._stamps[at] = stamp
        return self._stamps[at]

    def numbered(self, findings: Iterable[Finding]) -> list[Finding]:
        """`numbered`, which gives the very same objects for the same findings."""
        known = {id(made.finding): made for made in self._now.values() if made.finding is not None}
        done: list[Finding] = []
        for finding, count in _counted(findings):
            made = known[id(finding)]
            if made.numbered is None or made.count != count:
                made.numbered, made.count = _with_fingerprint(finding, count), count
            done.append(made.numbered)
        return done

    def flow(self, hit: Hit) -> Finding | None:
        """A flow's finding, with its whole trace."""
        return self._remembered(hit, lambda: self._flow(hit))

    def use(self, hit: UseHit) -> Finding | None:
        """A use's finding."""
        return self._remembered(hit, lambda: self._use(hit))

    def report(self, source: Source, unit: str, rule: Rule, report: Report) -> Finding | None:
        """A check's finding."""
        return self._remembered(report, lambda: self._report(source, unit, rule, report))

    def _flow(self, hit: Hit) -> Finding | None:
        source = self.source(hit.site.path)
        if source is None:
            return None
        sink = self._shown(hit.site)
        steps = self._steps(hit.taint.trail)
        steps.append(Step(self._location(hit.site), f"reaches `{sink}`", "sink"))
        rule = hit.rule
        message = rule.message.replace("{source}", hit.taint.label).replace("{sink}", sink).replace("{name}", sink)
        sure = min(rule.confidence, Confidence(max(hit.sure, 0)))
        finding = self._finding(rule, hit.site, message, sure, tuple(steps))
        if finding is None or hit.sure > INFERRED_SURE:
            return finding
        message = f"{finding.message} Inferred by the model: no file describes what a call on this way does."
        return replace(finding, rule=f"{rule.id}{INFERRED}", message=message, confidence=Confidence.LOW)

    def _use(self, hit: UseHit) -> Finding | None:
        if self.source(hit.site.path) is None:
            return None
        sink = self._shown(hit.site)
        message = (hit.message or hit.rule.message).replace("{sink}", sink).replace("{name}", sink)
        return self._finding(hit.rule, hit.site, message, min(hit.rule.confidence, Confidence(hit.sure)), ())

    def _report(self, source: Source, unit: str, rule: Rule, report: Report) -> Finding | None:
        message = rule.message
        for name, word in report.words.items():
            message = message.replace("{" + name + "}", word)
        site = Site(source.path, unit, report.node.start, report.node.end)
        confidence = report.confidence if report.confidence is not None else rule.confidence
        finding = self._finding(rule, site, message, confidence, ())
        if finding is not None and report.severity is not None:
            finding = replace(finding, severity=report.severity)
        return finding

    def _finding(
        self, rule: Rule, site: Site, message: str, confidence: Confidence, trace: tuple[Step, ...]
    ) -> Finding | None:
        source = self.source(site.path)
        if source is None:
            return None
        function = site.unit if not site.unit.startswith("@") else ""
        context = normal(self._text(source, site), source.language.comment)
        identity = "\0".join((rule.id, site.path, function, context))
        severity = rule.severity
        if is_test(site.path):  # ranked down: nobody attacks a test, though what it shows may be copied
            severity, confidence = min(severity, Severity.LOW), Confidence.LOW
        return Finding(
            rule.id, self._location(site), message, severity, confidence, rule.cwe, rule.kind, identity, function, trace
        )

    def _steps(self, trail: Trail | None) -> list[Step]:
        steps: list[Step] = []
        for place, one in enumerate(reversed([*trail_steps(trail)])):
            if self.source(one.site.path) is None:
                continue
            step = Step(self._location(one.site), one.message, "source" if place == 0 else "step")
            if (
                not steps
                or steps[-1].location.start_line != step.location.start_line
                or steps[-1].message != step.message
            ):
                steps.append(step)
        return steps

    def _location(self, site: Site) -> Location:
        self._sites.add((site.path, site.unit))
        source = self.source(site.path)
        if source is None:
            return Location(site.path, 1, 0, 1, 0)
        base = _base(source, site.unit)
        return span(source, base + site.start, base + site.end)

    def _text(self, source: Source, site: Site) -> str:
        base = _base(source, site.unit)
        return source.module.source[base + site.start : base + site.end].decode("utf-8", "replace")

    def _shown(self, site: Site) -> str:
        """A short name for a place: what is called, or the code itself."""
        source = self.source(site.path)
        if source is None:
            return ""
        text = _SPACE.sub(" ", self._text(source, site)).strip()
        callee = text.partition("(")[0]
        if "(" in text and callee and len(callee) <= _SHOWN and " " not in callee and text[0] not in "\"'`":
            return callee
        return text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."


def _base(source: Source, unit: str) -> int:
    found = source.units.get(unit)
    return found.start if found is not None else 0


def span(source: Source, start: int, end: int) -> Location:
    """The location of bytes `start` to `end` of a file."""
    starts = source.line_starts()
    text = source.module.source

    def place(offset: int) -> tuple[int, int]:
        line = bisect_right(starts, offset)
        before = text[starts[line - 1] : offset]
        return line, len(before) if before.isascii() else len(before.decode("utf-8", "replace"))

    start_line, start_column = place(start)
    end_line, end_column = place(max(start, end))
    return Location(source.path, start_line, start_column, end_line, end_column)


def normal(text: str, comment: str) -> str:
    """Text without comments and without spaces that say nothing: what identifies a place when lines move."""
    parts: list[str] = []
    at = 0
    spaced = False

    if not comment:
        return _SPACE.sub(" ", text).strip()

    def add(part: str) -> None:
        nonlocal spaced
        if part:
            if spaced and parts and _is_word(parts[-1][-1]) and _is_word(part[0]):
                parts.append(" ")
            parts.append(part)
            spaced = False

    for found in _skipped(comment).finditer(text):
        add(text[at : found.start()])
        at = found.end()
        if found[0][0] in "\"'`":
            add(found[0])
        else:
            spaced = True
    add(text[at:])
    return "".join(parts)


def _is_word(character: str) -> bool:
    return character.isalnum() or character == "_"


@cache
def _skipped(comment: str) -> re.Pattern[str]:
    """Texts in quotes, comments and spaces of a language whose line comments start like this."""
    quoted = r'''("""|\'{3})(?:\\.|.)*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`'''
    block = r"/\*.*?\*/|" if comment == "//" else ""
    return re.compile(rf"{quoted}|{block}{re.escape(comment)}[^\n]*|\s+", re.DOTALL)


def one_a_place(findings: Iterable[Finding]) -> list[Finding]:
    """The findings, of several that name one weakness on one line only the gravest: nobody wants to be told twice."""
    best: dict[tuple[str, int, object], Finding] = {}
    for finding in findings:
        weakness = (
            _FAMILY.get(finding.cwe, finding.cwe) if finding.kind == "vulnerability" and finding.cwe else finding.rule
        )
        place = (finding.location.path, finding.location.start_line, weakness)
        known = best.get(place)
        if known is None or _gravity(finding) > _gravity(known):
            best[place] = finding
    return list(best.values())


_FAMILY: dict[int | None, int] = {321: 798, 259: 798, 80: 79, 116: 79, 916: 328, 327: 328, 943: 89, 88: 78}
"""Weaknesses that are one to a reader: a hard-coded key and a hard-coded password, say."""


def _gravity(finding: Finding) -> tuple[int, int, bool, str]:
    return (finding.severity, finding.confidence, bool(finding.trace), finding.rule)


def unyielded(findings: list[Finding], rules: Mapping[str, Rule]) -> list[Finding]:
    """The findings without those whose rule leaves the word to one that spoke in the same function."""
    spoken = {(finding.location.path, finding.function, finding.rule) for finding in findings}
    yields = {name: rule.yields for _, _, name in spoken if (rule := rules.get(name)) is not None and rule.yields}
    return [
        finding
        for finding in findings
        if finding.rule not in yields
        or not any((finding.location.path, finding.function, rule) in spoken for rule in yields[finding.rule])
    ]


@dataclass(slots=True)
class Made:
    """A finding, what it was made of, and the units it speaks of as they were."""

    of: Any
    finding: Finding | None
    rests: list[tuple[tuple[str, str], Stamp | None]]
    numbered: Finding | None = None
    count: int = 0


def _counted(findings: Iterable[Finding]) -> Iterator[tuple[Finding, int]]:
    """By place; of several that look the same, the second is told from the first by its number."""
    counts: dict[str, int] = {}
    for finding in sorted(findings, key=lambda f: (f.location.path, f.location.start_line, f.location.start_column)):
        count = counts[finding.fingerprint] = counts.get(finding.fingerprint, 0) + 1
        yield finding, count


def _with_fingerprint(finding: Finding, count: int) -> Finding:
    digest = hashlib.blake2b(f"{finding.fingerprint}\0{count}".encode(), digest_size=16).hexdigest()
    return replace(finding, fingerprint=digest)


__all__ = ["Presentation", "line_of", "span"]
