"""Between the editor's words and ours: the only maker of positions, ranges, URIs and diagnostics.

An editor counts lines from 0, ends them with LF, CR or CRLF, and counts columns in UTF-8, UTF-16 or UTF-32 units
as negotiated. The analysers count lines from 1, end them with LF, and count code points. Everything passes
through byte offsets of the one text both agree on. Positions out of range are moved to the nearest
place that exists, as the protocol asks.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from lsprotocol import types

from closeread import platform_
from closeread_analyzers.catalogue import builtin
from closeread_analyzers.finding import Finding, Location, Problem, Severity

SOURCE = "closeread"

Encoding = types.PositionEncodingKind | str
Edit = tuple[int, int, int]
"""Start byte, old end byte, new end byte."""

_SEVERITY = {
    Severity.CRITICAL: types.DiagnosticSeverity.Error,
    Severity.HIGH: types.DiagnosticSeverity.Error,
    Severity.MEDIUM: types.DiagnosticSeverity.Warning,
    Severity.LOW: types.DiagnosticSeverity.Information,
    Severity.INFO: types.DiagnosticSeverity.Hint,
}


class Text:
    """An immutable text in UTF-8 with the places where its lines start."""

    __slots__ = ("__dict__", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data

    @classmethod
    def of(cls, text: str) -> Text:
        """The text of a client. Half a surrogate pair, which UTF-8 cannot hold, becomes a question mark."""
        return cls(text.encode("utf-8", "replace"))

    @cached_property
    def _starts(self) -> list[int]:
        """Where the editor's lines start; a last, perhaps empty, line is always there."""
        return [0, *accumulate(map(len, _lines(self.data)[:-1]))]

    @cached_property
    def _analysis_starts(self) -> list[int]:
        data = self.data
        if data.count(b"\r") == data.count(b"\r\n"):
            return self._starts
        return [0, *accumulate(len(line) + 1 for line in data.split(b"\n")[:-1])]

    @cached_property
    def is_plain(self) -> bool:
        """Whether all units are the same and all lines end in LF, so that nothing needs to be counted."""
        return self.data.isascii() and b"\r" not in self.data

    def line(self, number: int) -> bytes:
        """The editor's line `number`, from 0, without its end."""
        starts = self._starts
        if not 0 <= number < len(starts):
            return b""
        end = starts[number + 1] if number + 1 < len(starts) else len(self.data)
        return self.data[starts[number] : end].rstrip(b"\r\n")

    def offset(self, position: types.Position, encoding: Encoding) -> int:
        """The byte at an editor's position."""
        starts = self._starts
        if position.line >= len(starts):
            return len(self.data)
        line = self.line(position.line)
        return starts[position.line] + _bytes_before(line, position.character, encoding)

    def position(self, offset: int, encoding: Encoding) -> types.Position:
        """The editor's position of a byte."""
        offset = min(max(offset, 0), len(self.data))
        number = bisect_right(self._starts, offset) - 1
        before = self.data[self._starts[number] : offset]
        return types.Position(number, _units(before, encoding))

    def offset_of_location(self, line: int, column: int) -> int:
        """The byte at one of the analysers' lines (from 1) and columns (code points)."""
        starts = self._analysis_starts
        if line < 1:
            return 0
        if line > len(starts):
            return len(self.data)
        start = starts[line - 1]
        end = starts[line] - 1 if line < len(starts) else len(self.data)
        return start + _bytes_before(self.data[start:end], max(column, 0), types.PositionEncodingKind.Utf32)

    def range(self, start: int, end: int, encoding: Encoding) -> types.Range:
        """The editor's range between two bytes."""
        return types.Range(self.position(start, encoding), self.position(max(start, end), encoding))

    def range_of(self, location: Location, encoding: Encoding) -> types.Range:
        """The editor's range of an analysers' location."""
        return self.range(
            self.offset_of_location(location.start_line, location.start_column),
            self.offset_of_location(location.end_line, location.end_column),
            encoding,
        )

    def edited(
        self, changes: Iterable[types.TextDocumentContentChangeEvent], encoding: Encoding
    ) -> tuple[Text, list[Edit]]:
        """The text after a client's changes, each on top of the one before, and the edits in bytes.

        Of very many (a "replace all"), one edit around all of them.
        """
        changes = list(changes)
        if len(changes) > _MANY:
            return self._edited_much(changes, encoding)
        text: Text = self
        edits: list[Edit] = []
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangeWholeDocument):
                new = Text.of(change.text)
                edits.append((0, len(text.data), len(new.data)))
                text = new
                continue
            start = text.offset(change.range.start, encoding)
            end = text.offset(change.range.end, encoding)
            start, end = min(start, end), max(start, end)
            inserted = change.text.encode("utf-8", "replace")
            edits.append((start, end, start + len(inserted)))
            text = text._replaced(start, end, inserted)
        return text, edits

    def _replaced(self, start: int, end: int, inserted: bytes) -> Text:
        """The text with other bytes from `start` to `end`. Where its lines start is known without looking through it."""
        text = Text(self.data[:start] + inserted + self.data[end:])
        if b"\r" not in self.data and b"\r" not in inserted:  # which could come together with an LF, or part from one
            starts, moved = self._starts, start + len(inserted) - end
            above, below = starts[: bisect_right(starts, start)], starts[bisect_right(starts, end) :]
            new = (start + found.end() for found in re.finditer(b"\n", inserted))
            text.__dict__["_starts"] = [*above, *new, *map(moved.__add__, below)]
        return text

    def _edited_much(
        self, changes: list[types.TextDocumentContentChangeEvent], encoding: Encoding
    ) -> tuple[Text, list[Edit]]:
        """`edited` without a whole new text for each change: lines are put in the place of lines."""
        lines = _lines(self.data)
        above, below = len(lines), len(lines)
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangeWholeDocument):
                lines = _lines(Text.of(change.text).data)
                above = below = 0
                continue
            one, other = ((at.line, at.character) for at in (change.range.start, change.range.end))
            (first, start), (last, end) = sorted(_place(lines, *at, encoding) for at in (one, other))
            inserted = lines[first][:start] + change.text.encode("utf-8", "replace") + lines[last][end:]
            if first and lines[first - 1].endswith(b"\r") and inserted.startswith(b"\n"):
                first -= 1  # CR and LF have come together, and are one end of a line
                inserted = lines[first] + inserted
            above, below = min(above, first), min(below, len(lines) - last - 1)
            made = _lines(inserted)
            if last + 1 < len(lines):
                made.pop()  # the text goes on, and the last of these is whole
            lines[first : last + 1] = made
        text = Text(b"".join(lines))
        start = sum(map(len, lines[:above]))
        rest = sum(map(len, lines[len(lines) - below :])) if below else 0
        return text, [(start, len(self.data) - rest, len(text.data) - rest)]


_MANY = 8


def _lines(data: bytes) -> list[bytes]:
    """The editor's lines with their ends; a last, perhaps empty, line is always there."""
    # `bytes.splitlines` ends lines at LF, CR and CRLF only, exactly as the protocol does.
    lines = data.splitlines(keepends=True)
    if not lines or lines[-1].endswith((b"\n", b"\r")):
        lines.append(b"")
    return lines


def _place(lines: list[bytes], line: int, character: int, encoding: Encoding) -> tuple[int, int]:
    """A place that exists: which of the lines, and after how many of its bytes."""
    if line >= len(lines):
        return len(lines) - 1, len(lines[-1])
    return line, _bytes_before(lines[line].rstrip(b"\r\n"), character, encoding)


def _bytes_before(line: bytes, units: int, encoding: Encoding) -> int:
    """How many bytes of `line` the first `units` take; a unit inside a character counts as before it."""
    if line.isascii():
        return min(units, len(line))
    if encoding == types.PositionEncodingKind.Utf8:
        end = min(units, len(line))
        while 0 < end < len(line) and line[end] & 0xC0 == 0x80:
            end -= 1
        return end
    text = line.decode("utf-8", "replace")
    if encoding == types.PositionEncodingKind.Utf32:
        before = text[:units]
    else:
        before = text.encode("utf-16-le")[: 2 * units].decode("utf-16-le", "ignore")
    return min(len(before.encode()), len(line))


def _units(before: bytes, encoding: Encoding) -> int:
    if encoding == types.PositionEncodingKind.Utf8 or before.isascii():
        return len(before)
    text = before.decode("utf-8", "replace")
    if encoding == types.PositionEncodingKind.Utf32:
        return len(text)
    return len(text.encode("utf-16-le")) // 2


# --- URIs ------------------------------------------------------------------------------------------


def path_of(uri: str) -> Path | None:
    """The absolute path that a `file:` URI names, or None for any other URI."""
    try:
        parts = urlsplit(uri)
    except ValueError:
        return None
    path = unquote(parts.path)
    if parts.scheme != "file" or not path or "\0" in path:
        return None
    if platform_.WINDOWS:
        if parts.netloc:
            return Path(f"//{parts.netloc}{path}")
        return Path(path.lstrip("/"))
    # `absolute` folds nothing but a relative start, which a URI's path cannot have.
    return Path(path) if path.startswith("/") else None


def uri_of(path: Path) -> str:
    """The `file:` URI of an absolute path."""
    try:
        return path.as_uri()
    except ValueError:
        return "file:///" + quote(path.as_posix().lstrip("/"))


# --- Diagnostics -----------------------------------------------------------------------------------

# Made as the plain data that goes over the wire. Objects of the protocol's types would be turned into that by
# the event loop's thread, at 12 ms for 200 findings.

Wire = dict[str, Any]
"""A part of a message, ready to be JSON."""

TextOf = Callable[[str], "tuple[str, Text] | None"]
"""A project's path to the file's URI and text; None when it cannot be had any more."""

Page = Callable[[Finding], "str | None"]
"""Where a finding's rule is described: a URL."""


def problems(found: Sequence[Problem], text_of: TextOf, encoding: Encoding) -> list[Wire]:
    """What the editor shows of what was not analysed; of all that could not be parsed in a file, one diagnostic at the first."""
    unparsed = [one for one in found if one.kind == "syntax"]
    told = [one for one in found if one.kind != "syntax"]
    if unparsed:
        told.append(replace(unparsed[0], message=_unparsed(unparsed)))
    made = []
    for one in told:
        here = text_of(one.path)
        made.append(problem(one, here[1] if here is not None else Text(b""), encoding))
    return made


def _unparsed(found: Sequence[Problem]) -> str:
    """A sentence for all of them: the language's own server says what is wrong, this says what it costs."""
    first = found[0].message
    others = [str(line) for line in dict.fromkeys(one.line for one in found[1:]) if line != found[0].line]
    more = f" and {len(others) - _FEW} more" if len(others) > _FEW else ""
    lines = "line" if len(others) == 1 else "lines"
    where = f", and in {lines} {', '.join(others[:_FEW])}{more}" if others else ""
    return f"{first[:1].upper()}{first[1:]}. Findings may be missing here{where}."


_FEW = 5
"""Lines that a sentence names."""


def diagnostic(finding: Finding, text_of: TextOf, page: Page, encoding: Encoding) -> Wire:
    """What the editor shows of a finding."""
    here = text_of(finding.location.path)
    made: Wire = {
        "range": _wire_range(here[1] if here is not None else Text(b""), finding.location, encoding),
        "message": finding.message,
        "severity": _SEVERITY[finding.severity].value,
        "code": finding.rule,
        "source": SOURCE,
        "data": {"fingerprint": finding.fingerprint, "rule": finding.rule, "cwe": finding.cwe},
    }
    href = page(finding)
    if href is not None:
        made["codeDescription"] = {"href": href}
    if _is_unnecessary(finding.rule):
        made["tags"] = [types.DiagnosticTag.Unnecessary.value]
    related = []
    for step in finding.trace:
        there = text_of(step.location.path)
        if there is not None:
            place = {"uri": there[0], "range": _wire_range(there[1], step.location, encoding)}
            related.append({"location": place, "message": step.message})
    if related:
        made["relatedInformation"] = related
    return made


def _is_unnecessary(rule: str) -> bool:
    """Whether a rule is about code that could be deleted; editors fade it."""
    known = builtin().rules.get(rule)
    return known is not None and "unnecessary" in known.tags


def problem(problem: Problem, text: Text, encoding: Encoding) -> Wire:
    """A part that was not analysed, or a setting that does not count: never silent."""
    start = text.offset_of_location(problem.line, 0)
    number = text.position(start, encoding).line
    range_ = text.range(start, start + len(text.line(number)), encoding)
    severity = types.DiagnosticSeverity.Warning if problem.kind == "config" else types.DiagnosticSeverity.Information
    return {
        "range": {"start": _wire(range_.start), "end": _wire(range_.end)},
        "message": problem.message,
        "severity": severity.value,
        "code": problem.kind,
        "source": SOURCE,
    }


def remark(line: int, identifier: str, message: str, text: Text, encoding: Encoding) -> Wire:
    """What a model remarked on an identifier of a line, which is counted from 0: information, and never more."""
    shown = text.line(line).decode("utf-8", "replace")
    found = re.search(rf"\b{re.escape(identifier)}\b", shown)
    start, end = found.span() if found is not None else (0, len(shown))
    return {
        "range": _wire_range(text, Location("", line + 1, start, line + 1, end), encoding),
        "message": message,
        "severity": types.DiagnosticSeverity.Information.value,
        "code": "model-remark",
        "source": SOURCE,
    }


def _wire_range(text: Text, location: Location, encoding: Encoding) -> Wire:
    if text.is_plain:
        return {
            "start": {"line": location.start_line - 1, "character": location.start_column},
            "end": {"line": location.end_line - 1, "character": location.end_column},
        }
    range_ = text.range_of(location, encoding)
    return {"start": _wire(range_.start), "end": _wire(range_.end)}


def _wire(position: types.Position) -> Wire:
    return {"line": position.line, "character": position.character}


def range_in(made: Wire) -> types.Range:
    """The range of a diagnostic as data."""
    start, end = made["range"]["start"], made["range"]["end"]
    return types.Range(types.Position(start["line"], start["character"]), types.Position(end["line"], end["character"]))
