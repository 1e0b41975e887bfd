"""Workflow commands of GitHub Actions: printed by a step, they become annotations of the changed files.

One line a finding and one a problem; to standard output, with `--format github`. GitHub shows the first ten of each
level of a step, so the gravest come first. Deliberately absent: suppressed findings.
"""

from __future__ import annotations

from closeread_analyzers.finding import Finding, Problem, Severity

from . import Report, shown

suffixes: tuple[str, ...] = ()


def render(report: Report) -> bytes:
    """See the module."""
    lines = [_finding(report, finding) for finding in report.gravest_first]
    lines += [_problem(problem) for problem in report.problems]
    return "".join(f"{line}\n" for line in lines).encode()


def _finding(report: Report, finding: Finding) -> str:
    level = (
        "error" if finding.severity >= Severity.HIGH else "warning" if finding.severity == Severity.MEDIUM else "notice"
    )
    at = finding.location
    where: dict[str, str | int] = {
        "file": at.path,
        "line": max(at.start_line, 1),
        "endLine": max(at.end_line, at.start_line, 1),
        "col": at.start_column + 1,
        "endColumn": at.end_column + 1,
        "title": f"{report.title(finding)} ({finding.rule})",
    }
    if at.end_line > at.start_line:
        del where["col"], where["endColumn"]  # columns are of one line
    told = [finding.message, report.doubt(finding), report.fix(finding)]
    return _command(level, where, "\n".join(filter(None, told)))


def _problem(problem: Problem) -> str:
    where: dict[str, str | int] = {"file": problem.path}
    if problem.line:
        where["line"] = problem.line
    return _command("warning", {**where, "title": "Not analysed, or not whole"}, problem.message)


def _command(level: str, where: dict[str, str | int], message: str) -> str:
    properties = ",".join(f"{name}={_property(str(value))}" for name, value in where.items())
    return f"::{level} {properties}::{_escaped(message)}"


def _escaped(text: str) -> str:
    """As the toolkit of GitHub's own actions does it; a message of a hostile file starts no command of its own."""
    return shown(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
