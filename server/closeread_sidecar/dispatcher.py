"""Leases entries of one kind, hands each to its work, and settles it with the outcome, several at a time.

The work says how it ended by returning an `Outcome` or raising one of the three ways to fail. The dispatcher keeps the lease while the
work goes on, and gives up the work when the lease is lost. Outcome and audit line are one transaction.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import audit
from .queue import entries
from .queue.entries import Entry, LeaseLost, New, Patience
from .queue.feed import Feed
from .queue.ledger import Ledger

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Outcome:
    """It went well: what is kept, and what comes of it."""

    result: dict[str, Any] = field(default_factory=dict)
    follow: Sequence[New] = ()


_Settle = Callable[[sqlite3.Connection], tuple[str, dict[str, Any]]]


class Failed(Exception):
    """It may go well another time, `after` so many seconds. `follow` is what comes of it if this was the last attempt."""

    def __init__(self, reason: str, after: float | None = None, follow: Sequence[New] = ()) -> None:
        super().__init__(reason)
        self.after, self.follow = after, follow


class Refused(Exception):
    """It can never go well."""


class Unreachable(Exception):
    """The other side is not there, or wants to be left alone `after` so many seconds: no attempt is counted."""

    def __init__(self, reason: str, after: float | None = None) -> None:
        super().__init__(reason)
        self.after = after


Work = Callable[[Entry], Awaitable[Outcome]]
Told = Callable[[Entry, str, dict[str, Any]], None]
"""Called once it is committed how an entry ended: the entry as it was leased, the new state, and the result or the error."""


class Dispatcher:
    """Works on one kind of entry. `running` are those being worked on, by key."""

    def __init__(
        self,
        ledger: Ledger,
        feed: Feed,
        work: Work,
        patience: Patience,
        lasting: float,
        workers: int,
        told: Told | None = None,
    ) -> None:
        self._ledger, self._feed, self._work, self._told = ledger, feed, work, told or (lambda *_: None)
        self._patience, self._lasting, self._workers = patience, lasting, workers
        self.running: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Work until cancelled; then what is being worked on is given up, and is ready again after the next start."""
        free = asyncio.Semaphore(self._workers)
        try:
            while True:
                await free.acquire()
                try:
                    entry = await self._feed.next()
                except sqlite3.Error as error:  # a full disk, a busy file: say it and go on
                    log.error("the queue cannot be read: %s", error)
                    free.release()
                    await asyncio.sleep(1)
                    continue
                task = asyncio.get_running_loop().create_task(self._handle(entry), name=f"entry {entry.id}")
                self.running[entry.key] = task
                task.add_done_callback(lambda _, key=entry.key: self._over(key, free))  # type: ignore[misc]
        finally:
            for task in self.running.values():
                task.cancel()
            await asyncio.gather(*self.running.values(), return_exceptions=True)
            await self._feed.close()

    def _over(self, key: str, free: asyncio.Semaphore) -> None:
        self.running.pop(key, None)
        free.release()

    async def cancel(self, key: str) -> bool:
        """Nobody wants the entry any more. Whether it was still open."""

        def operation(db: sqlite3.Connection) -> Entry | None:
            now = time.time()
            entry = entries.cancel(db, now, key)
            if entry is not None:
                audit.append(db, now, "cancelled", entry=entry.id, kind=entry.kind)
            return entry

        cancelled = await self._ledger.run(operation)
        if cancelled is not None:
            if key in self.running:
                self.running[key].cancel()
            self._told(cancelled, "cancelled", {})
        return cancelled is not None

    async def _handle(self, entry: Entry) -> None:
        work: asyncio.Future[Outcome] = asyncio.ensure_future(self._work(entry))
        keeper = asyncio.ensure_future(self._keep(entry, work))
        try:
            try:
                settle = self._settled(entry, await work)
            except Failed as error:
                settle = self._failed(entry, str(error), error.after, error.follow)
            except Refused as error:
                settle = self._refused(entry, str(error))
            except Unreachable as error:
                settle = self._unreachable(entry, str(error), error.after)
            except Exception as error:  # a defect of ours costs an attempt, not the sidecar
                log.exception("entry %d failed", entry.id)
                settle = self._failed(entry, f"internal error: {type(error).__name__}: {error}", None, ())
            with contextlib.suppress(LeaseLost):  # cancelled, or somebody else has it: the books are right as they are
                self._told(entry, *await self._written(entry, settle))
        except asyncio.CancelledError:
            pass
        finally:
            keeper.cancel()
            work.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await work
            await self._feed.settled(entry)

    async def _written(self, entry: Entry, settle: _Settle) -> tuple[str, dict[str, Any]]:
        """Settle it, however long the disk is full: what was done is not done again for that. Raises LeaseLost."""
        pause = 0.5
        while True:
            try:
                return await self._ledger.run(settle)
            except sqlite3.Error as error:
                log.error("entry %d cannot be settled now: %s", entry.id, error)
            await asyncio.sleep(pause)
            pause = min(10.0, pause * 2)

    async def _keep(self, entry: Entry, work: asyncio.Future[Outcome]) -> None:
        while True:
            await asyncio.sleep(self._lasting / 3)
            with contextlib.suppress(sqlite3.Error):
                if not await self._ledger.run(lambda db: entries.extend(db, time.time(), entry, self._lasting)):
                    work.cancel()
                    return

    def _settled(self, entry: Entry, outcome: Outcome) -> _Settle:
        def operation(db: sqlite3.Connection) -> tuple[str, dict[str, Any]]:
            now = time.time()
            entries.settle(db, now, entry, outcome.result, outcome.follow)
            audit.append(db, now, _DEEDS[entry.kind], entry=entry.id, attempt=entry.attempts, lane=entry.lane)
            return "done", outcome.result

        return operation

    def _failed(self, entry: Entry, reason: str, after: float | None, follow: Sequence[New]) -> _Settle:
        def operation(db: sqlite3.Connection) -> tuple[str, dict[str, Any]]:
            now = time.time()
            state = entries.fail(db, now, entry, reason, self._patience, after)
            if state == "dead":
                for new in follow:
                    entries.accept(db, now, new, entries.Bounds(waiting=1 << 62, size=1 << 62))
            audit.append(db, now, "failed", entry=entry.id, kind=entry.kind, attempt=entry.attempts, state=state)
            return state, {"error": reason}

        return operation

    def _refused(self, entry: Entry, reason: str) -> _Settle:
        def operation(db: sqlite3.Connection) -> tuple[str, dict[str, Any]]:
            entries.refuse(db, time.time(), entry, reason)
            audit.append(
                db, time.time(), "failed", entry=entry.id, kind=entry.kind, attempt=entry.attempts, state="dead"
            )
            return "dead", {"error": reason}

        return operation

    def _unreachable(self, entry: Entry, reason: str, after: float | None) -> _Settle:
        pause = min(60.0, self._patience.pause(entry.attempts + 2)) if after is None else after

        def operation(db: sqlite3.Connection) -> tuple[str, dict[str, Any]]:
            entries.give_back(db, time.time(), entry, reason, pause)
            return "ready", {"error": reason}

        return operation


_DEEDS = {"task": "handled", "answer": "answered", "record": "delivered"}
"""What is written in the audit log when an entry of that kind is settled."""
