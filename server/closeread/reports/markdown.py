"""A summary in Markdown: for `$GITHUB_STEP_SUMMARY`, a comment on a merge request, a message.

Kept short: readers cut at a length (GitHub at 1 MiB), and nobody reads more. Text of the scanned code is quoted so
that it stays text, whatever it holds.
"""

from __future__ import annotations

import re

from closeread_analyzers.finding import Finding

from . import Report, cwe_url, place, tally
from .text import answer, harmless

suffixes = (".md", ".markdown")

_MOST = 100
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+!|~@:-])")


def render(report: Report) -> bytes:
    """See the module."""
    return "\n".join(_lines(report)).encode("utf-8", "backslashreplace") + b"\n"


def _lines(report: Report) -> list[str]:
    found = report.vulnerabilities
    counts = ", ".join(f"{count} {level.label}" for level, count in tally(found).items())
    lines = [f"## Closeread: {_count(len(found), 'finding')}{f' ({counts})' if counts else ''}", ""]
    if found:
        lines += ["| severity | where | what |", "| --- | --- | --- |"]
        lines += [_row(report, finding) for finding in report.gravest_first[: len(found)][:_MOST]]
        if len(found) > _MOST:
            lines.append(f"| | | and {len(found) - _MOST} more |")
        lines.append("")
        for finding in report.gravest_first[: len(found)][:10]:
            lines += _story(report, finding)
    if report.remarks:
        lines += ["<details><summary>" + _count(len(report.remarks), "remark") + "</summary>", ""]
        lines += [
            f"- {_where(finding)} {_plain(finding.message)} ({finding.rule})" for finding in report.remarks[:_MOST]
        ]
        if len(report.remarks) > _MOST:
            lines.append(f"- and {len(report.remarks) - _MOST} more")
        lines += ["", "</details>", ""]
    if report.suppressed:
        lines += ["<details><summary>" + _count(len(report.suppressed), "suppressed finding") + "</summary>", ""]
        lines += [
            f"- {_where(finding)} {_plain(finding.message)} ({finding.rule}; {_plain(answer(finding))})"
            for finding in report.suppressed[:_MOST]
        ]
        if len(report.suppressed) > _MOST:
            lines.append(f"- and {len(report.suppressed) - _MOST} more")
        lines += ["", "</details>", ""]
    if report.problems:
        lines += [f"**The scan is incomplete: {_count(len(report.problems), 'problem')}.**", ""]
        lines += [f"- {_code(place(problem))}: {_plain(problem.message)}" for problem in report.problems[:_MOST]]
        if len(report.problems) > _MOST:
            lines.append(f"- and {len(report.problems) - _MOST} more")
        lines.append("")
    rest = f"{_count(len(report.suppressed), 'finding')} suppressed. " if report.suppressed else ""
    hidden = f"{report.hidden:,} below the thresholds. " if report.hidden else ""
    lines.append(f"{_count(report.files, 'file')}, {_count(report.lines, 'line')} read. {rest}{hidden}".strip())
    return lines


def _row(report: Report, finding: Finding) -> str:
    weakness = f" [CWE-{finding.cwe}]({cwe_url(finding.cwe)})" if finding.cwe is not None else ""
    return f"| **{finding.severity.label}** | {_where(finding)} | {_plain(finding.message)}{weakness} |"


def _story(report: Report, finding: Finding) -> list[str]:
    lines = [
        f"<details><summary><b>{finding.severity.label}</b> {finding.rule}, line {finding.location.start_line}</summary>",
        "",
    ]
    steps = finding.trace or ()
    for number, step in enumerate(steps, 1):
        code = report.line(step.location.path, step.location.start_line).strip()[:200]
        where = f"{step.location.path}:{step.location.start_line}"
        lines.append(f"{number}. {_code(where)} {_plain(step.message)}" + (f": {_code(code)}" if code else ""))
    if not steps and (code := report.line(finding.location.path, finding.location.start_line).strip()[:200]):
        lines.append(_code(code))
    if doubt := report.doubt(finding):
        lines += ["", f"**{doubt}**"]
    if fix := report.fix(finding):
        lines += ["", f"**Fix:** {_plain(fix)}"]
    return [*lines, "", "</details>", ""]


def _where(finding: Finding) -> str:
    return _code(f"{finding.location.path}:{finding.location.start_line}")


def _plain(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", harmless(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _code(text: str) -> str:
    """Text as a code span, in more backticks than it has in a row; a bar would end a table's cell."""
    text = harmless(text).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall("`+", text)), default=0) + 1)
    return f"{ticks} {text} {ticks}" if "`" in text else f"{ticks}{text}{ticks}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
