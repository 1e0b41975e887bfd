"""A finding and what it is made of: the one thing that leaves the analysers.

Lines are 1-based; columns are 0-based and count Unicode code points. Turning them into an editor's
units is the business of the editor's side. Plain data, comparable, and cheap to turn into JSON
(`as_json` / `from_json`), since the store keeps bytes only.
"""

from __future__ import annotations

import re
from dataclasses import asdict, astuple, dataclass
from enum import IntEnum
from typing import Any, Literal, NamedTuple


class Severity(IntEnum):
    """Ordered: `Severity.HIGH > Severity.LOW`. `label` is the lower-case name users see."""

    INFO = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def label(self) -> str:
        """The name in lower case."""
        return self.name.lower()


class Confidence(IntEnum):
    """How sure the engine is: of the flow, of the library call, of the context."""

    LOW = 0
    MEDIUM = 1
    HIGH = 2

    @property
    def label(self) -> str:
        """The name in lower case."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class Location:
    """A span in a file. `path` is relative to the project's root, with forward slashes."""

    path: str
    start_line: int
    start_column: int
    end_line: int
    end_column: int


@dataclass(frozen=True, slots=True)
class Step:
    """One point of a trace, in the order the data travels."""

    location: Location
    message: str
    kind: Literal["source", "step", "sink"] = "step"


@dataclass(frozen=True, slots=True)
class Suppression:
    """Why a finding is not shown: the reason somebody gave, where, and in whose words.

    `origin` is "closeread", the word of another tool whose comment is honoured ("nosec"), or "baseline"; `line` is
    the comment's, 0 without one. `until` is the last day on which it holds, in ISO 8601; "" has no end.
    """

    reason: str
    line: int
    origin: str = "closeread"
    until: str = ""


@dataclass(frozen=True, slots=True)
class Ignore:
    """A comment that answers findings, as it is written; suppression.py says which.

    `target` is the line it speaks for. `rules` are our own rules' ids, with "*" for all; in a comment of another
    tool (`origin`) they are whatever suppressions.toml makes of its ids.
    """

    path: str
    line: int
    start_column: int
    end_column: int
    target: int
    rules: tuple[str, ...]
    reason: str
    until: str = ""
    origin: str = "closeread"


INFERRED = "-inferred"
"""Ends a rule's id in a finding that rests on what a model said of a library, and nobody confirmed."""


class InferredApi(NamedTuple):
    """What a finding rests on that a model inferred: an entry's `call` and `kind`, and a sink's `argument` ("" else)."""

    call: str
    kind: str
    argument: str


_INFERRED_SINK = re.compile(r"into `([^`]+)`, whose argument `(\w+)` was inferred to be `([\w:-]+)`")
_INFERRED_SOURCE = re.compile(r"data from outside: `([^`]+)` was inferred to give `([\w-]+)` data")


def inferred_sink(call: str, kind: str, argument: str) -> str:
    """The words of a trace's step into an inferred sink; `inferred_in` reads them."""
    return f"into `{call}`, whose argument `{argument}` was inferred to be `{kind}`"


def inferred_source(call: str, kind: str) -> str:
    """The words of a trace's step out of an inferred source; `inferred_in` reads them."""
    return f"data from outside: `{call}` was inferred to give `{kind}` data"


def inferred_in(finding: Finding) -> list[InferredApi]:
    """What of a finding nobody has confirmed yet, in the order of its trace."""
    found = []
    for step in finding.trace:
        if made := _INFERRED_SINK.search(step.message):
            found.append(InferredApi(made[1], made[3], made[2]))
        elif made := _INFERRED_SOURCE.search(step.message):
            found.append(InferredApi(made[1], made[2], ""))
    return list(dict.fromkeys(found))


def plain_rule(rule: str) -> str:
    """The rule of a finding, without the mark of what was inferred."""
    return rule.removesuffix(INFERRED)


@dataclass(frozen=True, slots=True)
class Finding:
    """One bug or remark.

    `fingerprint` is 32 hexadecimal digits, stable under moved lines and edited comments.
    `function` is the qualified name of the enclosing function, or "".
    `trace` is empty for findings that are about one place.
    """

    rule: str
    location: Location
    message: str
    severity: Severity
    confidence: Confidence
    cwe: int | None
    kind: Literal["vulnerability", "remark"]
    fingerprint: str
    function: str = ""
    trace: tuple[Step, ...] = ()
    suppression: Suppression | None = None


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Bytes `start` to `end` of a file's text (UTF-8) are to become `text`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """Edits of one file that mend a finding. In order, and none touches another.

    `title` says what is done, in the imperative. A fix that is not `safe` changes what the program does beyond the
    finding (another digest of the same text, say): right where a person chose it, wrong where a machine did.
    """

    title: str
    path: str
    edits: tuple[Edit, ...]
    safe: bool = True

    def applied(self, text: bytes) -> bytes:
        """`text`, which the fix was made for, mended."""
        for edit in reversed(self.edits):
            text = text[: edit.start] + edit.text.encode() + text[edit.end :]
        return text


@dataclass(frozen=True, slots=True)
class Problem:
    """Something of a file that was not analysed, and why. Counted in every report."""

    path: str
    line: int
    message: str
    kind: Literal["unreadable", "syntax", "too-large", "crash", "timeout", "encoding", "config"] = "syntax"


@dataclass(frozen=True, slots=True)
class FileResult:
    """All that came of one file. The findings are as found: `pipeline.merged` lets the comments answer them.

    `ignores` are the suppressing comments of the file, and of the other files that findings lie in.
    `dependencies` are the other project files whose content this result rests on, and the paths
    looked for and not found (mapped to ""): path -> digest in hexadecimal of the text used.
    """

    path: str
    findings: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    dependencies: tuple[tuple[str, str], ...] = ()
    lines: int = 0
    ignores: tuple[Ignore, ...] = ()


def as_json(result: FileResult) -> dict[str, Any]:
    """`result` as JSON-ready data; `from_json` reads it back."""

    def span(at: Location) -> list[Any]:
        return [at.path, at.start_line, at.start_column, at.end_line, at.end_column]

    return {
        "path": result.path,
        "lines": result.lines,
        "dependencies": [list(pair) for pair in result.dependencies],
        "problems": [[p.path, p.line, p.message, p.kind] for p in result.problems],
        "ignores": [asdict(ignore) for ignore in result.ignores],
        "findings": [
            {
                "rule": f.rule,
                "location": span(f.location),
                "message": f.message,
                "severity": int(f.severity),
                "confidence": int(f.confidence),
                "cwe": f.cwe,
                "kind": f.kind,
                "fingerprint": f.fingerprint,
                "function": f.function,
                "trace": [[span(s.location), s.message, s.kind] for s in f.trace],
                "suppression": list(astuple(f.suppression)) if f.suppression else None,
            }
            for f in result.findings
        ],
    }


def from_json(data: dict[str, Any]) -> FileResult:
    """The `FileResult` that `as_json` wrote. Raises KeyError, TypeError or ValueError on anything else."""
    return FileResult(
        path=data["path"],
        lines=data["lines"],
        dependencies=tuple((path, digest) for path, digest in data["dependencies"]),
        problems=tuple(Problem(*row) for row in data["problems"]),
        ignores=tuple(Ignore(**{**row, "rules": tuple(row["rules"])}) for row in data["ignores"]),
        findings=tuple(
            Finding(
                rule=f["rule"],
                location=Location(*f["location"]),
                message=f["message"],
                severity=Severity(f["severity"]),
                confidence=Confidence(f["confidence"]),
                cwe=f["cwe"],
                kind=f["kind"],
                fingerprint=f["fingerprint"],
                function=f["function"],
                trace=tuple(Step(Location(*at), message, kind) for at, message, kind in f["trace"]),
                suppression=Suppression(*f["suppression"]) if f["suppression"] else None,
            )
            for f in data["findings"]
        ),
    )
