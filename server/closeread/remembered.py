"""A file's result as the store keeps it: under which key, in which bytes, and whether it still counts.

A result rests on its file's text, on the engine, and on other files: their texts, and the files and folders
(these end with a slash) where an import looked and found none. The latter are many, so they are kept as one text
and compared as sets. Deliberately absent: trust in what the store gives.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from pathlib import Path

import closeread_analyzers
from closeread_analyzers.finding import FileResult, as_json, from_json

from .store import Store
from .workspace.files import Workspace

_UNFINISHED = frozenset({"crash", "timeout", "unreadable"})
_LARGEST = 64_000_000
_MALFORMED = (KeyError, TypeError, ValueError, AttributeError, RecursionError, MemoryError, zlib.error)


def key(workspace: Workspace, path: str, digest: str) -> bytes:
    """What the result of `path` with that text is remembered under."""
    settings = workspace.settings
    parts = (engine(), settings.models, str(settings.max_file_size), path, digest)
    return blake2b("\0".join(parts).encode("utf-8", "surrogateescape"), digest_size=20).digest()


def packed(result: FileResult) -> bytes | None:
    """The bytes of a result; None for one that another run might not give again."""
    if any(problem.kind in _UNFINISHED for problem in result.problems):
        return None
    absent, present = _rests(result)
    data = {
        "absent": "\n".join(absent),
        "present": present,
        "result": as_json(replace(result, dependencies=())),
    }
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)


def _rests(result: FileResult) -> tuple[list[str], dict[str, str]]:
    """What it looked for in vain, and the digests of what it found."""
    absent = [path for path, digest in result.dependencies if not digest and "\n" not in path]
    return absent, {path: digest for path, digest in result.dependencies if digest or "\n" in path}


class Recollection:
    """Checks remembered results against one workspace as it is now."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._absent: set[str] = {""}

    def unpacked(self, path: str, value: bytes, *, with_dependencies: bool = False) -> FileResult | None:
        """The result of `path` that `packed` made, without what it looked for in vain (unless wanted); None if it does not count."""
        try:
            unzip = zlib.decompressobj()
            data = json.loads(unzip.decompress(value, _LARGEST))
            result = from_json(data["result"])
            absent, present = data["absent"].split("\n"), data["present"]
            holds = result.path == path and self.holds(absent, present)
            rests = dict.fromkeys(filter(None, absent), "") | present if with_dependencies else present
        except _MALFORMED:
            return None
        return replace(result, dependencies=tuple(rests.items())) if holds else None

    def holds(self, absent: Iterable[str], present: Mapping[str, str]) -> bool:
        """Whether nothing is where nothing was, and all else is as it was."""
        for path in set(absent) - self._absent:
            if self.workspace.has_folder(path) if path.endswith("/") else self.workspace.digest(path):
                return False
            self._absent.add(path)
        return all(self.workspace.digest(path) == digest for path, digest in present.items())


class Shared:
    """An editor's end of it: what scans, hooks and CI found is known when a file is opened, and they know what it found.

    Of files as they are on disk. The store is opened when it is first asked.
    """

    def __init__(self, store: Callable[[], Store]) -> None:
        self._store = store

    def recall(self, workspace: Workspace, path: str) -> FileResult | None:
        """The result of a file with all it rests on; None where none is known that counts."""
        digest = workspace.load(path).digest
        if not digest or not workspace.settings.cache:
            return None
        wanted = key(workspace, path, digest)
        value = self._store().get_many([wanted]).get(wanted)
        return None if value is None else Recollection(workspace).unpacked(path, value, with_dependencies=True)

    def keep(self, workspace: Workspace, result: FileResult, digest: str) -> None:
        """Remember the result of a text of that digest, if that and all it rests on are what is on disk."""
        if not workspace.settings.cache or workspace.load(result.path).digest != digest:
            return
        value = packed(result) if Recollection(workspace).holds(*_rests(result)) else None
        if value is not None:
            self._store().put_many({key(workspace, result.path, digest): value})


@cache
def engine() -> str:
    """The digest of the analysers, their rules and their models: a result of other ones is worth nothing."""
    state = blake2b(digest_size=16)
    top = str(Path(closeread_analyzers.__file__).parent)
    for folder, inside, names in os.walk(top):
        inside[:] = sorted(name for name in inside if name != "__pycache__")
        place = folder.removeprefix(top).replace(os.sep, "/")
        for name in sorted(names):
            with open(f"{folder}/{name}", "rb") as file:  # noqa: PTH123 - hundreds of files, while somebody waits
                data = file.read()
            state.update(f"{place}/{name}\0{len(data)}\0".encode())
            state.update(data)
    return state.hexdigest()
