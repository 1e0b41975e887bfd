"""A project's files: which there are, and their text in UTF-8. Satisfies `closeread_analyzers.pipeline.Files`.

Paths are relative to the project's root, with forward slashes. Every read is of a regular file inside
the root, of bounded size, and is remembered by its digest alone.

Deliberately absent: texts in memory (an editor lays its open documents over this), watching, writing.
"""
# ruff: noqa: PTH114, PTH116, PTH118
# One string join a file, not one object: pathlib costs more than reading does.

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Literal

from closeread_analyzers.finding import Problem
from closeread_analyzers.languages import language_of

from .. import platform_
from ..settings import Settings, configures
from . import ignore

_DECLARED = re.compile(rb"^[ \t\f]*(?:#|//|/\*).*?coding[:=][ \t]*([-\w.]{1,40})")

# Codecs of plain text in which every byte is looked at once. Others (punycode, idna) can take for ever.
_PLAIN = re.compile(
    r"(utf|iso|latin|l\d|cp|windows|mac|koi8|kz|ptcp|tis|hp|big5|gb|hz|euc|johab|shift|sjis|s_jis|ascii|us)[-\w]*$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Source:
    """One file as it was read. `text` is None where it cannot be analysed; `problem` then says why.

    A problem beside a text is a warning: the text was read, though not as its author meant it perhaps.
    """

    path: str
    text: bytes | None
    digest: str
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """The source files under some paths, in order, and what could not be looked at.

    `ignored` counts the files and folders that ignore rules left out.
    """

    files: tuple[str, ...]
    problems: tuple[Problem, ...]
    ignored: int


@dataclass(frozen=True, slots=True)
class _Folder:
    """What of a folder is inside the root. `linked`: it is reached through a symbolic link."""

    files: frozenset[str] = frozenset()
    folders: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    linked: bool = False


_NO_FOLDER = _Folder(linked=True)
_LONGEST_PATH = 4096


def digest(text: bytes) -> str:
    """What `FileResult.dependencies` hold: the digest of a text in UTF-8."""
    return blake2b(text, digest_size=16).hexdigest()


def find_root(path: Path) -> Path:
    """The project of `path`: the nearest folder with settings or a repository, or else the folder itself."""
    start = path if path.is_dir() else path.parent
    for folder in (start, *start.parents):
        if (folder / ".git").exists() or configures(folder):
            return folder
    return start


class Workspace:
    """The files below one root."""

    def __init__(self, root: Path, settings: Settings | None = None) -> None:
        self.root = root
        self.settings = settings or Settings()
        self._real_root = os.path.realpath(root)
        self._folders: dict[str, _Folder] = {}
        self._digests: dict[str, str] = {}

    def read(self, path: str) -> bytes | None:
        """The file's text in UTF-8, or None if it has none that can be analysed."""
        return self.load(path).text

    def exists(self, path: str) -> bool:
        """Whether there is such a file inside the root. Looks at each folder once (see `forget`)."""
        if not _is_plain(path):
            return False
        folder, _, name = path.rpartition("/")
        return name in self._folder(folder).files

    def has_folder(self, path: str) -> bool:
        """Whether there is a folder of this name below the root; what is reached through links counts too."""
        return ".." not in path.split("/") and (self.root / path).is_dir()

    def size(self, path: str) -> int:
        """The size of a file in bytes; 0 where there is none."""
        try:
            return os.stat(os.path.join(self._real_root, path)).st_size
        except OSError:
            return 0

    def digest(self, path: str) -> str:
        """The digest of the file's text as last read, "" where there is none."""
        known = self._digests.get(path)
        if known is None:
            # Most of what is asked for is a place where an import might have led: a look at the folder is enough.
            known = self._digests[path] = self.load(path).digest if self.exists(path) else ""
        return known

    def forget(self, path: str) -> None:
        """The file may have changed, appeared or gone."""
        self._digests.pop(path, None)
        self._folders.clear()

    def load(self, path: str) -> Source:
        """Read one file. Never raises."""
        source = self._load(path)
        self._digests[path] = source.digest
        return source

    def _load(self, path: str) -> Source:
        limit = self.settings.max_file_size
        if not _is_plain(path):
            return refused(path, "Not a path inside the project.", "unreadable")
        full = os.path.join(self._real_root, path)
        try:
            # Only a link can lead outside, and most paths have none; `realpath` costs more than reading.
            if (os.path.islink(full) or self._folder(path.rpartition("/")[0]).linked) and not self._is_inside(full):
                return refused(path, "A symbolic link that leaves the project; not followed.", "unreadable")
            data = platform_.read_regular(full, limit)
        except FileNotFoundError:
            return refused(path, "The file has gone since the scan began.", "unreadable")
        except (OSError, ValueError) as error:
            why = platform_.reason(error) if isinstance(error, OSError) else str(error)
            return refused(path, f"Cannot be read: {why}.", "unreadable")
        if data is None:
            return refused(path, f"Larger than {limit:,} bytes (`max-file-size`); not read.", "too-large")
        return decoded(path, data)

    def sources(self, under: Iterable[Path] = ()) -> Listing:
        """The source files below the given absolute paths (default: the root), sorted.

        A path that is named outright is looked at even where ignore rules would leave it out.
        """
        from .walk import walk  # the walk is not needed by an editor that has a single open file

        return walk(self, tuple(under) or (self.root,))

    def relative(self, path: Path | str) -> str | None:
        """An absolute path as the analysers know it, or None outside the root."""
        try:
            shown = os.path.relpath(path, self.root)
        except ValueError:  # another drive
            return None
        shown = shown.replace(os.sep, "/")
        return None if shown == ".." or shown.startswith("../") else ("" if shown == "." else shown)

    def ignored(self, path: str) -> bool:
        """Whether a walk from the root would leave this file out. For an editor's open file."""
        rules = ignore.for_root(self.root, self.settings.exclude, [])
        folder, rest = "", path
        while True:
            rules = rules.below(self.root / folder, folder, [])
            name, slash, rest = rest.partition("/")
            if rules.skips(folder + name, name, is_folder=bool(slash)):
                return True
            if not slash:
                return False
            folder += name + "/"

    def _folder(self, folder: str) -> _Folder:
        """What is in a folder. One that its parent does not have is not asked for."""
        known = self._folders.get(folder)
        if known is not None:
            return known
        path = ""
        known = self._folders.get("") or self._folders.setdefault("", self._list("", linked=False))
        for name in folder.split("/") if folder else ():
            path = f"{path}/{name}" if path else name
            below = self._folders.get(path)
            if below is None:
                linked = known.linked or name in known.links
                below = self._list(path, linked) if name in known.folders else _NO_FOLDER
                self._folders[path] = below
            known = below
        return known

    def _list(self, folder: str, linked: bool) -> _Folder:
        files, folders, links = set(), set(), set()
        try:
            with os.scandir(os.path.join(self._real_root, folder)) as entries:
                for entry in entries:
                    if entry.is_symlink():
                        links.add(entry.name)
                    if (linked or entry.is_symlink()) and not self._is_inside(entry.path):
                        continue
                    if entry.is_file():
                        files.add(entry.name)
                    elif entry.is_dir():
                        folders.add(entry.name)
        except OSError:
            return _NO_FOLDER
        return _Folder(frozenset(files), frozenset(folders), frozenset(links), linked)

    def _is_inside(self, full: str) -> bool:
        real = os.path.realpath(full)
        return real == self._real_root or real.startswith(self._real_root.rstrip(os.sep) + os.sep)


def is_source(name: str) -> bool:
    """Whether some language reads files of this name."""
    return language_of(name) is not None


def _is_plain(path: str) -> bool:
    return (
        bool(path)
        and "\0" not in path
        and "\\" not in path
        and not path.startswith("/")
        and ".." not in path.split("/")
    )


def refused(path: str, message: str, kind: Literal["unreadable", "too-large", "encoding"]) -> Source:
    """A file without a text that can be analysed."""
    return Source(path, None, "", Problem(path, 0, message, kind))


def decoded(path: str, data: bytes) -> Source:
    """`data` as UTF-8 text: as it is, by its mark, by its declaration, or (with a warning) as Latin-1."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return _source(path, data.decode("utf-16").encode())
        except UnicodeError:
            return refused(path, "Marked as UTF-16, and it is not; not analysed.", "encoding")
    if b"\0" in data:
        return refused(path, "Holds NUL bytes, so it is not text; not analysed.", "encoding")
    data = data.removeprefix(codecs.BOM_UTF8)
    if data.isascii():
        return _source(path, data)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    else:
        return _source(path, data)
    declared = _declaration(data)
    if declared:
        try:
            return _source(path, data.decode(declared).encode())
        except (UnicodeError, LookupError):
            why = f"Not valid in the encoding it declares ({declared[:40]})"
    else:
        why = "Not UTF-8, and no other encoding is declared"
    warning = Problem(path, line, f"{why}; analysed as Latin-1.", "encoding")
    return _source(path, data.decode("latin-1").encode(), warning)


def _source(path: str, text: bytes, warning: Problem | None = None) -> Source:
    return Source(path, text, digest(text), warning)


def _declaration(data: bytes) -> str:
    """The encoding that a comment in the first two lines names, if it is one of plain text."""
    for line in data.split(b"\n", 2)[:2]:
        if match := _DECLARED.match(line):
            name = match[1].decode()
            return name if _PLAIN.match(name) else ""
    return ""
