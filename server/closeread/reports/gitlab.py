"""GitLab's SAST report, schema 15.0.x: what `artifacts: reports: sast:` takes in.

Vulnerabilities only, no remarks and nothing that is suppressed: the pipeline's gate stays about security. What is
suppressed is told among the scan's messages, as the schema has no other place for it.
The ids are derived from the fingerprints, so that two scans of the same code agree. A remediation is a fix that was
tried: it changes nothing beyond the finding.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections import Counter
from typing import Any
from uuid import UUID, uuid5

from closeread_analyzers.finding import Finding

from . import Report, cwe_url, place, shown
from .text import answer

suffixes = (".json",)

SCHEMA_VERSION = "15.0.2"

_NAMESPACE = UUID("6d1c9f2e-7a53-5b0e-9f1d-2f3a6c1b7e40")
_TIME = "%Y-%m-%dT%H:%M:%S"


def render(report: Report) -> bytes:
    """See the module."""
    seen: Counter[tuple[str, str, str]] = Counter()
    vulnerabilities = []
    for finding in report.vulnerabilities:
        key = (finding.rule, finding.location.path, finding.fingerprint)
        vulnerabilities.append(_vulnerability(report, finding, seen[key]))
        seen[key] += 1
    remedies = report.remedies()
    tool = {
        "id": "closeread",
        "name": "Closeread",
        "version": report.version,
        "vendor": {"name": "Closeread"},
    }
    document = {
        "version": SCHEMA_VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "sast",
            "start_time": report.started.strftime(_TIME),
            "end_time": report.ended.strftime(_TIME),
            "status": "failure" if report.failed else "success",
            "messages": _messages(report),
        },
        "vulnerabilities": vulnerabilities,
        "remediations": [
            {
                "fixes": [{"id": vulnerability["id"]}],
                "summary": remedy.title,
                "diff": b64encode(remedy.patch.encode()).decode(),
            }
            for finding, vulnerability in zip(report.vulnerabilities, vulnerabilities, strict=True)
            if (remedy := remedies.get(finding.fingerprint)) is not None
        ],
    }
    return json.dumps(document, indent=2).encode() + b"\n"


def _messages(report: Report) -> list[dict[str, str]]:
    summary = f"{report.files} files analysed, {len(report.problems)} problems."
    return [
        {"level": "info", "value": summary},
        *({"level": "info", "value": _answered(finding)} for finding in report.suppressed),
        *({"level": "warn", "value": f"{place(problem)}: {shown(problem.message)}"} for problem in report.problems),
    ]


def _answered(finding: Finding) -> str:
    at = finding.location
    return shown(f"Suppressed: {finding.rule} in {at.path}:{at.start_line}: {answer(finding)}")


def _vulnerability(report: Report, finding: Finding, occurrence: int) -> dict[str, Any]:
    at = finding.location
    path = shown(at.path)
    identity = "\0".join((finding.rule, path, finding.fingerprint, str(occurrence)))
    lines = {"start_line": at.start_line, "end_line": max(at.end_line, at.start_line)}
    vulnerability: dict[str, Any] = {
        "id": str(uuid5(_NAMESPACE, identity)),
        "name": report.title(finding)[:255],
        "description": shown(_description(report, finding)),
        "severity": finding.severity.label.capitalize(),
        "identifiers": [
            {"type": "closeread_rule_id", "name": f"Closeread {finding.rule}", "value": finding.rule},
            *_cwe(report, finding),
        ],
        "location": {"file": path, **lines, **({"method": finding.function} if finding.function else {})},
        "tracking": {
            "type": "source",
            "items": [
                {"file": path, **lines, "signatures": [{"algorithm": "hash", "value": finding.fingerprint}]},
            ],
        },
        "details": _details(report, finding),
    }
    if finding.cwe is not None:
        vulnerability["links"] = [{"name": f"CWE-{finding.cwe}", "url": cwe_url(finding.cwe)}]
    if fix := report.fix(finding):
        vulnerability["solution"] = fix[:7000]
    if doubt := report.doubt(finding):
        vulnerability["flags"] = [
            {"type": "flagged-as-likely-false-positive", "origin": "closeread", "description": doubt}
        ]
    return vulnerability


def _description(report: Report, finding: Finding) -> str:
    rule = report.rules.get(finding.rule)
    prose = f"\n\n{rule.prose}" if rule is not None and rule.prose else ""
    return f"{finding.message}{prose}"


def _cwe(report: Report, finding: Finding) -> list[dict[str, str]]:
    """The weakness, then its other names: a reader may file it under any of them."""
    if finding.cwe is None:
        return []
    rule = report.rules.get(finding.rule)
    return [
        {"type": "cwe", "name": f"CWE-{cwe}", "value": str(cwe), "url": cwe_url(cwe)}
        for cwe in (finding.cwe, *(rule.also if rule is not None else ()))
    ]


def _details(report: Report, finding: Finding) -> dict[str, Any]:
    details: dict[str, Any] = {
        "confidence": {"name": "Confidence", "type": "text", "value": finding.confidence.label},
    }
    if code := report.line(finding.location.path, finding.location.start_line).strip():
        details["code"] = {"name": "Code", "type": "code", "value": shown(code[:1000])}
    if finding.trace:
        width = len(str(len(finding.trace)))
        details["trace"] = {
            "name": "Data flow",
            "type": "named-list",
            "items": {
                # Readers may sort the keys, so these sort as the data travels.
                f"step-{number:0{width}}": {
                    "name": f"{number}. {step.kind}, {shown(step.location.path)}:{step.location.start_line}",
                    "type": "text",
                    "value": _step_text(report, step.message, step.location.path, step.location.start_line),
                }
                for number, step in enumerate(finding.trace, 1)
            },
        }
    return details


def _step_text(report: Report, message: str, path: str, line: int) -> str:
    code = report.line(path, line).strip()[:300]
    return shown(f"{message}: {code}" if code else message)
