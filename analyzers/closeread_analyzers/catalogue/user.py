"""A user's own models: the words of models/README.md, written in a workspace's settings. Data, and nothing but data.

`checked` reads them where they stand, with errors that name the line, and packs them into one text. That text is
all that travels: into a worker process, into the keys of what is remembered, and by `entries` into a catalogue.

An entry without `language` is meant for every language: a path that a language does not have is never met, and
an entry that is silently without effect would be worse. A user's entry adds to the built-in ones and takes none
away. What it may do is clear (a barrier, a guard); so reports say how many entries are in force.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from .entries import Entry, Guard, NoReturn, StepModel
from .models import WORDS, Kinds, read_entry, tables
from .reading import CatalogueError, Table

_PATTERNS = ("named", "receiver")
_REPEATS = re.compile(r"[*+{]")
_OPTIONAL = re.compile(r"(?<!\()\?")
_MOST_OPTIONAL = 6


class InForce(NamedTuple):
    """How many entries a user has, how many of them can hide a finding, and how many more a model inferred."""

    entries: int
    clearing: int
    inferred: int = 0


def is_model(word: str, value: Any) -> bool:
    """Whether a key of the settings is a word of the models (or tries to be one), and no setting."""
    return word in WORDS or (isinstance(value, list) and any(isinstance(row, dict) for row in value))


def checked(
    file: Path, text: str, words: Mapping[str, Any], kinds: Kinds, languages: Iterable[str], prefix: str = ""
) -> str:
    """The entries under `words` of a file, packed; "" for none. `prefix` starts their headers: "tool.closeread.".

    Raises `CatalogueError` for the first mistake.
    """
    known = tuple(languages)
    for word, rows in words.items():
        for table in tables(file, text, word, rows, prefix):
            _entry(word, table, kinds, known)
    try:
        return json.dumps(words, sort_keys=True) if words else ""
    except (TypeError, ValueError) as error:
        raise CatalogueError(file, 1, f"cannot be kept: {error}") from None


def entries(packed: str, kinds: Kinds, languages: Iterable[str]) -> dict[str, list[Entry]]:
    """The entries of a text that `checked` made, by language."""
    found: dict[str, list[Entry]] = {language: [] for language in languages}
    for language, entry in _unpacked(packed, kinds, tuple(found)):
        for name in [language] if language else found:
            found[name].append(entry)
    return found


def in_force(packed: str, kinds: Kinds, languages: Iterable[str]) -> InForce:
    """What a text that `checked` made amounts to."""
    made = [entry for _, entry in _unpacked(packed, kinds, tuple(languages))]
    inferred = sum(entry.inferred for entry in made)
    return InForce(len(made) - inferred, sum(_clears(entry) for entry in made), inferred)


def _unpacked(packed: str, kinds: Kinds, languages: tuple[str, ...]) -> Iterator[tuple[str, Entry]]:
    file = Path("closeread.toml")
    for word, rows in (json.loads(packed) if packed else {}).items():
        for table in tables(file, "", word, rows):
            yield _entry(word, table, kinds, languages)


def _entry(word: str, table: Table, kinds: Kinds, languages: tuple[str, ...]) -> tuple[str, Entry]:
    language = table.string("language", "")
    if language:
        table.known(language, "language", languages, "a language with models")
    for key in _PATTERNS:
        for pattern in table.strings(key, ()) if key in table.data else ():
            _check_pattern(table, key, pattern)
    return language, read_entry(word, table, kinds)


def _check_pattern(table: Table, key: str, pattern: str) -> None:
    """A workspace may be hostile: no regular expression of its may take for ever, so they have no repetitions."""
    try:
        re.compile(pattern)
    except re.error as error:
        table.fail(f"`{key}` is not a regular expression: {error}", key)
    except (RecursionError, OverflowError):
        table.fail(f"`{key}` is too large a regular expression; write the words, joined by |", key)
    if _REPEATS.search(pattern) or len(_OPTIONAL.findall(pattern)) > _MOST_OPTIONAL:
        table.fail(f"`{key}` repeats something, which might take for ever; write the words, joined by |", key)


def _clears(entry: Entry) -> bool:
    if isinstance(entry, StepModel):
        return entry.barrier or bool(entry.clears)
    return isinstance(entry, Guard | NoReturn)


__all__ = ["InForce", "checked", "entries", "in_force", "is_model"]
