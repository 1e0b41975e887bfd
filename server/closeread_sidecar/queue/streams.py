"""Which entry next: from a Redis stream with a consumer group. Only numbers of entries go there, never what they say.

The stream is a copy. It may be wiped, stopped, or say everything twice: a lease comes from SQLite alone. What was put into the stream and
not taken is put there again, after 8 seconds, then 16, up to 120: a fixed short pause filled the stream faster than busy
workers emptied it when it was tried. While Redis does not answer, the table itself is asked, and Redis again every few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from typing import Any

import redis.asyncio as redis
from redis.exceptions import RedisError, ResponseError

from . import entries
from .entries import Entry
from .feed import Table
from .ledger import Ledger

_GROUP = "closeread"
_AHEAD = 256
"""Entries in the stream at once, at most: the rest waits in the table, where it is safe anyhow."""

_FIRST_RESEND, _LAST_RESEND = 8.0, 120.0
_DOWN = 3.0
"""Seconds for which the table is asked after Redis has failed."""

_FAILURES = (RedisError, OSError, TimeoutError)


class Streams:
    """The feed that asks Redis first. `healthy` says whether Redis answered last."""

    def __init__(self, ledger: Ledger, kind: str, lasting: float, url: str, stream: str) -> None:
        self._ledger, self._kind, self._lasting, self._stream = ledger, kind, lasting, stream
        self._table = Table(ledger, kind, lasting)
        self._redis = redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=1, decode_responses=True)
        self._consumer = secrets.token_hex(4)
        self._out: dict[int, tuple[float, float]] = {}  # number -> when it may be sent again, the pause after that
        self._messages: dict[int, str] = {}  # number -> its message, while it is being worked on
        self._bell = asyncio.Event()
        self._down_until = 0.0
        self._group = False
        self.healthy = False
        ledger.listen(self._bell.set)
        self._publisher = asyncio.get_running_loop().create_task(self._publish_all(), name="publisher")

    async def next(self) -> Entry:
        """See Feed."""
        while True:
            if time.monotonic() < self._down_until:
                entry = await self._table.wait(max(0.1, self._down_until - time.monotonic()))
            else:
                entry = await self._receive()
            if entry is not None:
                return entry

    async def settled(self, entry: Entry) -> None:
        """See Feed."""
        self._out.pop(entry.id, None)
        message = self._messages.pop(entry.id, None)
        if message is not None and self.healthy:
            with contextlib.suppress(*_FAILURES):
                await self._acknowledge(message)

    async def close(self) -> None:
        """See Feed."""
        self._publisher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._publisher
        with contextlib.suppress(*_FAILURES):
            await self._redis.aclose()

    async def _receive(self) -> Entry | None:
        try:
            await self._ensure_group()
            answer: Any = await self._redis.xreadgroup(_GROUP, self._consumer, {self._stream: ">"}, count=1, block=500)
            self.healthy = True
            for _, messages in answer or ():
                for message, fields in messages:
                    return await self._take(message, fields)
        except _FAILURES as error:
            self._failed(error)
        return None

    async def _take(self, message: str, fields: dict[str, str]) -> Entry | None:
        # Whoever else writes into Redis may have put anything there.
        text = fields.get("entry", "") if isinstance(fields, dict) else ""
        number = int(text) if text.isascii() and text.isdigit() and len(text) < 18 else 0
        entry = await self._ledger.run(lambda db: entries.take(db, time.time(), self._kind, self._lasting, number))
        if entry is None:
            self._out.pop(number, None)  # taken already, or not due any more: the publisher looks again
            await self._acknowledge(message)
            return None
        self._messages[entry.id] = message
        return entry

    async def _acknowledge(self, message: str) -> None:
        pipe = self._redis.pipeline(transaction=False)
        pipe.xack(self._stream, _GROUP, message)
        pipe.xdel(self._stream, message)
        await pipe.execute()

    async def _publish_all(self) -> None:
        claimed = 0.0
        while True:
            self._bell.clear()
            pause = 1.0
            if time.monotonic() < self._down_until:
                pause = self._down_until - time.monotonic()
            else:
                try:
                    await self._ensure_group()
                    await self._publish()
                    if time.monotonic() - claimed > self._lasting:
                        await self._drop_of_the_dead()
                        claimed = time.monotonic()
                except _FAILURES as error:
                    self._failed(error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), pause)

    async def _publish(self) -> None:
        query = "SELECT id FROM entry WHERE kind = ? AND state = 'ready' AND due <= ? ORDER BY due, id LIMIT ?"
        now = time.monotonic()
        rows = await self._ledger.run(lambda db: db.execute(query, (self._kind, time.time(), _AHEAD)).fetchall())
        ready = {int(row["id"]) for row in rows}
        for number in [number for number in self._out if number not in ready and number not in self._messages]:
            del self._out[number]
        due = [number for number in sorted(ready) if number not in self._out or self._out[number][0] <= now]
        if not due:
            return
        pipe = self._redis.pipeline(transaction=False)
        for number in due:
            pipe.xadd(self._stream, {"entry": number}, maxlen=4 * _AHEAD, approximate=True)
        await pipe.execute()
        for number in due:
            pause = self._out[number][1] if number in self._out else _FIRST_RESEND
            self._out[number] = (now + pause, min(_LAST_RESEND, pause * 2))

    async def _drop_of_the_dead(self) -> None:
        # Messages that consumers took and never acknowledged: their entries are ready again once their leases end,
        # and are published anew, so that the old messages only have to go.
        answer: Any = await self._redis.xautoclaim(
            self._stream, _GROUP, self._consumer, int(2 * self._lasting * 1000), "0-0", count=500
        )
        working = set(self._messages.values())
        for message, _ in answer[1]:
            if message not in working:
                await self._acknowledge(message)

    async def _ensure_group(self) -> None:
        if self._group:
            return
        try:
            await self._redis.xgroup_create(self._stream, _GROUP, id="0", mkstream=True)
            self._out.clear()
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._group = True

    def _failed(self, error: BaseException) -> None:
        if isinstance(error, ResponseError) and "NOGROUP" in str(error):  # wiped: it is made again at once, and filled
            self._group = False
            self._out.clear()
            self._bell.set()
            return
        self.healthy = False
        self._group = False
        self._down_until = time.monotonic() + _DOWN
