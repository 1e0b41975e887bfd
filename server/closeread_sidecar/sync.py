"""Results and audit lines to the user's collector, in order, in batches, when the network allows.

    POST URL    Authorization: Bearer KEY    Idempotency-Key: digest of the batch
    {"source": "...", "results": [{"key", "entry", "lane", "body"}], "audit": [{"sequence", "time", "event", "facts", "digest"}]}

The collector answers 2xx once it has kept all of it. It may get a batch twice (a `kill -9` between its answer and our commit), and knows
a result by its key and an audit line by its number. Not reachable, 429 or 5xx: everything waits, in order. Refused (another 4xx): the
batch is halved until the one result that is refused stands alone; that one is dead-lettered, the others go on. 401 and 403 are about the
key, not about a result: everything waits and `status` says so.

Redirects are not followed, proxies of the environment not used, and certificates always checked.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import sqlite3
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from . import audit
from .message import COLLECTOR
from .queue import entries
from .queue.entries import Entry, Patience
from .queue.ledger import Ledger

log = logging.getLogger(__name__)

_MOST_RESULTS, _MOST_LINES = 200, 500
_LASTING = 120.0
_CURSOR = "collector-audit"


@dataclass(frozen=True, slots=True)
class Batch:
    """What one request carries."""

    results: list[Entry]
    lines: list[audit.Line]

    def content(self, source: str) -> bytes:
        """The request's body: exactly what leaves."""
        results = [
            {"key": entry.key, "entry": entry.id, "lane": entry.body["lane"], "body": entry.body}
            for entry in self.results
        ]
        document = {"source": source, "results": results, "audit": [line.as_json() for line in self.lines]}
        return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


class Sync:
    """The one client of the collector. `state` is one sentence for `status`."""

    def __init__(self, ledger: Ledger, url: str, key: str, source: str, ca: Path | None = None) -> None:
        """Raises OSError if the authority's file cannot be read."""
        self._ledger, self._url, self._source = ledger, url, source
        self._patience = Patience(attempts=1 << 30, first=1.0, longest=60.0)
        self._bell = asyncio.Event()
        self._client = httpx.AsyncClient(
            headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
            verify=ssl.create_default_context(cafile=ca) if ca is not None else True,
            timeout=httpx.Timeout(30, connect=5), trust_env=False, follow_redirects=False,
        )  # fmt: skip
        self._most = _MOST_RESULTS
        self.state = "nothing was delivered yet"
        ledger.listen(self._bell.set)

    async def run(self) -> None:
        """Deliver until cancelled."""
        failures = 0
        async with self._client:
            while True:
                self._bell.clear()
                try:
                    batch = await self._ledger.run(self._next)
                    if not batch.results and not batch.lines:
                        with contextlib.suppress(TimeoutError):
                            async with asyncio.timeout(2.0):
                                await self._bell.wait()
                        continue
                    failures = 0 if await self._deliver(batch, failures) else failures + 1
                except sqlite3.Error as error:
                    log.error("the queue cannot be read: %s", error)
                    failures += 1
                if failures:
                    await asyncio.sleep(self._patience.pause(failures))
                else:
                    await asyncio.sleep(0.05)  # what comes close together travels together

    def _next(self, db: sqlite3.Connection) -> Batch:
        lines = audit.after(db, _cursor(db), _MOST_LINES)
        return Batch(entries.take_run(db, time.time(), COLLECTOR, self._most, _LASTING), lines)

    async def _deliver(self, batch: Batch, failures: int) -> bool:
        content = batch.content(self._source)
        try:
            answer = await self._client.post(
                self._url, content=content, headers={"Idempotency-Key": hashlib.sha256(content).hexdigest()}
            )
            status, reason = answer.status_code, f"the collector answered {answer.status_code}"
        except (httpx.HTTPError, OSError) as error:
            status, reason = 0, f"the collector cannot be reached ({type(error).__name__})"
        if 200 <= status < 300:
            await self._ledger.run(lambda db: _delivered(db, batch))
            self._most = min(_MOST_RESULTS, self._most * 2)
            self.state = "everything was delivered"
            return True
        self.state = reason
        pause = self._patience.pause(failures + 1)
        refused = 400 <= status < 500 and status not in (401, 403, 408, 425, 429) and batch.results
        if refused and len(batch.results) == 1:
            await self._ledger.run(lambda db: _dead(db, batch.results[0], reason))
            return True
        if refused:
            self._most = max(1, len(batch.results) // 2)
            pause = 0.0
        await self._ledger.run(lambda db: _given_back(db, batch.results, reason, pause))
        return bool(refused)


def waiting(db: sqlite3.Connection, source: str) -> bytes:
    """The body of the next request, as it would leave now; leases nothing."""
    query = "SELECT id FROM entry WHERE lane = ? AND state IN ('held', 'ready', 'leased') ORDER BY id LIMIT ?"
    results = [entries.get(db, row["id"]) for row in db.execute(query, (COLLECTOR, _MOST_RESULTS))]
    return Batch(results, audit.after(db, _cursor(db), _MOST_LINES)).content(source)


def source(db: sqlite3.Connection) -> str:
    """The name under which the collector knows this sidecar: made once, by chance."""
    db.execute("INSERT OR IGNORE INTO note VALUES ('source', lower(hex(randomblob(8))))")
    return str(db.execute("SELECT value FROM note WHERE name = 'source'").fetchone()["value"])


def _cursor(db: sqlite3.Connection) -> int:
    row = db.execute("SELECT value FROM note WHERE name = ?", (_CURSOR,)).fetchone()
    return int(row["value"]) if row else 0


def _delivered(db: sqlite3.Connection, batch: Batch) -> None:
    now = time.time()
    for entry in batch.results:
        with contextlib.suppress(entries.LeaseLost):
            entries.settle(db, now, entry, {})
    if batch.lines:
        db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (_CURSOR, str(batch.lines[-1].sequence)))
    if batch.results:  # audit lines alone make none, or there would be no end
        audit.append(
            db,
            now,
            "delivered",
            to=COLLECTOR,
            first=batch.results[0].id,
            last=batch.results[-1].id,
            results=len(batch.results),
        )


def _dead(db: sqlite3.Connection, entry: Entry, reason: str) -> None:
    now: Any = time.time()
    with contextlib.suppress(entries.LeaseLost):
        entries.refuse(db, now, entry, reason)
        audit.append(db, now, "failed", entry=entry.id, kind=entry.kind, attempt=entry.attempts, state="dead")


def _given_back(db: sqlite3.Connection, results: list[Entry], reason: str, pause: float) -> None:
    for entry in results:
        with contextlib.suppress(entries.LeaseLost):
            entries.give_back(db, time.time(), entry, reason, pause)
