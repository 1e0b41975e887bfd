"""The pieces of a template: `{{ output }}`, `{% tag %}` and `{# comment #}`, with where each output stands.

Deliberately absent: the markup's own tree (markup.py keeps just enough of it), and other delimiters than
these. What looks like a piece and is never closed is text, as are the insides of raw and comment blocks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from .markup import Markup

_OPEN: Final = re.compile(r"\{[{%#]|<!--")
_CLOSERS: Final = {"{{": "}}", "{%": "%}", "{#": "#}", "<!--": "-->"}
_WORD: Final = re.compile(r"[-+]?\s*(\w+)")
_VERBATIM: Final = {name: re.compile(rf"\{{%[-+]?\s*end{name}\b[^%\n]*%\}}") for name in ("raw", "verbatim", "comment")}


class Piece(NamedTuple):
    """One piece. `inner_start` and `inner_end` are what stands between its delimiters and their `-`.

    kind       "output", "tag" or "comment" ("<!-- -->" too, for the comments that answer findings)
    word       a tag's name
    bare       an output stands where escaping for HTML does not help

    A `{% raw x %}` with something in it is an output of Tornado's, and comes as a tag.
    """

    kind: str
    start: int
    end: int
    inner_start: int
    inner_end: int
    word: str = ""
    bare: bool = False


def has_pieces(source: bytes) -> bool:
    """Whether there can be any; most files of markup have none."""
    return b"{{" in source or b"{%" in source


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a template in order; what is inside an HTML comment is told too, after the comment."""
    markup = Markup(text)
    exhausted: set[str] = set()
    at = 0
    while (found := _OPEN.search(text, at)) is not None:
        opener, start = found[0], found.start()
        end = _end(text, opener, found.end(), exhausted)
        if end < 0:
            at = found.end()
            continue
        if opener == "<!--":
            yield Piece("comment", start, end, start + 4, end - 3)
            at = found.end()  # templates are run inside HTML comments too
            continue
        at = end
        inner_start, inner_end = _trimmed(text, start + 2, end - 2)
        bare = markup.is_bare(start) if opener == "{{" else False
        markup.skip(start, end)
        if opener == "{#":
            yield Piece("comment", start, end, inner_start, inner_end)
        elif opener == "{{":
            yield Piece("output", start, end, inner_start, inner_end, bare=bare)
        else:
            word = _WORD.match(text, start + 2, end - 2)
            name = word[1] if word else ""
            rest = word.end(1) if word else inner_start
            if name not in _VERBATIM or (name == "raw" and text[rest:inner_end].strip()):
                yield Piece("tag", start, end, rest, inner_end, name)
                continue
            at = _verbatim_end(text, name, end)
            if name == "comment":
                yield Piece("comment", start, at, end, at)


def _end(text: str, opener: str, start: int, exhausted: set[str]) -> int:
    """Just behind the closer, or -1. A closer that was once not found is not looked for again: there are no more."""
    if opener in exhausted:
        return -1
    closer = _CLOSERS[opener]
    end = text.find(closer, start)
    if end < 0:
        exhausted.add(opener)
        return -1
    return end + len(closer)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    if end > start and text[start] in "-+":
        start += 1
    if end > start and text[end - 1] in "-+":
        end -= 1
    return start, end


def _verbatim_end(text: str, name: str, start: int) -> int:
    found = _VERBATIM[name].search(text, start)
    return found.end() if found else len(text)
