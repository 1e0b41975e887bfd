"""One file analysed, and put into the editor's words. Runs on the worker's thread."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from closeread.session import Analysis, Folder, Session
from closeread_analyzers.finding import Finding, Problem

from . import convert, pages
from .convert import Encoding, Text, Wire
from .protocol import Encoded


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """An analysis with its diagnostics; the findings' come first, in the findings' order, a model's remarks last."""

    path: Path
    root: Path
    analysis: Analysis
    diagnostics: tuple[Wire, ...]
    encoded: Encoded
    """The diagnostics as JSON: made here, so that the event loop only has to send it."""
    result_id: str
    seconds: float
    moves: int
    """`Session.moves` when it was made."""
    whole: bool
    """Whether it is more than a glance."""


@dataclass(frozen=True, slots=True)
class _Said:
    """A finding as it was last encoded: the files it names, and their URIs."""

    finding: Finding
    files: tuple[tuple[str, str | None], ...]
    wire: Wire
    encoded: str


Said = dict[Path, dict[int, _Said]]


class Anchored(NamedTuple):
    """A model's remark: what is said of `identifier`, on the line (counted from 0) that had this text when it was made."""

    line: int
    text: bytes
    identifier: str
    sentence: str


Remarked = dict[Path, tuple[Anchored, ...]]


@dataclass(frozen=True, slots=True)
class Wording:
    """How this client wants its answers, and what was said of each file: most of it is said again after an edit."""

    encoding: Encoding
    uri: Callable[[Path], str]
    related: bool = True
    """Whether the client shows the places that a diagnostic refers to."""
    said: Said = field(default_factory=dict, repr=False)
    unparsed: set[Path] = field(default_factory=set, repr=False)
    """The files that did not parse when they were last looked at whole."""
    remarked: Remarked = field(default_factory=dict, repr=False)


def diagnose(
    session: Session,
    path: Path,
    wording: Wording,
    cancelled: Callable[[], bool],
    *,
    scan: bool = False,
    glance: bool = False,
) -> Diagnosed:
    """Analyse one file. Raises `Cancelled`."""
    started = time.perf_counter()
    folder, analysis = session.analyze(path, cancelled, scan=scan, glance=glance)
    text_of = _texts(folder, wording)
    before = wording.said.get(path, {})
    told = [_say(finding, before, text_of, wording) for finding in analysis.findings]
    if analysis.version is not None:
        wording.said[path] = {id(one.finding): one for one in told}
    else:
        wording.said.pop(path, None)
    made = [one.wire for one in told]
    parts = [one.encoded for one in told]
    for wire in convert.problems(_told(path, analysis.problems, wording, glance), text_of, wording.encoding):
        made.append(wire)
        parts.append(json.dumps(wire))
    for wire in _remarks(folder, path, wording):
        made.append(wire)
        parts.append(json.dumps(wire))
    encoded = Encoded(f"[{', '.join(parts)}]")
    identity = hashlib.blake2b(encoded.encode(), digest_size=12).hexdigest()
    return Diagnosed(
        path,
        folder.root,
        analysis,
        tuple(made),
        encoded,
        identity,
        time.perf_counter() - started,
        session.moves,
        not glance,
    )


def _say(finding: Finding, before: dict[int, _Said], text_of: convert.TextOf, wording: Wording) -> _Said:
    known = before.get(id(finding))
    if known is not None and known.finding is finding and _stands(known, text_of):
        return known
    wire = convert.diagnostic(finding, text_of, pages.href, wording.encoding)
    if not wording.related:
        wire.pop("relatedInformation", None)
    names = dict.fromkeys((finding.location.path, *(step.location.path for step in finding.trace)))
    files = tuple((name, text[0] if (text := text_of(name)) is not None else None) for name in names)
    return _Said(finding, files, wire, json.dumps(wire))


def _stands(said: _Said, text_of: convert.TextOf) -> bool:
    """Whether the same places have the same names. Where units of columns differ, what stands before a place counts too."""
    for name, uri in said.files:
        text = text_of(name)
        if text is None or text[0] != uri or not text[1].is_plain:
            return False
    return True


def _remarks(folder: Folder, path: Path, wording: Wording) -> list[Wire]:
    """What a model remarked, where the line is still what it was: there, or at the one place where it is now."""
    found = wording.remarked.get(path, ())
    data = folder.read(path.relative_to(folder.root).as_posix()) if found else None
    if data is None:
        return []
    text, made = Text(data), []
    lines = [line.strip() for line in data.splitlines()]
    for one in found:
        places = [number for number, line in enumerate(lines) if line == one.text.strip()]
        if one.line in places:
            places = [one.line]
        if len(places) == 1:
            made.append(convert.remark(places[0], one.identifier, one.sentence, text, wording.encoding))
    return made


def _told(path: Path, problems: tuple[Problem, ...], wording: Wording, glance: bool) -> Sequence[Problem]:
    """The problems to show. Whoever types makes syntax errors all the time: a new one is told when the file is looked at whole."""
    parsed = [one for one in problems if one.kind != "syntax"]
    if not glance:
        (wording.unparsed.discard if len(parsed) == len(problems) else wording.unparsed.add)(path)
    return problems if path in wording.unparsed else parsed


def _texts(folder: Folder, wording: Wording) -> Callable[[str], tuple[str, Text] | None]:
    """The texts that locations point into, each made once."""
    known: dict[str, tuple[str, Text] | None] = {}

    def text_of(name: str) -> tuple[str, Text] | None:
        if name not in known:
            data = folder.read(name)
            known[name] = None if data is None else (wording.uri(folder.root / name), Text(data))
        return known[name]

    return text_of
