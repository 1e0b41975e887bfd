"""Reading a table of data, with an error that names the file, the line and what to do.

`tomli` keeps no positions, so a line is searched in the text, and only once something is wrong:
loading is on the way of every start. Absent on purpose: defaults and meaning, which are the business
of `models.py` and `rules.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

import tomli

_TOML_LINE = re.compile(r"\s*\(at line (\d+), column \d+\)|\s*\(at end of document\)")


class CatalogueError(Exception):
    """A rule or a library model is wrong: `file:line: what, and what to do`."""

    def __init__(self, file: Path, line: int, message: str) -> None:
        super().__init__(f"{file}:{line}: {message}")
        self.file = file
        self.line = line
        self.message = message


def read_text(file: Path) -> str:
    """The text of a data file."""
    data = file.read_bytes()
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise CatalogueError(file, line, "is not UTF-8; save the file as UTF-8") from None


def parse_toml(file: Path, text: str, first_line: int = 1) -> dict[str, Any]:
    """`text` as TOML; `first_line` is the line of `file` on which it starts."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        at = _TOML_LINE.search(str(error))
        line = int(at[1]) if at and at[1] else text.count("\n") + 1
        raise CatalogueError(file, first_line + line - 1, f"not TOML: {_TOML_LINE.sub('', str(error))}") from None


def nearest(word: str, known: Iterable[str]) -> str:
    """What to write in place of `word`: the nearest of `known`, or all of them."""
    import difflib  # for a complaint, and slow to import

    known = sorted(known)
    close = difflib.get_close_matches(word, known, 1)
    return f'did you mean "{close[0]}"?' if close else f"one of: {', '.join(known)}"


class Table:
    """One table of a file, read key by key; `finish` complains about the keys nobody asked for.

    `header` is the header as written ("[[sink]]") and `index` says which of those with that header.
    """

    __slots__ = ("_left", "data", "file", "first_line", "header", "index", "text")

    def __init__(
        self, file: Path, text: str, data: dict[str, Any], header: str = "", index: int = 0, first_line: int = 1
    ) -> None:
        self.file = file
        self.text = text
        self.data = data
        self.header = header
        self.index = index
        self.first_line = first_line
        self._left = set(data)

    def line(self, key: str = "") -> int:
        """The line of `key` in this table, or of the table's header."""
        lines = self.text.split("\n")
        start = 0
        if self.header:
            spaced = self.header.strip("[]")
            header = re.compile(rf"\s*\[\[?\s*{re.escape(spaced)}\s*\]\]?\s*(#.*)?$")
            headers = [number for number, line in enumerate(lines) if header.match(line)]
            if len(headers) <= self.index:  # written in line: `sink = [{...}]`
                named = re.compile(rf"""\s*["']?{re.escape(spaced.rpartition(".")[2])}["']?\s*=""")
                return self.first_line + next((n for n, line in enumerate(lines) if named.match(line)), 0)
            start = headers[self.index]
        if not key:
            return self.first_line + start
        wanted = re.compile(rf"""(?:^|[{{,])\s*["']?{re.escape(key)}["']?\s*[.=]""")
        for number, line in enumerate(lines[start + 1 :] if self.header else lines, start + 1 if self.header else 0):
            if self.header and line.lstrip().startswith("[["):
                break
            if wanted.search(line):
                return self.first_line + number
        return self.first_line + start

    def fail(self, message: str, key: str = "") -> NoReturn:
        """Raise a `CatalogueError` at `key`."""
        what = f"{self.header}: " if self.header else ""
        raise CatalogueError(self.file, self.line(key), f"{what}{message}")

    def get(self, key: str) -> Any:
        """The raw value of `key`, or None."""
        self._left.discard(key)
        return self.data.get(key)

    def string(self, key: str, default: str | None = None) -> str:
        """A string; with no `default`, it must be there."""
        value = self.get(key)
        if value is None:
            if default is None:
                self.fail(f"`{key}` is missing; add `{key} = ...`")
            return default
        if not isinstance(value, str):
            self.fail(f"`{key}` must be a string", key)
        return value

    def strings(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """A string or a list of strings; with no `default`, it must be there and not be empty."""
        value = self.get(key)
        if value is None:
            if default is None:
                self.fail(f"`{key}` is missing; add `{key} = ...`")
            return default
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not value or not all(isinstance(item, str) for item in value):
            self.fail(f"`{key}` must be a string or a list of strings", key)
        return tuple(value)

    def flag(self, key: str, default: bool) -> bool:
        """A boolean."""
        value = self.get(key)
        if value is None:
            return default
        if not isinstance(value, bool):
            self.fail(f"`{key}` must be true or false", key)
        return value

    def number(self, key: str) -> int | None:
        """An integer, or None where the key is absent."""
        value = self.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            self.fail(f"`{key}` must be a whole number", key)
        return value

    def numbers(self, key: str) -> tuple[int, ...]:
        """A list of integers; empty where the key is absent."""
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(type(item) is int for item in value):
            self.fail(f"`{key}` must be a list of whole numbers", key)
        return tuple(value)

    def table(self, key: str) -> dict[str, Any]:
        """An inline table; empty where the key is absent."""
        value = self.get(key)
        if value is None:
            return {}
        if not isinstance(value, dict):
            self.fail(f"`{key}` must be a table, `{key} = {{ ... }}`", key)
        return value

    def one_of(self, key: str, known: Iterable[str], what: str) -> str:
        """A string of `known`."""
        return self.known(self.string(key), key, known, what)

    def some_of(self, key: str, known: Iterable[str], what: str) -> frozenset[str]:
        """Strings of `known`; none where the key is absent."""
        return frozenset(self.known(value, key, known, what) for value in self.strings(key, ()))

    def known(self, value: str, key: str, known: Iterable[str], what: str) -> str:
        """`value`, which must be one of `known`."""
        if value not in (known := known if isinstance(known, (dict, frozenset)) else tuple(known)):
            self.fail(f'"{value}" is not {what}; {nearest(value, known)}', key)
        return value

    def finish(self, known: Iterable[str]) -> None:
        """Every key has been read, or this says which one is unknown."""
        for key in sorted(self._left):
            self.fail(f"unknown word `{key}`; {nearest(key, known)}", key)
