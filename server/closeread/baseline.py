"""A baseline: the findings a project lives with for now. It only shrinks.

An entry is a rule, a path and a digest of the code, comments and spaces left out, so that it survives lines that move
and quotes no secret; the same three several times are one entry with a count. One entry a line, sorted: a diff shows
what went. Findings of a baseline stay in the reports, as suppressed by it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from closeread_analyzers.finding import Finding, Suppression
from closeread_analyzers.languages import language_of

from . import platform_
from .errors import Mistake

VERSION = 1
_LARGEST = 64_000_000


class BaselineError(Mistake):
    """What is wrong with a baseline's file: one sentence that names it."""


class Entry(NamedTuple):
    """What identifies a finding over time."""

    path: str
    rule: str
    context: str


class Baseline:
    """The entries of a file, and how many of each are left to be matched."""

    def __init__(self, file: Path, entries: Counter[Entry], is_new: bool = False) -> None:
        """A new one takes in whatever it is asked about."""
        self.file = file
        self.entries = entries
        self.left = Counter(entries)
        self.is_new = is_new

    def answered(self, finding: Finding, entry: Entry) -> Finding:
        """The finding, suppressed if there is an entry for it that nothing else has used."""
        if self.is_new:
            self.entries[entry] += 1
        elif not self.left[entry]:
            return finding
        else:
            self.left[entry] -= 1
        return replace(finding, suppression=Suppression(f"known since {self.file.name}", 0, "baseline"))

    @property
    def unmatched(self) -> int:
        """How many findings of it were not found again."""
        return sum(self.left.values())

    def write(self) -> None:
        """Write all entries. Raises `BaselineError`."""
        write(self.file, self.entries)

    def prune(self, is_known_gone: Callable[[str], bool]) -> int:
        """Write the file without what was not found again in the files that `is_known_gone` speaks for."""
        gone = Counter({entry: count for entry, count in self.left.items() if count and is_known_gone(entry.path)})
        if gone:
            self.entries = self.entries - gone
            self.left -= gone
            write(self.file, self.entries)
        return sum(gone.values())


def checked(old: Path | None, new: Path | None, *, prune: bool, partial: bool) -> Baseline | None:
    """The baseline that a run's options ask for. Raises `BaselineError` for what does not go together.

    A new one is not written over an old one, for that would let findings in without a word.
    """
    if new is not None:
        if old is not None or prune:
            raise BaselineError("--write-baseline makes a new baseline; it goes with neither --baseline nor --prune.")
        if partial:
            raise BaselineError("--write-baseline needs a whole scan, without --diff.")
        if new.exists():
            raise BaselineError(
                f"{new} is there already: --baseline {new} --prune shrinks it, deleting it starts anew."
            )
        return Baseline(new, Counter(), is_new=True)
    if prune and (old is None or partial):
        raise BaselineError("--prune needs --baseline FILE and a whole scan, without --diff.")
    return None if old is None else read(old)


def entry_of(finding: Finding, lines: list[str]) -> Entry:
    """The entry of a finding; `lines` are its file's."""
    from closeread_analyzers.presentation import normal

    at = finding.location
    code = lines[at.start_line - 1] if 0 < at.start_line <= len(lines) else ""
    language = language_of(at.path)
    text = normal(code, language.comment if language is not None else "")
    return Entry(at.path, finding.rule, blake2b(text.encode("utf-8", "surrogateescape"), digest_size=8).hexdigest())


def read(file: Path) -> Baseline:
    """The baseline in a file. Raises `BaselineError`."""
    try:
        data = platform_.read_regular(file, _LARGEST)
    except OSError as error:
        raise BaselineError(f"the baseline {file} cannot be read: {platform_.reason(error)}") from None
    try:
        document = json.loads(data or b"")
        if document["version"] != VERSION:
            raise BaselineError(f"the baseline {file} is of version {document['version']}; this is {VERSION}")
        entries = Counter({Entry(e["path"], e["rule"], e["context"]): int(e["count"]) for e in document["entries"]})
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise BaselineError(f"the baseline {file} is malformed ({error}); `--write-baseline` makes a new one") from None
    return Baseline(file, entries)


def write(file: Path, entries: Iterable[Entry]) -> None:
    """Write a baseline. Raises `BaselineError`."""
    counts = entries if isinstance(entries, Counter) else Counter(entries)
    lines = [
        json.dumps({"path": e.path, "rule": e.rule, "context": e.context, "count": count})
        for e, count in sorted(counts.items())
        if count > 0
    ]
    body = ",\n    ".join(lines)
    text = (
        f'{{\n  "version": {VERSION},\n  "entries": [\n    {body}\n  ]\n}}\n'
        if lines
        else f'{{"version": {VERSION}, "entries": []}}\n'
    )
    try:
        platform_.write_atomically(file, text.encode())
    except OSError as error:
        raise BaselineError(f"the baseline cannot be written to {file}: {platform_.reason(error)}") from None
