"""What is remembered between runs: bytes by key, in the user's cache folder, in one SQLite database, and the last of it in memory.

The editor, the hook and CI share it. It starts small and grows up to a limit while too few questions are answered
from it and it had to drop something; how many were is kept with it (`Statistics`).

Nothing is ever unpickled: `_BytesOnly` neither writes nor reads such rows, and treats a planted one as a
miss. The store never fails its caller: a corrupt database, a read-only home, a full disk give one
warning, and from then on everything is a miss.

Deliberately absent: what the bytes mean (`scan.py` knows), and any trust in them.
"""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import diskcache
import platformdirs
from diskcache.core import MODE_RAW

from . import platform_

_SMALLEST = 128 * 1024 * 1024
LARGEST = 2 * 1024 * 1024 * 1024
_IN_MEMORY = 16 * 1024 * 1024
WANTED = 0.7
"""The share of questions to be answered from the store; below it, more room may help."""

_LEAST = 200
"""Questions below which their share says nothing."""

_STATISTICS = b"\0statistics"
_FOLDER = "results"

_FAILURES = (OSError, sqlite3.Error, diskcache.Timeout, ValueError, TypeError)


class Refused(ValueError):
    """A key, a value or a row that is not bytes."""


class _BytesOnly(diskcache.Disk):  # type: ignore[misc]
    """Bytes in, bytes out. The library's own would unpickle a row that somebody planted (CVE-2025-69872)."""

    def __init__(self, directory: str, **_: Any) -> None:
        # What a planted settings table says of the disk is dropped with `_`.
        super().__init__(directory, min_file_size=1 << 62)

    def put(self, key: Any) -> tuple[sqlite3.Binary, bool]:
        """See `diskcache.Disk.put`."""
        if not isinstance(key, bytes):
            raise Refused("keys are bytes")
        return sqlite3.Binary(key), True

    def get(self, key: Any, raw: bool) -> bytes:
        """See `diskcache.Disk.get`."""
        if not raw or not isinstance(key, bytes):
            raise Refused("a key that is not bytes")
        return key

    def store(self, value: Any, read: bool, key: Any = None) -> tuple[int, int, None, sqlite3.Binary]:
        """See `diskcache.Disk.store`."""
        if read or not isinstance(value, bytes):
            raise Refused("values are bytes")
        return 0, MODE_RAW, None, sqlite3.Binary(value)

    def fetch(self, mode: int, filename: str | None, value: Any, read: bool) -> bytes:
        """See `diskcache.Disk.fetch`. An OSError is a miss."""
        if mode != MODE_RAW or filename is not None or read or not isinstance(value, bytes):
            raise OSError(0, "a row that is not bytes")
        return value

    def filename(self, key: Any = None, value: Any = None) -> NoReturn:
        """See `diskcache.Disk.filename`. Values live in the database alone."""
        raise Refused("no value has a file")

    def remove(self, file_path: str) -> None:
        """See `diskcache.Disk.remove`. A planted row could name any file of the user's."""


def grown(hits: int, misses: int, volume: int, limit: int) -> int:
    """The new limit of a store: twice the old one, up to a largest, if it is full and misses too much."""
    asked = hits + misses
    is_full = volume > 0.9 * limit
    if asked < _LEAST or hits / asked >= WANTED or not is_full:
        return limit
    return min(2 * limit, LARGEST)


def default_folder() -> Path:
    """The user's cache folder for Closeread."""
    return Path(platformdirs.user_cache_dir("closeread", appauthor=False))


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of all runs that shared a store: questions that it answered, those it did not, and how large it may grow."""

    hits: int = 0
    misses: int = 0
    limit: int = _SMALLEST

    @property
    def rate(self) -> float | None:
        """The share of questions answered; None where nobody asked."""
        asked = self.hits + self.misses
        return self.hits / asked if asked else None

    @classmethod
    def read(cls, data: bytes | None) -> Statistics:
        """What `written` made; of anything else, nothing."""
        try:
            hits, misses, limit = (int(number) for number in json.loads(data or b""))
        except (ValueError, TypeError):
            return cls()
        return cls(max(hits, 0), max(misses, 0), min(max(limit, _SMALLEST), LARGEST))

    def written(self) -> bytes:
        """As bytes."""
        return json.dumps([self.hits, self.misses, self.limit]).encode()


class Store:
    """Bytes by key. `hits` and `misses` count this object's questions. `warning` is the one thing that went wrong, or ""."""

    def __init__(self, folder: Path | None = None, *, name: str = _FOLDER, keep: bool = False) -> None:
        """`folder` is the user's cache folder, `name` the store's in it. With `keep` nothing is dropped to make room."""
        self.folder = (folder or default_folder()) / name
        self.warning = ""
        self.hits = self.misses = 0
        self._told = (0, 0)
        self._keep = keep
        self._recent: OrderedDict[bytes, bytes] = OrderedDict()
        self._recent_bytes = 0
        self._cache: diskcache.Cache | None = None
        try:
            platform_.private_folder(self.folder.parent)
            platform_.private_folder(self.folder)
            self._cache = diskcache.Cache(
                str(self.folder),
                timeout=2,
                disk=_BytesOnly,
                size_limit=LARGEST if keep else _SMALLEST,
                eviction_policy="none" if keep else "least-recently-used",
                statistics=0,
                tag_index=0,
                # Not while values are put: in one transaction the database does not shrink, and each would cost ten more.
                cull_limit=0,
            )
            self._keep_private()
            if not keep and (limit := self.statistics().limit) != _SMALLEST:
                self._cache.reset("size_limit", limit)
        except _FAILURES as error:
            self._fail(error)

    def get_many(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """The values there are: from memory, and the others in one transaction."""
        found: dict[bytes, bytes] = {}
        left: list[bytes] = []
        for key in keys:
            value = self._recent.get(key)
            if value is None:
                left.append(key)
            else:
                self._recent.move_to_end(key)
                found[key] = value
        try:
            if self._cache is not None and left:
                with self._cache.transact():
                    for key in left:
                        value = self._cache.get(key)
                        if isinstance(value, bytes):
                            found[key] = value
                            self._note(key, value)
        except _FAILURES as error:
            self._fail(error)
        self.hits += len(found)
        self.misses += sum(key not in found for key in left)
        return found

    def put_many(self, values: Mapping[bytes, bytes]) -> None:
        """Remember all of `values`, in one transaction."""
        for key, value in values.items():
            self._note(key, value)
        if self._cache is None or not values:
            return
        try:
            counts = self._cache.get(_STATISTICS)
            with self._cache.transact():
                for key, value in values.items():
                    self._cache.set(key, value)
            if self._cache.cull() and counts is not None and _STATISTICS not in self._cache:
                self._cache.set(_STATISTICS, counts)  # it was dropped too, and with it how large this may be
        except _FAILURES as error:
            self._fail(error)

    def _note(self, key: bytes, value: bytes) -> None:
        """Keep it in memory, and drop what was not asked for the longest."""
        self._recent_bytes += len(value) - len(self._recent.pop(key, b""))
        self._recent[key] = value
        while self._recent_bytes > _IN_MEMORY:
            _, dropped = self._recent.popitem(last=False)
            self._recent_bytes -= len(dropped)

    def statistics(self) -> Statistics:
        """Of all runs up to now, this one included."""
        known = None
        if self._cache is not None:
            try:
                known = self._cache.get(_STATISTICS)
            except _FAILURES as error:
                self._fail(error)
        before = Statistics.read(known if isinstance(known, bytes) else None)
        return replace(
            before,
            hits=before.hits + self.hits - self._told[0],
            misses=before.misses + self.misses - self._told[1],
        )

    def tally(self) -> None:
        """Add this object's questions to everybody's, and grow if it would help."""
        if self._cache is None or self._keep or (self.hits, self.misses) == self._told:
            return
        try:
            with self._cache.transact():
                now = self.statistics()
                limit = grown(self.hits - self._told[0], self.misses - self._told[1], self._cache.volume(), now.limit)
                self._cache.set(_STATISTICS, replace(now, limit=limit).written())
                if limit != now.limit:
                    self._cache.reset("size_limit", limit)
            self._told = (self.hits, self.misses)
        except _FAILURES as error:
            self._fail(error)

    def count(self) -> int:
        """How many values there are."""
        if self._cache is None:
            return 0
        try:
            return len(self._cache) - (_STATISTICS in self._cache)
        except _FAILURES as error:
            self._fail(error)
            return 0

    def size(self) -> int:
        """Bytes on disk."""
        try:
            return sum(file.stat().st_size for file in self.folder.iterdir() if file.is_file())
        except OSError:
            return 0

    def clear(self) -> None:
        """Forget everything, a corrupt database included. Raises OSError if the files cannot be removed."""
        self.close()
        if self.folder.is_dir() and not self.folder.is_symlink():
            for file in self.folder.iterdir():
                if file.name.startswith("cache.db"):
                    file.unlink()

    def close(self) -> None:
        """Let go of the database; everything is a miss from now on."""
        self.tally()
        self._recent.clear()
        self._recent_bytes = 0
        if self._cache is not None:
            cache, self._cache = self._cache, None
            try:
                cache.close()
            except _FAILURES as error:
                self._fail(error)

    def _keep_private(self) -> None:
        # SQLite makes its files by the umask; the folder is private already, and this is the second lock.
        if not platform_.WINDOWS:
            for file in self.folder.iterdir():
                if file.is_file() and not file.is_symlink():
                    file.chmod(0o600)

    def _fail(self, error: BaseException) -> None:
        why = platform_.reason(error) if isinstance(error, OSError) else str(error) or type(error).__name__
        if not self.warning:
            self.warning = (
                f"The cache in {self.folder} cannot be used ({why}); working without it. "
                "`closeread cache clear` makes a new one."
            )
        cache, self._cache = self._cache, None
        if cache is not None:
            try:
                cache.close()
            except _FAILURES:
                return
