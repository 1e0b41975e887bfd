"""A file's result as the store keeps it: under which key, in which bytes, and whether it still counts.

A result rests on its file's text, on the engine, and on other files: their texts, and the files and folders
(these end with a slash) where an import looked and found none. The latter are many, so they are kept as one text
and compared as sets. Deliberately absent: the store itself, and trust in what it gives.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import replace
from functools import cache
from hashlib import blake2b
from pathlib import Path

import closeread_analyzers
from closeread_analyzers.finding import FileResult, as_json, from_json

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
    absent = [path for path, digest in result.dependencies if not digest and "\n" not in path]
    present = {path: digest for path, digest in result.dependencies if digest or "\n" in path}
    data = {
        "absent": "\n".join(absent),
        "present": present,
        "result": as_json(replace(result, dependencies=())),
    }
    return zlib.compress(json.dumps(data, separators=(",", ":")).encode(), 1)


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
            holds = result.path == path and self._holds(absent, present)
            rests = dict.fromkeys(filter(None, absent), "") | present if with_dependencies else present
        except _MALFORMED:
            return None
        return replace(result, dependencies=tuple(rests.items())) if holds else None

    def _holds(self, absent: list[str], present: dict[str, str]) -> bool:
        for path in set(absent) - self._absent:
            if self.workspace.has_folder(path) if path.endswith("/") else self.workspace.digest(path):
                return False
            self._absent.add(path)
        return all(self.workspace.digest(path) == digest for path, digest in present.items())


@cache
def engine() -> str:
    """The digest of the analysers, their rules and their models: a result of other ones is worth nothing."""
    state = blake2b(digest_size=16)
    folder = Path(closeread_analyzers.__file__).parent
    for file in sorted(folder.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            data = file.read_bytes()
            state.update(f"{file.relative_to(folder).as_posix()}\0{len(data)}\0".encode())
            state.update(data)
    return state.hexdigest()
