"""One file analysed, and put into the editor's words. Runs on the worker's thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lsprotocol import types

from closeread.session import Analysis, Folder, Session

from . import convert, pages
from .convert import Encoding, Text


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """An analysis with its diagnostics; the findings' come first, in the findings' order."""

    path: Path
    root: Path
    analysis: Analysis
    diagnostics: tuple[types.Diagnostic, ...]
    result_id: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Wording:
    """How this client wants its answers."""

    encoding: Encoding
    uri: Callable[[Path], str]
    related: bool = True
    """Whether the client shows the places that a diagnostic refers to."""


def diagnose(
    session: Session, path: Path, wording: Wording, cancelled: Callable[[], bool], *, scan: bool = False
) -> Diagnosed:
    """Analyse one file. Raises `Cancelled`."""
    started = time.perf_counter()
    folder, analysis = session.analyze(path, cancelled, scan=scan)
    made = convert.diagnostics(
        analysis.findings, analysis.problems, _texts(folder, wording), pages.href, wording.encoding
    )
    if not wording.related:
        for diagnostic in made:
            diagnostic.related_information = None
    elapsed = time.perf_counter() - started
    return Diagnosed(path, folder.root, analysis, tuple(made), convert.result_id(made), elapsed)


def _texts(folder: Folder, wording: Wording) -> Callable[[str], tuple[str, Text] | None]:
    """The texts that locations point into, each made once."""
    known: dict[str, tuple[str, Text] | None] = {}

    def text_of(name: str) -> tuple[str, Text] | None:
        if name not in known:
            data = folder.read(name)
            known[name] = None if data is None else (wording.uri(folder.root / name), Text(data))
        return known[name]

    return text_of
