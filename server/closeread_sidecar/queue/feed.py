"""Which entry next: from SQLite itself, which is enough for one process."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from typing import Protocol

from . import entries
from .entries import Entry
from .ledger import Ledger

_SWEEP = 2.0
"""Seconds after which the table is looked at though no bell rang: another process may have written."""


class Feed(Protocol):
    """Gives entries of one kind, each leased to the caller."""

    async def next(self) -> Entry:
        """The next one that may be taken; waits for it."""

    async def settled(self, entry: Entry) -> None:
        """The caller has no more to do with it, however it ended."""

    async def close(self) -> None:
        """Let go of everything."""


class Table:
    """The feed that asks the table."""

    def __init__(self, ledger: Ledger, kind: str, lasting: float) -> None:
        self._ledger, self._kind, self._lasting = ledger, kind, lasting
        self._bell = asyncio.Event()
        ledger.listen(self._bell.set)

    async def next(self) -> Entry:
        """See Feed."""
        while (entry := await self.wait(_SWEEP)) is None:
            pass
        return entry

    async def wait(self, longest: float) -> Entry | None:
        """The next one, or None if there is none now; then it has waited until there may be, `longest` seconds at most."""
        self._bell.clear()
        entry, due = await self._ledger.run(self._take)
        if entry is None:
            pause = longest if due is None else min(longest, max(0.0, due - time.time()))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._bell.wait()
        return entry

    async def settled(self, entry: Entry) -> None:
        """See Feed."""

    async def close(self) -> None:
        """See Feed."""

    def _take(self, db: sqlite3.Connection) -> tuple[Entry | None, float | None]:
        entry = entries.take(db, time.time(), self._kind, self._lasting)
        return entry, None if entry else entries.next_due(db, self._kind)
