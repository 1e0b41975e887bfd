"""Everything as JSON, in words of our own: remarks, suppressed findings, whole traces and problems.

Chosen by `--format json` (an output file named *.json is GitLab's report). Lines are 1-based, columns
0-based and in code points, as in `closeread_analyzers.finding`.
"""

from __future__ import annotations

import json
from typing import Any

from closeread_analyzers.finding import Finding, Location

from . import Report, shown

suffixes: tuple[str, ...] = ()


def render(report: Report) -> bytes:
    """See the module."""
    return json.dumps(document(report), indent=2).encode() + b"\n"


def document(report: Report) -> dict[str, Any]:
    """The whole report as JSON-ready data."""
    return {
        "tool": "closeread",
        "version": report.version,
        "started": report.started.isoformat(timespec="seconds"),
        "ended": report.ended.isoformat(timespec="seconds"),
        "complete": not report.failed and not report.problems,
        "files": report.files,
        "lines": report.lines,
        "ignored": report.ignored,
        "hidden": report.hidden,
        "own_models": dict(zip(("entries", "clearing", "inferred"), report.own_models, strict=True)),
        "findings": [finding_data(report, finding) for finding in report.findings],
        "suppressed": [finding_data(report, finding) for finding in report.suppressed],
        "problems": [
            {"path": shown(p.path), "line": p.line, "kind": p.kind, "message": shown(p.message)}
            for p in report.problems
        ],
    }


def finding_data(report: Report, finding: Finding) -> dict[str, Any]:
    """One finding."""
    data: dict[str, Any] = {
        "rule": finding.rule,
        "title": report.title(finding),
        "kind": finding.kind,
        "severity": finding.severity.label,
        "confidence": finding.confidence.label,
        "cwe": finding.cwe,
        "message": shown(finding.message),
        "fix": report.fix(finding),
        "function": shown(finding.function),
        "fingerprint": finding.fingerprint,
        "location": _location(finding.location),
        "trace": [
            {"kind": step.kind, "message": shown(step.message), "location": _location(step.location)}
            for step in finding.trace
        ],
    }
    if doubt := report.doubt(finding):
        data["doubt"] = doubt
    if (given := finding.suppression) is not None:
        data["suppression"] = {
            "reason": shown(given.reason),
            "line": given.line,
            "origin": given.origin,
            "until": given.until,
        }
    return data


def _location(at: Location) -> dict[str, Any]:
    return {
        "path": shown(at.path),
        "start_line": at.start_line,
        "start_column": at.start_column,
        "end_line": at.end_line,
        "end_column": at.end_column,
    }
