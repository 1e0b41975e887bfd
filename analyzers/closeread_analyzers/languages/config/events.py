"""YAML by libyaml's events; `languages/yaml.py` says what is made of it.

Apart from the language object so that the library is imported when the first file that matters comes.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any

import yaml

from ... import ir
from .document import MAX_DEPTH, TOO_DEEP, Entries, assignments, plain, sequence, valued
from .format import Reading

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")
_PIECE = re.compile(r"(?<!\$)\{\{[^{}\n]{0,500}\}\}|\{%[^%\n]{0,500}%\}|\{#[^#\n]{0,500}#\}")
_INDENT = 200  # as far as a look for something else on a piece's line goes
_TRUE, _FALSE = frozenset({"yes", "on"}), frozenset({"no", "off"})
_NULL = frozenset({"", "~", "null", "Null", "NULL"})


class Reader:
    """One text on its way to statements."""

    def __init__(self, source: bytes) -> None:
        self.source = source
        try:
            self.text = source.decode()
            self._offsets = _offsets(self.text) if len(self.text) != len(source) else None
        except UnicodeDecodeError:
            self.text, self._offsets = source.decode("latin-1"), None
        self._masked: list[tuple[int, int]] = []
        self._problems: list[ir.SyntaxProblem] = []

    def read(self) -> Reading:
        """The whole text."""
        documents: list[list[ir.Statement]] = []
        for root in self._documents(self._mask()):
            if type(root) is ir.Mapping:
                documents.append(assignments(root.entries))
            elif root is not None:
                documents.append([ir.ExpressionStatement(root.start, root.end, root)])
        documents = [document for document in documents if document]
        if len(documents) < 2:
            return Reading([statement for document in documents for statement in document], self._problems)
        blocks: list[ir.Statement] = [ir.Block(one[0].start, max(s.end for s in one), one) for one in documents]
        return Reading(blocks, self._problems)

    def _mask(self) -> str:
        """The text with what no YAML parser takes blanked out, character by character."""
        text = _UNPRINTABLE.sub(" ", self.text)
        if "{{" not in text and "{%" not in text and "{#" not in text:
            return text
        parts, last = [], 0
        for piece in _PIECE.finditer(text):
            start, end = piece.span()
            before = text[max(0, start - _INDENT) : start].rpartition("\n")[2]
            after = text[end : end + _INDENT].partition("\n")[0]
            alone = not before.strip() and not after.strip()
            parts += [text[last:start], (" " if alone else "_") * (end - start)]
            self._masked.append((start, end))
            last = end
        return "".join([*parts, text[last:]])

    def _documents(self, text: str) -> Iterator[ir.Expression | None]:
        """The root of every document, of one with a mistake as far as it goes."""
        open_: list[_Open] = []
        root: ir.Expression | None = None
        try:
            for event in yaml.parse(text, Loader=_LOADER):
                done: ir.Expression | None = None
                if isinstance(event, yaml.ScalarEvent):
                    is_key = bool(open_) and open_[-1].wants_key
                    done = self._scalar(event, is_key)
                elif isinstance(event, yaml.AliasEvent):
                    done = ir.Opaque(self._at(event.start_mark), self._at(event.end_mark), "alias", [])
                elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                    if len(open_) >= MAX_DEPTH:
                        at = self._at(event.start_mark)
                        self._problems.append(ir.SyntaxProblem(at, at + 1, TOO_DEEP))
                        break
                    open_.append(_Open(event, self._at(event.start_mark)))
                elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                    done = open_.pop().close(self._at(event.end_mark))
                elif isinstance(event, yaml.DocumentEndEvent):
                    yield root
                    root = None
                if done is not None:
                    if open_:
                        open_[-1].add(done, self.source)
                    else:
                        root = done
        except (yaml.YAMLError, ValueError) as error:
            self._mistake(error)
        while open_:
            root = open_.pop().close(0)
            if open_:
                open_[-1].add(root, self.source)
        if root is not None:
            yield root

    def _mistake(self, error: Exception) -> None:
        """A mistake in a template may be ours: only its first half was read, and that is said too."""
        mark = getattr(error, "problem_mark", None)
        at = self._at(mark) if mark is not None else 0
        what = getattr(error, "problem", None) or "it cannot be read"
        self._problems.append(ir.SyntaxProblem(at, at, f"not YAML from here on ({what}); the rest was not analysed"))

    def _at(self, mark: Any) -> int:
        index: int = min(mark.index, len(self.text))
        return index if self._offsets is None else self._offsets[index]

    def _scalar(self, event: Any, is_key: bool) -> ir.Expression:
        start, end = self._at(event.start_mark), self._at(event.end_mark)
        text: str = event.value
        first, last = event.start_mark.index, event.end_mark.index
        if self._masked and self._is_masked(first, last):
            text = self.text[first:last].strip("\"'")
        tag = event.tag
        own = tag is not None and tag != "!" and not tag.startswith("tag:yaml.org,")
        value: ir.ConstantValue = text
        if not event.style and not is_key and tag is None:
            value = _resolved(text)
        elif event.style in ("|", ">"):
            end = start + len(self.source[start:end].rstrip())
        constant = ir.Constant(start, max(start, end), value)
        if is_key and text == "<<" and not event.style:
            return ir.Opaque(start, end, "merge", [])
        return _tagged(constant, tag) if own and not is_key else constant

    def _is_masked(self, first: int, last: int) -> bool:
        at = bisect_left(self._masked, (first, 0))
        return at < len(self._masked) and self._masked[at][0] < last


class _Open:
    """A mapping or a list whose end has not come yet."""

    def __init__(self, event: Any, start: int) -> None:
        self.is_mapping = isinstance(event, yaml.MappingStartEvent)
        self.is_flow = bool(event.flow_style)
        self.tag = event.tag
        self.start = start
        self.entries: Entries = []
        self.items: list[ir.Expression] = []
        self.key: ir.Expression | None = None

    @property
    def wants_key(self) -> bool:
        return self.is_mapping and self.key is None

    def add(self, node: ir.Expression, source: bytes) -> None:
        if not self.is_mapping:
            self.items.append(node)
        elif self.key is None:
            self.key = node
        else:
            merge = type(self.key) is ir.Opaque and self.key.kind == "merge"
            self.entries.append((None if merge else self.key, valued(self.key, node, source)))
            self.key = None

    def close(self, end: int) -> ir.Expression:
        """A block ends where its last value does; its mark is at whatever comes next."""
        if not self.is_flow or not end:
            last = self.entries[-1][1] if self.entries else self.items[-1] if self.items else None
            end = last.end if last is not None else self.start
        end = max(end, self.start)
        node = ir.Mapping(self.start, end, self.entries) if self.is_mapping else sequence(self.start, end, self.items)
        own = self.tag is not None and self.tag != "!" and not self.tag.startswith("tag:yaml.org,")
        return _tagged(node, self.tag) if own else node


def _tagged(value: ir.Expression, tag: str) -> ir.Expression:
    callee = ir.Name(value.start, value.start, tag)
    return ir.Call(value.start, value.end, callee, [ir.Argument(value.start, value.end, value)])


def _resolved(text: str) -> ir.ConstantValue:
    if text in _NULL:
        return None
    lower = text.lower()
    if lower in _TRUE or lower in _FALSE:
        return lower in _TRUE
    return plain(text)


def _offsets(text: str) -> list[int]:
    """The byte at which each character starts, and the end."""
    offsets, at = [], 0
    for character in text:
        offsets.append(at)
        at += 1 if character < "\x80" else len(character.encode())
    offsets.append(at)
    return offsets
