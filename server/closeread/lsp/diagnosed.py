"""One file analysed, and put into the editor's words. Runs on the worker's thread."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from closeread.session import Analysis, Folder, Session

from . import convert, pages
from .convert import Encoding, Text, Wire
from .protocol import Encoded


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """An analysis with its diagnostics; the findings' come first, in the findings' order."""

    path: Path
    root: Path
    analysis: Analysis
    diagnostics: tuple[Wire, ...]
    encoded: Encoded
    """The diagnostics as JSON: made here, so that the event loop only has to send it."""
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
            diagnostic.pop("relatedInformation", None)
    encoded = Encoded(json.dumps(made))
    identity = hashlib.blake2b(encoded.encode(), digest_size=12).hexdigest()
    return Diagnosed(path, folder.root, analysis, tuple(made), encoded, identity, time.perf_counter() - started)


def _texts(folder: Folder, wording: Wording) -> Callable[[str], tuple[str, Text] | None]:
    """The texts that locations point into, each made once."""
    known: dict[str, tuple[str, Text] | None] = {}

    def text_of(name: str) -> tuple[str, Text] | None:
        if name not in known:
            data = folder.read(name)
            known[name] = None if data is None else (wording.uri(folder.root / name), Text(data))
        return known[name]

    return text_of
