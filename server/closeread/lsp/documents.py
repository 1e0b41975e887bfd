"""The open documents, as the event loop knows them: texts, versions, and what was last said of each."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from closeread_analyzers.languages import language_of, languages

from .convert import Text, path_of, uri_of
from .diagnosed import Diagnosed
from .protocol import Encoded

State = tuple[int, int]
"""How often the client has changed anything, and the session moved: an answer counts while both are the same."""


@dataclass(slots=True, eq=False)
class Document:
    """One open document. `uri` is spelled as the client spells it."""

    uri: str
    path: Path
    version: int
    """As the client counts, which need not be right."""
    text: Text
    revision: int = 0
    """As we count: one up with every change."""
    diagnosed: Diagnosed | None = None
    seconds: float = 0.0
    """How long the last analysis took: the measure for the next pause before one."""
    edited: float = 0.0
    """When it was last edited, on the monotonic clock."""
    answers: dict[Hashable, tuple[State, Encoded]] = field(default_factory=dict, repr=False)
    """What was answered to the questions about it."""
    state: State = (-1, -1)
    """That of `diagnosed`."""
    refresh: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def is_source(self) -> bool:
        """Whether there is a language for it; others are none of our business."""
        return language_of(self.path.name) is not None

    def current(self) -> Diagnosed | None:
        """What was said of this very version, if it was."""
        if self.diagnosed is not None and self.diagnosed.analysis.version == self.revision:
            return self.diagnosed
        return None


class Documents:
    """The open documents by URI. Clients differ in how they escape one; they are compared unescaped."""

    def __init__(self) -> None:
        self._by_uri: dict[str, Document] = {}
        self._uris: dict[Path, str] = {}

    def all(self) -> list[Document]:
        """Every open document."""
        return list(self._by_uri.values())

    def get(self, uri: str) -> Document | None:
        """The open document of a URI."""
        return self._by_uri.get(unquote(uri))

    def at(self, path: Path) -> Document | None:
        """The open document of a path."""
        uri = self._uris.get(path)
        return self.get(uri) if uri is not None else None

    def put(self, document: Document) -> None:
        """A document was opened."""
        self._by_uri[unquote(document.uri)] = document
        self._uris[document.path] = document.uri

    def remove(self, uri: str) -> Document | None:
        """A document was closed."""
        document = self._by_uri.pop(unquote(uri), None)
        if document is not None:
            self._uris.pop(document.path, None)
        return document

    def uri(self, path: Path) -> str:
        """A file's URI, as the client spells it if it has the file open. May be asked from any thread."""
        return self._uris.get(path) or uri_of(path)


def place_of(uri: str, language: str) -> Path:
    """The path of a document. One that is no file (`untitled:`) gets a path of its own in no folder at all."""
    path = path_of(uri)
    if path is not None:
        return path
    name = quote(uri, safe="")[-120:]
    if language_of(urlsplit(uri).path) is None:
        known = (spoken for spoken in languages() if language == spoken.name or language == f"{spoken.name}react")
        name += next((spoken.suffixes[0] for spoken in known), "")
    return Path("/").absolute() / ".closeread-unsaved" / name
