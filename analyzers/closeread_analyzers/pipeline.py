"""The façade: text in, findings out. The four drivers (edit, commit, workspace, CI) call only this.

`Project` holds the files' texts as the driver gives them and remembers every step by content.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from .catalogue import Catalogue
from .finding import FileResult


class Files(Protocol):
    """How the analysers see a project: the driver's business, so that no I/O happens here.

    Paths are relative to the project's root, with forward slashes.
    """

    def read(self, path: str) -> bytes | None:
        """The file's text in UTF-8, or None if there is no such file (or it is not readable or too large)."""
        ...

    def exists(self, path: str) -> bool:
        """Whether `read` would give a text."""
        ...


class Cancelled(Exception):
    """The caller's `cancelled()` said so; nothing was lost and nothing was half-remembered."""


class Project:
    """A set of files under analysis. Not thread-safe: one thread at a time."""

    def __init__(self, files: Files, catalogue: Catalogue | None = None) -> None:
        """`catalogue` defaults to the built-in rules and models (`catalogue.builtin()`)."""

    def change(self, path: str, edits: Iterable[tuple[int, int, int]] = ()) -> None:
        """The text of `path` is different from what `files.read` gave before.

        `edits`, if known: (start byte, old end byte, new end byte), in order, for incremental parsing.
        """

    def analyze(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileResult:
        """All findings of one file, flows from and into other files included.

        Raises `Cancelled`. A rule or a unit that fails becomes a `Problem` of kind "crash".
        """
        raise NotImplementedError

    def dependents(self, path: str) -> frozenset[str]:
        """The analysed files whose last result rests on the content of `path`."""
        raise NotImplementedError
