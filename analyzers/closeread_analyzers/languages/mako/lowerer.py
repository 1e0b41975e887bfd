"""Lowers Mako's templates: Mako's pieces are told to Jinja2's lowerer in its own words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from ... import ir
from ..jinja.expressions import MAX_FILTERS
from ..jinja.lowerer import TemplateLowerer
from ..jinja.markup import Markup
from ..jinja.scanner import Piece

MAX_OUTPUT: Final = 4_000
"""Characters up to which the end of an output is looked for."""

_PIECE: Final = re.compile(
    r"(?P<comment>^[ \t]*\#\#[^\n]*|<!--)|(?P<line>^[ \t]*%(?!%)[^\n]*)|(?P<verbatim><%(?P<kind>doc|text)\b[^>]*>)"
    r"|(?P<tag><%(?P<name>\w+)(?P<attributes>[^>]{0,2000})>)|(?P<close></%(?P<closed>\w+)>)"
    r"|(?P<code><%!?\s)|(?P<output>\$\{)",
    re.MULTILINE,
)
_INSIDE: Final = re.compile(r"""[{}]|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'""")
_FILTERS: Final = re.compile(r"(?<!\|)\|(?!\|)\s*([\w.]+(?:\s*,\s*[\w.]+)*)\s*$")
_LINE: Final = re.compile(r"[ \t]*%[ \t]*(\w+)")
_SET: Final = re.compile(r"[ \t]*([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*[ \t]*=(?!=)[^\n]*)", re.ASCII)
_WRITE: Final = re.compile(r"[ \t]*context\.write\(([^\n]*)\)[ \t]*$")
_ATTRIBUTE: Final = re.compile(r"""\b(\w+)\s*=\s*("[^"]*"|'[^']*')""")
_WORDS: Final = {"def": "macro", "include": "include", "inherit": "extends", "block": "block"}
_GIVEN: Final = {"def": "name", "include": "file", "inherit": "file"}


def pieces(text: str) -> Iterator[Piece]:
    """The pieces of a template in order, as Jinja2's lowerer knows them. An output's `word` is its filters: "n,h"."""
    markup = Markup(text)
    at = unclosed = 0
    commented = True
    while (found := _PIECE.search(text, at)) is not None:
        start, at = found.start(), found.end()
        bare = markup.is_bare(start) if found["output"] else False
        if found["comment"] == "<!--":  # what is inside is run too
            closer = text.find("-->", at) if commented else -1
            commented = closer >= 0
            if commented:
                yield Piece("comment", start, closer + 3, at, closer)
            continue
        if found["comment"]:
            yield Piece("comment", start, at, start, at)
            continue
        if found["output"]:
            end = _output_end(text, at) if at > unclosed else -1
            if end < 0:
                unclosed = max(unclosed, at + MAX_OUTPUT)
                continue
            yield _output(text, start, at, end, bare)
            at = end + 1
        elif found["line"]:
            yield from _control(text, found)
        elif found["verbatim"]:
            closer = text.find(f"</%{found['kind']}>", at)
            at = len(text) if closer < 0 else closer
            if found["kind"] == "doc":
                yield Piece("comment", start, at, found.end(), at)
        elif found["code"]:
            closer = text.find("%>", at)
            end = len(text) if closer < 0 else closer
            if not found["code"].startswith("<%!"):
                yield from _code(text, at, end)
            at = min(end + 2, len(text))
        elif found["close"]:
            if (word := _WORDS.get(found["closed"])) is not None:
                yield Piece("tag", start, at, at, at, f"end{word}")
        elif (piece := _tag(found)) is not None:
            yield piece
        markup.skip(start, at)


def _output_end(text: str, start: int) -> int:
    """Where the `}` of an output stands, or -1."""
    depth = 1
    for found in _INSIDE.finditer(text, start, start + MAX_OUTPUT):
        depth += {"{": 1, "}": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return -1


def _output(text: str, start: int, inside: int, end: int, bare: bool) -> Piece:
    filters = _FILTERS.search(text[inside:end])
    inner_end = inside + filters.start() if filters else end
    word = re.sub(r"\s", "", filters[1]) if filters else ""
    return Piece("output", start, end + 1, inside, inner_end, word, bare)


def _control(text: str, found: re.Match[str]) -> Iterator[Piece]:
    """`% for x in y:`, `% endfor`."""
    word = _LINE.match(text, found.start(), found.end())
    if word is not None:
        end = found.start() + len(found[0].rstrip())
        yield Piece("tag", found.start(), end, word.end(), end - found[0].rstrip().endswith(":"), word[1])


def _code(text: str, start: int, end: int) -> Iterator[Piece]:
    """The lines of `<% ... %>` that bind a name, write to the page or call something."""
    for line in re.finditer(r"[^\n]+", text[start:end]):
        first, last = start + line.start(), start + line.end()
        if (written := _WRITE.match(text, first, last)) is not None:
            yield Piece("output", first, last, written.start(1), written.end(1), "n")
        elif (bound := _SET.match(text, first, last)) is not None:
            yield Piece("tag", first, last, bound.start(1), bound.end(1), "set")
        elif "(" in line[0] and not line[0].rstrip().endswith(":"):
            yield Piece("tag", first, last, first, last, "do")


def _tag(found: re.Match[str]) -> Piece | None:
    """`<%def name="f(x)">`, `<%include file="x"/>`; `<%page>` comes as it is."""
    name, start, end = found["name"], found.start(), found.end()
    given = {
        one[1]: (found.start("attributes") + one.start(2), found.start("attributes") + one.end(2))
        for one in _ATTRIBUTE.finditer(found["attributes"])
    }
    if name == "page":
        return Piece("tag", start, end, *given.get("expression_filter", (end, end)), "page")
    word = _WORDS.get(name)
    if word is None:
        return None
    inner = given.get(_GIVEN.get(name, ""), (end, end))
    if word == "macro":
        inner = (inner[0] + 1, inner[1] - 1)
    return Piece("tag", start, end, *inner, word)


class MakoLowerer(TemplateLowerer):
    """One Mako template on its way to a `Module`; used once."""

    page_escapes = False

    def _pieces(self) -> list[Piece]:
        return list(pieces(self.text))

    def _binding(self, piece: Piece) -> str:
        return f"{{% {piece.word} {self.text[piece.inner_start : piece.inner_end]}"

    def _tag(self, piece: Piece) -> None:
        if piece.word == "page":
            filters = self.text[piece.inner_start : piece.inner_end].strip("\"'").split(",")
            self.page_escapes = "h" in [name.strip() for name in filters]
        elif piece.word == "while":
            self._if(piece)
        elif piece.word == "try":
            self._plain_block(piece)
        elif piece.word not in ("except", "finally"):
            super()._tag(piece)

    def _output(self, piece: Piece, value: ir.Expression, escapes: bool = True) -> None:
        filters = piece.word.split(",")[:MAX_FILTERS] if piece.word else []
        if self.page_escapes and "n" not in filters:
            filters.append("h")
        start, end = value.start, value.end
        for name in filters:
            if name != "n" and not (name == "h" and piece.bare):  # where it does not help
                callee = ir.Name(start, end, f"filter.{name}")
                value = ir.Call(start, end, callee, [ir.Argument(start, end, value)])
        super()._output(piece, value, escapes and ("n" not in filters or "h" in filters))
