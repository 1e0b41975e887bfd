"""SARIF 2.1.0, as GitHub's code scanning and editors' viewers read it.

Suppressed findings are there with their `suppressions`. Code scanning does not act on these and shows such a result as
an alert: ci/github/action.yml takes them out of what it uploads. Each result brings `primaryLocationLineHash`, by which
code scanning knows it again, and our own fingerprint beside it for other readers. Deliberately absent: what readers
ignore (second locations, graphs).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from typing import Any
from urllib.parse import quote

from closeread_analyzers.finding import Confidence, Finding, Location, Problem, Severity

from . import Report, cwe_url, place, shown
from ._line_hash import line_hashes
from .text import answer

suffixes = (".sarif", ".sarif.json")

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# Readers sort by ranges of a number that stands for a CVSS score: these are the middles.
_SCORE = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.5",
    Severity.INFO: "0.5",
}
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_PRECISION = {Confidence.LOW: "low", Confidence.MEDIUM: "medium", Confidence.HIGH: "high"}
_MOST_STEPS = 1000


def render(report: Report) -> bytes:
    """See the module."""
    findings = (*report.findings, *report.suppressed)
    used = sorted({finding.rule for finding in findings})
    worst = {finding.rule: finding for finding in sorted(findings, key=lambda f: (f.severity, f.confidence))}
    hash_of = _hashes(report)
    index = {rule: number for number, rule in enumerate(used)}
    document = {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Closeread",
                        "semanticVersion": report.version,
                        "rules": [_rule(report, worst[rule]) for rule in used],
                    }
                },
                "automationDetails": {"id": "closeread/"},
                "columnKind": "unicodeCodePoints",
                "invocations": [
                    {
                        "executionSuccessful": not report.failed,
                        "startTimeUtc": report.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "endTimeUtc": report.ended.strftime("%Y-%m-%dT%H:%M:%SZ"),
                        "toolExecutionNotifications": [_notification(problem) for problem in report.problems],
                    }
                ],
                "results": [
                    _result(report, finding, index[finding.rule], hash_of(finding.location)) for finding in findings
                ],
            }
        ],
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _rule(report: Report, finding: Finding) -> dict[str, Any]:
    """The rule of `finding`, its worst one: readers take the rule's score for every result."""
    rule = report.rules.get(finding.rule)
    prose = (rule.prose if rule is not None else "") or finding.rule
    security = finding.kind == "vulnerability"
    tags = ["security" if security else "maintainability"]
    if finding.cwe is not None:
        tags.append(f"external/cwe/cwe-{finding.cwe:03}")
    properties: dict[str, Any] = {"tags": tags, "precision": _PRECISION[finding.confidence]}
    if security:
        properties["security-severity"] = _SCORE[finding.severity]
    return {
        "id": finding.rule,
        "name": "".join(word.capitalize() for word in finding.rule.split("-")),
        "shortDescription": {"text": report.title(finding)},
        "fullDescription": {"text": _first_paragraph(prose)[:1024]},
        "help": _help(report, finding),
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
        "properties": properties,
    }


def _first_paragraph(prose: str) -> str:
    return " ".join(prose.split("\n\n", 1)[0].split())


def _help(report: Report, finding: Finding) -> dict[str, str]:
    """The rule's page: plain, and in Markdown with its links."""
    rule = report.rules.get(finding.rule)
    prose = (rule.prose if rule is not None else "") or finding.rule
    fix = report.fix(finding)
    plain = f"{prose}\n\nFix: {fix}" if fix else prose
    parts = [f"# {report.title(finding)}", prose]
    if fix:
        parts.append(f"**Fix:** {fix}")
    if finding.cwe is not None:
        numbers = (finding.cwe, *(rule.also if rule is not None else ()))
        parts.append(", ".join(f"[CWE-{number}]({cwe_url(number)})" for number in numbers))
    return {"text": plain, "markdown": "\n\n".join(parts)}


def _notification(problem: Problem) -> dict[str, Any]:
    path = problem.path
    made: dict[str, Any] = {
        "level": "warning",
        "descriptor": {"id": problem.kind},
        "message": {"text": f"{place(problem)}: {shown(problem.message)}"},
    }
    if path and path != ".":
        place_: dict[str, Any] = {"artifactLocation": _artifact(path)}
        if problem.line:
            place_["region"] = {"startLine": problem.line}
        made["locations"] = [{"physicalLocation": place_}]
    return made


def _hashes(report: Report) -> Callable[[Location], str]:
    """The hash of the line that a location starts on, each file's worked out once; "" where the file is gone."""

    @cache
    def of_file(path: str) -> list[str]:
        return line_hashes(report.lines_of(path))

    def of(at: Location) -> str:
        hashes = of_file(at.path) if report.lines_of(at.path) else []
        return hashes[at.start_line - 1] if 0 < at.start_line <= len(hashes) else ""

    return of


def _result(report: Report, finding: Finding, rule: int, line_hash: str) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVEL[finding.severity],
        "message": {"text": shown(finding.message)},
        "locations": [{"physicalLocation": _physical(finding.location)}],
        "partialFingerprints": {
            **({"primaryLocationLineHash": line_hash} if line_hash else {}),
            "closeread/v1": finding.fingerprint,
        },
    }
    if doubt := report.doubt(finding):
        result["properties"] = {"likelyFalsePositive": doubt}
    if (given := finding.suppression) is not None:
        kind = "external" if given.origin == "baseline" else "inSource"
        result["suppressions"] = [{"kind": kind, "justification": shown(answer(finding))}]
    if finding.trace:
        steps = [
            {
                "location": {
                    "physicalLocation": _physical(step.location),
                    "message": {"text": shown(step.message)},
                },
                "kinds": [{"source": "source", "sink": "sink"}.get(step.kind, "pass-through")],
            }
            for step in finding.trace[:_MOST_STEPS]
        ]
        result["codeFlows"] = [{"threadFlows": [{"locations": steps}]}]
    return result


def _artifact(path: str) -> dict[str, str]:
    quoted = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    if os.path.isabs(path):  # noqa: PTH117 - the text is what matters
        return {"uri": "file://" + ("" if quoted.startswith("/") else "/") + quoted}
    return {"uri": quoted, "uriBaseId": "%SRCROOT%"}


def _physical(at: Location) -> dict[str, Any]:
    end = at.end_column if at.end_line > at.start_line else max(at.end_column, at.start_column)
    return {
        "artifactLocation": _artifact(at.path),
        "region": {
            "startLine": max(at.start_line, 1),
            "startColumn": at.start_column + 1,
            "endLine": max(at.end_line, at.start_line, 1),
            "endColumn": end + 1,
        },
    }
