"""The summary a person reads: each finding with its code, its trace and its fix; then the totals.

`lines(report)` gives styled pieces, which the command line colours on a terminal; `render` gives the same
plain. Our own words are ASCII. Quoted code is made harmless: no control characters, no text that runs
backwards, no line that is endless.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator

from closeread_analyzers.finding import Finding, Severity

from . import Report, place, shown, tally

suffixes = (".txt",)

Piece = tuple[str, str]
"""A text and the name of its style ("" for none)."""

Line = list[Piece]

_STYLE = {
    Severity.CRITICAL: "bold white on red",
    Severity.HIGH: "bold red",
    Severity.MEDIUM: "bold yellow",
    Severity.LOW: "bold cyan",
    Severity.INFO: "bold blue",
}
_WIDEST = 160
_MOST_PROBLEMS = 20


def render(report: Report) -> bytes:
    """See the module."""
    text = "\n".join("".join(piece for piece, _ in line).rstrip() for line in lines(report, verbose=True))
    return text.encode("utf-8", "backslashreplace") + b"\n"


def lines(report: Report, verbose: bool = False) -> Iterator[Line]:
    """The report, line by line."""
    for finding in report.vulnerabilities:
        yield from _finding(report, finding)
        yield []
    if remarks := report.remarks:
        yield [("Remarks", "bold")]
        for finding in remarks:
            yield _remark(finding)
        yield []
    if verbose:
        yield from _suppressed(report)
    yield from _problems(report, verbose)
    yield from _totals(report)


def _finding(report: Report, finding: Finding) -> Iterator[Line]:
    at = finding.location
    weakness = f"CWE-{finding.cwe}, " if finding.cwe is not None else ""
    yield [
        (finding.severity.label.upper(), _STYLE[finding.severity]),
        (f" {finding.rule}", "bold"),
        (f" ({weakness}confidence {finding.confidence.label})", "dim"),
    ]
    yield [(f"  {harmless(finding.message)}", "")]
    inside = f" in {harmless(finding.function)}" if finding.function else ""
    yield [("  --> ", "dim"), (f"{harmless(at.path)}:{at.start_line}:{at.start_column + 1}", "cyan"), (inside, "dim")]
    if doubt := report.doubt(finding):
        yield [("  doubt: ", "bold"), (doubt, "")]
    yield from _snippet(report, finding)
    if finding.trace:
        yield [("  trace:", "dim")]
        before = ("", 0)
        for number, step in enumerate(finding.trace, 1):
            where = f"{harmless(step.location.path)}:{step.location.start_line}"
            yield [
                (f"    {number}. ", "dim"),
                (where, "cyan"),
                (f" {step.kind}: " if step.kind != "step" else " ", "dim"),
                (harmless(step.message), ""),
            ]
            here = (step.location.path, step.location.start_line)
            if here != before and (code := report.line(*here).strip()):
                yield [(f"         {harmless(code[:_WIDEST])}", "green")]
            before = here
    if fix := report.fix(finding):
        yield [("  fix: ", "bold green"), (harmless(fix), "")]


def _snippet(report: Report, finding: Finding) -> Iterator[Line]:
    at = finding.location
    code = report.line(at.path, at.start_line)
    if not code.strip():
        return
    end = at.end_column if at.end_line == at.start_line else len(code)
    start = min(at.start_column, len(code))
    end = max(min(end, len(code)), start + 1)
    # Of an endless line, what is around the finding.
    first = max(0, start - 60) if len(code) > _WIDEST else 0
    indent = len(code) - len(code.lstrip()) if first == 0 else first
    indent = min(indent, start)
    quoted = harmless(code[indent : indent + _WIDEST])
    before = _width(harmless(code[indent:start]))
    marked = max(1, min(_width(harmless(code[start:end])), _WIDEST - before))
    number = str(at.start_line)
    margin = " " * len(number)
    yield [(f"  {margin} |", "dim")]
    yield [(f"  {number} | ", "dim"), (quoted, "")]
    yield [(f"  {margin} | ", "dim"), (" " * before, ""), ("^" * marked, _STYLE[finding.severity])]


def _remark(finding: Finding) -> Line:
    at = finding.location
    return [
        (f"  {harmless(at.path)}:{at.start_line}:{at.start_column + 1} ", "cyan"),
        (f"{finding.rule}: ", "bold"),
        (harmless(finding.message), ""),
    ]


def _suppressed(report: Report) -> Iterator[Line]:
    if not report.suppressed:
        return
    yield [("Suppressed", "bold")]
    for finding in report.suppressed:
        yield [*_remark(finding), (f" ({harmless(answer(finding))})", "dim")]
    yield []


def _problems(report: Report, verbose: bool) -> Iterator[Line]:
    if not report.problems:
        return
    yield [("Not analysed, or not whole", "bold")]
    some = report.problems if verbose else report.problems[:_MOST_PROBLEMS]
    for problem in some:
        yield [(f"  {harmless(place(problem))}: ", "cyan"), (harmless(problem.message), "yellow")]
    if more := len(report.problems) - len(some):
        yield [(f"  ... and {more} more (--verbose, or any report, has them all)", "dim")]
    yield []


def _totals(report: Report) -> Iterator[Line]:
    found = report.vulnerabilities
    line: Line = [(_count(len(found), "finding"), "bold")]
    for number, (level, count) in enumerate(tally(found).items()):
        line += [(": " if number == 0 else ", ", ""), (f"{count} {level.label}", _STYLE[level])]
    line.append((f"; {_count(len(report.remarks), 'remark')}", ""))
    if report.suppressed:
        line.append((f"; {len(report.suppressed)} suppressed{_origins(report.suppressed)}", "dim"))
    if report.hidden:
        line.append((f"; {report.hidden} below the thresholds or disabled", "dim"))
    yield line
    if report.since:
        known = (
            f"; {_count(report.existing, 'finding')} in what was looked at were there before" if report.existing else ""
        )
        yield [(f"Only what changed since {harmless(report.since)}{known}.", "dim")]
    if report.unmatched:
        gone = _count(report.unmatched, "finding")
        yield [(f"{gone} of the baseline found no more (--prune takes them out).", "dim")]
    seconds = (report.ended - report.started).total_seconds()
    scanned = f"Scanned {_count(report.files, 'file')}, {_count(report.lines, 'line')} in {seconds:.1f} s"
    reused = f" ({report.cached:,} unchanged since an earlier scan)" if report.cached else ""
    yield [(scanned + reused + ".", "dim")]
    entries, clearing, inferred = report.own_models
    if entries:
        hiding = f", {clearing} of them clearing data" if clearing else ""
        yield [(f"In force: {_count(entries, 'model')} of your own{hiding}.", "dim")]
    if inferred:
        yield [(f"Inferred by a language model, confirmed by nobody: {_count(inferred, 'entry', 'entries')}.", "dim")]
    if report.problems or report.failed:
        yield [(f"The scan is incomplete: {_count(len(report.problems), 'problem')}.", "yellow")]


def answer(finding: Finding) -> str:
    """Whose words suppress a finding, which they are, and until when."""
    given = finding.suppression
    if given is None:
        return ""
    return f"{given.origin}: {given.reason}{f' (until {given.until})' if given.until else ''}"


def _origins(suppressed: tuple[Finding, ...]) -> str:
    """Whose words they are, where they are not all ours: " (2 by nosec, 1 by noqa)"."""
    counts = Counter(finding.suppression.origin for finding in suppressed if finding.suppression is not None)
    own = counts.pop("closeread", 0)
    if not counts:
        return " by comments"
    words = [f"{own} by comments"] if own else []
    return f" ({', '.join([*words, *(f'{count} by {origin}' for origin, count in sorted(counts.items()))])})"


def _count(number: int, noun: str, many: str = "") -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {many or noun + 's'}"


def harmless(text: str) -> str:
    """`text` as one line that a terminal only shows: nothing in it moves the cursor or runs backwards."""
    text = shown(text).replace("\t", "    ")
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        character if unicodedata.category(character) not in _UNSEEN else ascii(character)[1:-1] for character in text
    )


# Control, format (the bidirectional overrides among them), surrogate, line and paragraph separators.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def _width(text: str) -> int:
    """Columns on a terminal."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
