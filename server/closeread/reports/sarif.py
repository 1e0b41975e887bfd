"""SARIF 2.1.0, as GitHub's code scanning and editors' viewers read it.

Suppressed findings are left out, for readers show them all the same. Deliberately absent: what readers
ignore (second locations, graphs, fingerprints of other names).
"""

from __future__ import annotations

import json
import os
from typing import Any
from urllib.parse import quote

from closeread_analyzers.finding import Confidence, Finding, Location, Severity

from . import Report, place, shown

suffix = ".sarif"

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
    used = sorted({finding.rule for finding in report.findings})
    worst = {finding.rule: finding for finding in sorted(report.findings, key=lambda f: (f.severity, f.confidence))}
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
                        "toolExecutionNotifications": [
                            {"level": "warning", "message": {"text": f"{place(p)}: {shown(p.message)}"}}
                            for p in report.problems
                        ],
                    }
                ],
                "results": [_result(report, finding, index[finding.rule]) for finding in report.findings],
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
        "shortDescription": {"text": report.title(finding)},
        "fullDescription": {"text": _first_paragraph(prose)[:1024]},
        "help": {"text": prose, "markdown": prose},
        "defaultConfiguration": {"level": _LEVEL[finding.severity]},
        "properties": properties,
    }


def _first_paragraph(prose: str) -> str:
    return " ".join(prose.split("\n\n", 1)[0].split())


def _result(report: Report, finding: Finding, rule: int) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rule,
        "level": _LEVEL[finding.severity],
        "message": {"text": shown(finding.message)},
        "locations": [{"physicalLocation": _physical(finding.location)}],
        "partialFingerprints": {"primaryLocationLineHash": finding.fingerprint},
    }
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


def _physical(at: Location) -> dict[str, Any]:
    path = quote(at.path.encode("utf-8", "surrogateescape"), safe="/")
    if os.path.isabs(at.path):  # noqa: PTH117 - the text is what matters
        artifact = {"uri": "file://" + ("" if path.startswith("/") else "/") + path}
    else:
        artifact = {"uri": path, "uriBaseId": "%SRCROOT%"}
    return {
        "artifactLocation": artifact,
        "region": {
            "startLine": max(at.start_line, 1),
            "startColumn": at.start_column + 1,
            "endLine": max(at.end_line, at.start_line, 1),
            "endColumn": at.end_column + 1,
        },
    }
