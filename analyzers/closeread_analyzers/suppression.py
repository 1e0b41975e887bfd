"""Comments that answer findings: `closeread: ignore[rule] reason (until 2027-01-31)`, and those of other tools.

A comment at the end of a line speaks for what begins or ends on that line; alone on its line, for the next line of
code; `ignore-file[rule]`, wherever it stands, for the whole file. `ignore[*]` speaks for every rule. A comment that
says too little, answers nothing, or is out of date is a finding itself (`rules/suppressions/`). What other tools'
comments mean here is data, in suppressions.toml.

Which comment answers what is decided over the results of all files, in `answered`: a flow that ends here may have been
found from elsewhere. Deliberately absent: a clock (today's date is handed in), and the checking of reasons.
"""

from __future__ import annotations

import hashlib
import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache, lru_cache

from .catalogue import Rule
from .catalogue.foreign import ANY_VULNERABILITY, tools
from .finding import Finding, Ignore, Location, Suppression
from .languages import Language, Tree

OURS = "closeread"
MARKER = b"closeread:"
_OURS = re.compile(r"closeread:\s*ignore(?P<file>-file)?\b(?:\[(?P<rules>[^\]\n]*)\])?(?P<reason>[^\n]*)")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_UNTIL = re.compile(r"\(\s*until\s+([^)\s]*)\s*\)")
_NEXT_COMMENT = re.compile(r"\s(?:#|//)\s|\s*(?:\*/|-->|#\})")
WHOLE_FILE = 0
"""The target of a comment that speaks for all lines."""

_OPENING = "#/*<!-{; \t"


# --- What is written -------------------------------------------------------------------------------


@cache
def _foreign() -> re.Pattern[bytes]:
    return re.compile("|".join(f"(?:{tool.comment.pattern})" for tool in tools()).replace("?P<ids>", "?:").encode())


class Lines:
    """A text by its lines, counted from 1: those that are asked for, since most of a long text is not."""

    def __init__(self, text: bytes, starts: list[int]) -> None:
        """`starts` is the byte at which each line starts."""
        self.text = text
        self.starts = starts

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, number: int) -> bytes:
        end = self.starts[number] - 1 if number < len(self.starts) else len(self.text)
        return self.text[self.starts[number - 1] : end]


def ignores(
    path: str, lines: Lines, language: Language, places: Iterable[int] = (), tree: Tree | None = None
) -> Iterator[Ignore]:
    """The suppressing comments of a file: all of ours, and other tools' about the lines `places` (1-based).

    Only real comments count, not text in strings; `tree` is the file's, which is parsed without one if there is anything to tell.
    """
    marks = {found.start() for found in re.finditer(MARKER, lines.text)}
    for number in {number for place in set(places) for number in _around(lines, place)}:
        if inside := _marks_in(lines[number]):
            marks.update(lines.starts[number - 1] + at for at in inside)
    if not marks:
        return
    tree = tree or language.parse(lines.text)
    for at in sorted(marks):
        node = tree.root_node.descendant_for_byte_range(at, at + 1)
        if node is None or "comment" not in node.type:
            continue
        line = bisect_right(lines.starts, at)
        start = at - lines.starts[line - 1]
        text = lines[line][start:].decode("utf-8", "replace")
        before = lines[line][:start].decode("utf-8", "replace")
        target = line if before.strip(_OPENING) else _next_code(lines, line, language.comment)
        place = (path, line, len(before), len(before) + len(text.rstrip()), target)
        yield from _read(text, place)


@lru_cache(maxsize=8192)
def _marks_in(line: bytes) -> tuple[int, ...]:
    """Where in a line another tool's comment may start. Most lines are asked about again and again."""
    return tuple(found.start() for found in _foreign().finditer(line))


def _around(lines: Lines, place: int) -> Iterator[int]:
    """The line itself, and those of comments and blanks above it, where a comment may stand that speaks for it."""
    yield min(place, len(lines))
    above = place - 1
    while 0 < above <= len(lines) and (not (text := lines[above].strip()) or text[:1] in b"#/*<{;"):
        yield above
        above -= 1


def _next_code(lines: Lines, line: int, comment: str) -> int:
    """The first line below that is neither blank nor a comment alone."""
    target = line + 1
    while target <= len(lines):
        text = lines[target].strip()
        if text and not (comment and text.startswith(comment.encode())):
            break
        target += 1
    return target


def _read(text: str, place: tuple[str, int, int, int, int]) -> Iterator[Ignore]:
    if ours := _OURS.match(text):
        reason = ours["reason"]
        until = _UNTIL.search(reason)
        if until:
            reason = reason.replace(until[0], " ")
        reason = " ".join(_NEXT_COMMENT.split(f" {reason} ", maxsplit=1)[0].split())
        rules = tuple(dict.fromkeys(rule.strip() for rule in (ours["rules"] or "").split(",") if rule.strip()))
        at = (*place[:-1], WHOLE_FILE) if ours["file"] else place
        yield Ignore(*at, rules, reason, until[1] if until else "")
        return
    for tool in tools():
        if found := tool.comment.match(text):
            rules = tool.meaning(found.groupdict().get("ids"))
            if rules:
                yield Ignore(*place, rules, " ".join(found[0].split()), origin=tool.name)
            return


# --- What is answered ------------------------------------------------------------------------------


def answered(
    findings: Iterable[Finding],
    comments: Iterable[Ignore],
    rules: Mapping[str, Rule],
    today: str = "",
    whole: bool = False,
) -> list[Finding]:
    """The findings, with their suppressions, and then what is wrong with the comments.

    `today` is a date in ISO 8601; without one nothing is out of date. `whole` says that `findings` are those of the
    whole project: only then can a comment be called unused whose rule is about flows, since these may come from any file.
    """
    by_line: dict[tuple[str, int], list[Ignore]] = defaultdict(list)
    own: list[Ignore] = []
    for comment in dict.fromkeys(comments):
        by_line[comment.path, comment.target].append(comment)
        if comment.origin == OURS:
            own.append(comment)
    if not by_line:
        return list(findings)
    used: dict[Ignore, set[str]] = defaultdict(set)
    told: list[Finding] = []
    for finding in findings:
        at = finding.location
        suppression = None
        for line in dict.fromkeys((at.start_line, at.end_line, WHOLE_FILE)):
            for comment in by_line.get((at.path, line), ()):
                if word := _answers(comment, finding, rules.get(finding.rule)):
                    used[comment].add(word)
                    if suppression is None and not _is_over(comment, today):
                        suppression = Suppression(comment.reason, comment.line, comment.origin, comment.until)
        told.append(finding if suppression is None else replace(finding, suppression=suppression))
    told += _numbered(
        fault for comment in own for fault in _faults(comment, used.get(comment, set()), rules, today, whole)
    )
    return told


def _answers(comment: Ignore, finding: Finding, rule: Rule | None) -> str:
    """The word of the comment that is about the finding, or ""."""
    weaknesses = {f"CWE-{cwe}" for cwe in (finding.cwe, *(rule.also if rule is not None else ())) if cwe is not None}
    for word in comment.rules:
        if (
            word in ("*", finding.rule)
            or (word == ANY_VULNERABILITY and finding.kind == "vulnerability")
            or (comment.origin != OURS and word in weaknesses)
        ):
            return word
    return ""


def _is_over(comment: Ignore, today: str) -> bool:
    return bool(comment.until and today) and (not _is_date(comment.until) or comment.until < today)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    year, month, day = (int(part) for part in text.split("-"))
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    days = (31, 29 if leap else 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
    return 1 <= month <= 12 and 1 <= day <= days[month - 1]


# --- What is wrong with comments -------------------------------------------------------------------


def _faults(comment: Ignore, used: set[str], rules: Mapping[str, Rule], today: str, whole: bool) -> Iterator[Finding]:
    """At most one finding a comment."""
    by_fate = {rule.suppression: rule for rule in rules.values() if rule.suppression}
    if not comment.rules or not comment.reason:
        name = "names no rule, and so answers nothing" if not comment.rules else "gives no reason"
        yield _fault(comment, by_fate["bare"], name)
    elif comment.until and not _is_date(comment.until):
        yield _fault(comment, by_fate["expired"], f"`{comment.until[:40]}` is no date (2027-01-31 is one)")
    elif _is_over(comment, today):
        yield _fault(comment, by_fate["expired"], f"it held until {comment.until}")
    elif unused := [word for word in comment.rules if word not in used and _is_known_unused(word, rules, whole)]:
        unknown = [word for word in unused if word != "*" and word not in rules]
        shown = ", ".join(f"`{word[:60]}`" for word in unknown or unused)
        yield _fault(comment, by_fate["unused"], f"there is no rule {shown}" if unknown else f"no finding of {shown}")


def _is_known_unused(word: str, rules: Mapping[str, Rule], whole: bool) -> bool:
    return whole or (word != "*" and (word not in rules or not rules[word].flow_to))


def _fault(comment: Ignore, rule: Rule, name: str) -> Finding:
    at = Location(comment.path, comment.line, comment.start_column, comment.line, comment.end_column)
    identity = "\0".join((rule.id, comment.path, *comment.rules))
    message = rule.message.replace("{name}", name)
    return Finding(rule.id, at, message, rule.severity, rule.confidence, rule.cwe, rule.kind, identity)


def _numbered(faults: Iterable[Finding]) -> Iterator[Finding]:
    counts: Counter[str] = Counter()
    for fault in sorted(faults, key=lambda f: (f.location.path, f.location.start_line, f.location.start_column)):
        counts[fault.fingerprint] += 1
        identity = f"{fault.fingerprint}\0{counts[fault.fingerprint]}"
        yield replace(fault, fingerprint=hashlib.blake2b(identity.encode(), digest_size=16).hexdigest())
