"""Files of lines `key = value`: how a value is read, with the bytes it stands at."""

from __future__ import annotations

import re

from ... import ir
from .document import plain

_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t"}
_CLOSING = {
    '"': re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL),
    "'": re.compile(r"[^']*'", re.DOTALL),
    "`": re.compile(r"[^`]*`", re.DOTALL),
}
_COMMENT = re.compile(r"\s[#;].*")


class Lines:
    """A text by lines; `text` has one character a byte, so that places in it are offsets."""

    def __init__(self, source: bytes) -> None:
        self.text = source.decode("latin-1")
        self.at = 0

    def line_end(self, at: int) -> int:
        """The end of the line around `at`, without its line break."""
        end = self.text.find("\n", at)
        return end if end >= 0 else len(self.text)

    def decoded(self, start: int, end: int) -> str:
        """The text between two offsets, in UTF-8."""
        return self.text[start:end].encode("latin-1").decode("utf-8", "replace")

    def value(self, start: int, *, quotes: bool, comments: bool) -> tuple[ir.Constant, int]:
        """The value that starts at `start`, and where its line ends. A quoted one may go on over several lines."""
        text = self.text
        quote = text[start : start + 1]
        closing = _CLOSING.get(quote) if quotes else None
        if closing is not None and (found := closing.match(text, start + 1)):
            inner = self.decoded(start + 1, found.end() - 1)
            if quote == '"':
                inner = _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), inner)
            return ir.Constant(start, found.end(), inner), self.line_end(found.end())
        end = self.line_end(start)
        stop = end
        if comments and (cut := _COMMENT.search(text, max(start - 1, 0), end)):
            stop = max(cut.start(), start)
        stop = start + len(text[start:stop].rstrip())
        raw = self.decoded(start, stop)
        # a key in PEM form is often written on one line, with its line breaks spelled out
        return ir.Constant(start, stop, plain(raw.replace("\\n", "\n"))), end
