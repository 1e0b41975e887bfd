"""One page that people like to read: findings by severity and by file, each with its code and its trace.

Self-contained: no script of others, no font, no image, no request; its Content-Security-Policy forbids them. It works
without script too: everything opens and closes by itself, and the few lines of script only filter. Every text of the
scanned code is escaped, and control characters are made visible (`text.harmless`).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from html import escape
from itertools import groupby
from pathlib import Path

from closeread_analyzers.finding import Finding, Location, Severity, Step

from . import Report, cwe_url, place, tally
from .text import harmless

suffixes = (".html",)

_AROUND = 2
_MOST_LINES = 14
_WIDEST = 240


def render(report: Report) -> bytes:
    """See the module."""
    folder = Path(__file__).with_name("_html")
    style, script = ((folder / name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
    body = "\n".join(_body(report))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        f"<title>{_title(report)}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}\n"
        f"<script>{script}</script>\n</body>\n</html>\n"
    ).encode("utf-8", "backslashreplace")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _title(report: Report) -> str:
    return f"Closeread: {_count(len(report.vulnerabilities), 'finding')}"


def _body(report: Report) -> Iterator[str]:
    yield from _header(report)
    yield "<main>"
    if report.problems:
        yield from _problems(report)
    if not report.findings:
        yield '<p class="calm">Nothing to report. Have a good day.</p>'
    if report.vulnerabilities:
        yield '<section id="findings"><h2>Findings</h2>'
        yield from _by_file(report, report.vulnerabilities)
        yield "</section>"
    if report.remarks:
        yield '<section id="remarks"><h2>Remarks</h2>'
        yield from _by_file(report, report.remarks)
        yield "</section>"
    if report.suppressed:
        yield from _suppressed(report)
    yield "</main>"
    yield from _footer(report)


def _header(report: Report) -> Iterator[str]:
    found = report.vulnerabilities
    yield '<header><div class="wide"><p class="brand">Closeread</p>'
    yield f"<h1>{_count(len(found), 'finding')}</h1>"
    yield f'<p class="sub">{_count(len(report.remarks), "remark")} &middot; {_count(report.files, "file")}'
    yield f" &middot; {_count(report.lines, 'line')} &middot; {report.started:%Y-%m-%d %H:%M} UTC</p>"
    counts = tally(found)
    if counts:
        yield '<ul class="tally" id="tally">'
        for level, count in counts.items():
            yield f'<li class="{level.label}"><button type="button" data-severity="{level.label}" aria-pressed="true">'
            yield f"<b>{count:,}</b> {level.label}</button></li>"
        yield "</ul>"
        yield '<div class="bar" aria-hidden="true">'
        # One cell of a grid for each finding up to a hundred: a bar without a style attribute, which the policy forbids.
        total = sum(counts.values())
        for level, count in counts.items():
            yield f'<i class="{level.label}"></i>' * max(1, round(60 * count / total))
        yield "</div>"
        files = [(path, list(group)) for path, group in groupby(found, key=lambda f: f.location.path)]
        if len(files) > 1:
            yield f'<details class="files"><summary>{_count(len(files), "file")} with findings</summary><ol>'
            for path, group in sorted(
                files, key=lambda item: (-max(f.severity for f in item[1]), -len(item[1]), item[0])
            ):
                worst = max(finding.severity for finding in group).label
                yield f'<li class="{worst}"><a href="#{_anchor(path)}">{_text(path)}</a> <span>{len(group)}</span></li>'
            yield "</ol></details>"
    yield "</div></header>"


def _problems(report: Report) -> Iterator[str]:
    yield f'<details class="problems"><summary>The scan is incomplete: {_count(len(report.problems), "problem")}</summary><ul>'
    for problem in report.problems:
        yield f"<li><code>{_text(place(problem))}</code> {_text(problem.message)}</li>"
    yield "</ul></details>"


def _by_file(report: Report, findings: tuple[Finding, ...]) -> Iterator[str]:
    files = [(path, list(group)) for path, group in groupby(findings, key=lambda f: f.location.path)]
    files.sort(key=lambda item: (-max(finding.severity for finding in item[1]), item[0]))
    for path, group in files:
        anchor = f' id="{_anchor(path)}"' if group[0].kind == "vulnerability" else ""
        yield f'<section class="file"{anchor}><h3>{_text(path)}</h3>'
        for finding in sorted(group, key=lambda f: (-f.severity, f.location.start_line)):
            yield from _finding(report, finding)
        yield "</section>"


def _finding(report: Report, finding: Finding) -> Iterator[str]:
    at, level = finding.location, finding.severity.label
    opened = " open" if finding.kind == "vulnerability" and finding.severity >= Severity.HIGH else ""
    yield f'<details class="finding {level}" data-severity="{level}"{opened}>'
    yield f'<summary><span class="badge">{level}</span><span class="what">{_text(report.title(finding))}</span>'
    inside = f" in {_text(finding.function)}" if finding.function else ""
    yield f'<span class="where">line {at.start_line}{inside}</span></summary>'
    yield f'<div class="story"><p class="message">{_ticked(finding.message)}</p>'
    if len(finding.trace) > 1:
        yield '<ol class="trace">'
        last = len(finding.trace) - 1
        for number, step in enumerate(finding.trace):
            yield from _step(report, step, number, opened=number in (0, last), level=level)
        yield "</ol>"
    else:
        yield _snippet(report, at, level)
    if doubt := report.doubt(finding):
        yield f'<p class="doubt"><b>Doubt</b> {_text(doubt)}</p>'
    if fix := report.fix(finding):
        yield f'<p class="fix"><b>Fix</b> {_ticked(fix)}</p>'
    if (remedy := report.remedies().get(finding.fingerprint)) is not None:
        rows = "".join(_diff_row(line) for line in remedy.patch.splitlines()[2:])
        yield f'<details class="why"><summary>{_ticked(remedy.title)}</summary><pre class="diff" tabindex="0">{rows}</pre></details>'
    yield f'<p class="meta"><code>{_text(finding.rule)}</code>'
    if finding.cwe is not None:
        yield f' <a href="{cwe_url(finding.cwe)}" rel="noreferrer noopener">CWE-{finding.cwe}</a>'
    yield f" <span>confidence {finding.confidence.label}</span></p>"
    rule = report.rules.get(finding.rule)
    if rule is not None and rule.prose:
        paragraphs = "".join(f"<p>{_ticked(' '.join(part.split()))}</p>" for part in rule.prose.split("\n\n"))
        yield f'<details class="why"><summary>Why it matters</summary>{paragraphs}</details>'
    yield "</div></details>"


def _step(report: Report, step: Step, number: int, *, opened: bool, level: str) -> Iterator[str]:
    at = step.location
    yield f'<li class="{step.kind}"><details{" open" if opened else ""}><summary><b>{number + 1}</b>'
    yield f'<span class="said">{_ticked(step.message)}</span>'
    yield f'<span class="where">{_text(at.path)}:{at.start_line}</span></summary>'
    yield f"{_snippet(report, at, level if step.kind == 'sink' else 'step')}</details></li>"


def _snippet(report: Report, at: Location, level: str) -> str:
    """A few lines around a place, with what is meant marked."""
    lines = report.lines_of(at.path)
    if not 0 < at.start_line <= len(lines):
        return ""
    first = max(1, at.start_line - _AROUND)
    last = min(len(lines), max(at.end_line, at.start_line) + _AROUND, first + _MOST_LINES)
    rows = []
    for number in range(first, last + 1):
        text = report.line(at.path, number)
        meant = at.start_line <= number <= max(at.end_line, at.start_line)
        code = _marked(text, at, number) if meant else _text(text[:_WIDEST])
        rows.append(f'<span class="row{" here" if meant else ""}"><i>{number}</i><code>{code or " "}</code></span>')
    return f'<pre class="{level}" tabindex="0">{"".join(rows)}</pre>'


def _diff_row(line: str) -> str:
    kind = {"+": " new", "-": " old"}.get(line[:1], "")
    return f'<span class="row{kind}"><code>{_text(line) or " "}</code></span>'


def _marked(text: str, at: Location, number: int) -> str:
    start = min(at.start_column, len(text)) if number == at.start_line else len(text) - len(text.lstrip())
    end = min(at.end_column, len(text)) if number == at.end_line else len(text)
    end = max(end, start)
    cut = max(0, start - 80) if len(text) > _WIDEST else 0
    before, meant, after = text[cut:start], text[start : min(end, start + _WIDEST)], text[end : cut + _WIDEST]
    return f"{'&hellip;' if cut else ''}{_text(before)}<mark>{_text(meant)}</mark>{_text(after)}"


def _suppressed(report: Report) -> Iterator[str]:
    yield f'<details class="suppressed"><summary>{_count(len(report.suppressed), "finding")} suppressed</summary><table>'
    yield "<tr><th>Rule</th><th>Where</th><th>Whose words</th><th>Reason</th></tr>"
    for finding in report.suppressed:
        given = finding.suppression
        origin, reason = (given.origin, given.reason) if given is not None else ("", "")
        until = f" (until {given.until})" if given is not None and given.until else ""
        where = f"{finding.location.path}:{finding.location.start_line}"
        cells = (finding.rule, where, origin, reason + until)
        yield "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in cells) + "</tr>"
    yield "</table></details>"


def _footer(report: Report) -> Iterator[str]:
    seconds = (report.ended - report.started).total_seconds()
    hidden = f"{report.hidden:,} below the thresholds or disabled. " if report.hidden else ""
    entries, clearing, inferred = report.own_models
    own = f"In force: {_count(entries, 'model')} of your own, {clearing} of them clearing data. " if entries else ""
    own += f"Inferred by a language model, confirmed by nobody: {inferred:,}. " if inferred else ""
    yield f"<footer><p>{hidden}{own}Scanned in {seconds:.1f} s by Closeread {_text(report.version)}, on one machine.</p></footer>"


def _anchor(path: str) -> str:
    return "f-" + hashlib.blake2b(path.encode("utf-8", "surrogateescape"), digest_size=6).hexdigest()


def _text(text: str) -> str:
    return escape(harmless(text), quote=True)


def _ticked(text: str) -> str:
    """Text in which `code` stands between backticks."""
    parts = _text(text).split("`")
    if len(parts) % 2 == 0:  # an odd tick belongs to the text
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
