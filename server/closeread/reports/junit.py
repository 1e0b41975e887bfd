"""JUnit's XML, as Jenkins and most CI systems read it: a suite a file, a failed case a vulnerability.

Remarks and suppressed findings are skipped cases, problems are errors, and a clean file is one case that passed, so
that a report is never empty. Characters that XML cannot hold are written as escapes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from xml.etree import ElementTree as xml

from closeread_analyzers.finding import Finding, Problem

from . import Report, shown
from .text import answer

suffixes = ("junit.xml", ".xml")

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def render(report: Report) -> bytes:
    """See the module."""
    files: dict[str, list[Finding]] = defaultdict(list)
    for finding in (*report.findings, *report.suppressed):
        files[finding.location.path].append(finding)
    problems: dict[str, list[Problem]] = defaultdict(list)
    for problem in report.problems:
        problems[problem.path].append(problem)
    suites = xml.Element("testsuites", {"name": "Closeread"})
    for path in sorted({*files, *problems}):
        _suite(suites, report, path, files[path], problems[path])
    clean = report.files - len(files.keys() | problems.keys())
    if clean > 0 or not len(suites):
        suite = xml.SubElement(suites, "testsuite", _counts("the other files", 1, 0, 0, 0, report))
        xml.SubElement(suite, "testcase", {"classname": "closeread", "name": f"{max(clean, 0)} files without findings"})
    totals = {name: sum(int(suite.get(name, "0")) for suite in suites) for name in ("tests", "failures", "errors")}
    for name, value in totals.items():
        suites.set(name, str(value))
    suites.set("time", _seconds(report))
    xml.indent(suites)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{xml.tostring(suites, encoding="unicode")}\n'.encode()


def _suite(suites: xml.Element, report: Report, path: str, findings: list[Finding], problems: list[Problem]) -> None:
    failing = [f for f in findings if f.kind == "vulnerability" and f.suppression is None]
    counts = (len(findings) + len(problems), len(failing), len(problems), len(findings) - len(failing))
    suite = xml.SubElement(suites, "testsuite", _counts(path, *counts, report))
    for finding in findings:
        at = finding.location
        name = _text(f"{finding.rule} at line {at.start_line}")
        case = xml.SubElement(suite, "testcase", {"classname": _text(path), "name": name, "time": "0"})
        if finding.suppression is not None:
            xml.SubElement(case, "skipped", {"message": _text(f"suppressed: {answer(finding)}")})
        elif finding.kind == "remark":
            xml.SubElement(case, "skipped", {"message": _text(f"remark: {finding.message}")})
        else:
            failure = {"message": _text(finding.message), "type": f"{finding.severity.label} {finding.rule}"}
            xml.SubElement(case, "failure", failure).text = _text(_story(report, finding))
    for problem in problems:
        name = _text(f"{problem.kind} at line {problem.line}" if problem.line else problem.kind)
        case = xml.SubElement(suite, "testcase", {"classname": _text(path), "name": name, "time": "0"})
        xml.SubElement(case, "error", {"message": _text(problem.message), "type": problem.kind})


def _story(report: Report, finding: Finding) -> str:
    at = finding.location
    lines = [f"{at.path}:{at.start_line}:{at.start_column + 1}: {finding.message}"]
    for number, step in enumerate(finding.trace, 1):
        code = report.line(step.location.path, step.location.start_line).strip()[:300]
        lines.append(f"{number}. {step.location.path}:{step.location.start_line} {step.message}: {code}")
    if doubt := report.doubt(finding):
        lines.append(doubt)
    if fix := report.fix(finding):
        lines.append(f"Fix: {fix}")
    return "\n".join(lines)


def _counts(name: str, tests: int, failures: int, errors: int, skipped: int, report: Report) -> dict[str, str]:
    return {
        "name": _text(name) or ".",
        "tests": str(tests),
        "failures": str(failures),
        "errors": str(errors),
        "skipped": str(skipped),
        "timestamp": report.started.strftime("%Y-%m-%dT%H:%M:%S"),
        "time": "0",
    }


def _seconds(report: Report) -> str:
    return f"{(report.ended - report.started).total_seconds():.3f}"


def _text(text: str) -> str:
    return _NOT_XML.sub(lambda found: ascii(found[0])[1:-1], shown(text))
