"""GitLab's Code Quality report, in the subset of Code Climate's format that GitLab reads.

What a merge request shows on the free tier, remarks included. An array also when there is nothing. Deliberately
absent: suppressed findings and problems, for which the format has no place; the summary beside it has them.
"""

from __future__ import annotations

import json
from collections import Counter

from closeread_analyzers.finding import Severity

from . import Report, shown

suffixes = ("codequality.json", "code-quality.json", "code-quality-report.json", "codeclimate.json")

_SEVERITY = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
    Severity.INFO: "info",
}


def render(report: Report) -> bytes:
    """See the module."""
    seen: Counter[str] = Counter()
    issues = []
    for finding in report.findings:
        seen[finding.fingerprint] += 1
        again = seen[finding.fingerprint]
        at = finding.location
        issues.append(
            {
                "type": "issue",
                "description": shown(" ".join(filter(None, (finding.message, report.doubt(finding))))),
                "check_name": finding.rule,
                "categories": ["Security" if finding.kind == "vulnerability" else "Bug Risk"],
                # Two issues of one fingerprint would be one to GitLab.
                "fingerprint": finding.fingerprint if again == 1 else f"{finding.fingerprint}-{again}",
                "severity": _SEVERITY[finding.severity],
                "location": {
                    "path": shown(at.path),
                    "lines": {"begin": max(at.start_line, 1), "end": max(at.end_line, at.start_line, 1)},
                },
            }
        )
    return json.dumps(issues, indent=2).encode() + b"\n"
