"""Which entry next: from a Redis stream with a consumer group. Only numbers of entries go there, never what they say.

The stream is a copy. It may be wiped, stopped, or say everything twice: a lease comes from SQLite alone. Each entry that may be taken has
one message there, from being published until it is settled. When there are fewer messages than that, some were lost, and when Redis did
not answer nobody knows: either way the copy is made anew. Nothing is sent again because time has passed: that was tried, and on a
busy machine repetitions came faster than they could be looked at. While Redis does not answer, the table itself is asked, and Redis
again every few seconds.
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
        self._out: set[int] = set()  # numbers of which a message is in the stream
        self._messages: dict[int, str] = {}  # number -> its message, while it is being worked on
        self._bell = asyncio.Event()
        self._down_until = 0.0
        self._made = asyncio.Lock()
        self._whole = False  # whether the stream is the copy that we made
        self._closed = False
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
        self._out.discard(entry.id)
        message = self._messages.pop(entry.id, None)
        if message is not None and self._whole:
            try:
                await self._acknowledge(message)
            except _FAILURES as error:
                self._failed(error)

    async def close(self) -> None:
        """See Feed."""
        self._closed = True
        self._publisher.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._publisher
        with contextlib.suppress(*_FAILURES):
            await self._redis.aclose()

    async def _receive(self) -> Entry | None:
        try:
            await self._make()
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
            self._out.discard(number)  # taken already, or not due any more: the publisher looks again
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
        while not self._closed:  # the library loses a cancellation at times: its `wait_for` does, in Python 3.11
            self._bell.clear()
            pause = 1.0
            if time.monotonic() < self._down_until:
                pause = self._down_until - time.monotonic()
            else:
                try:
                    await self._make()
                    await self._publish()
                except _FAILURES as error:
                    self._failed(error)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._bell.wait()

    async def _publish(self) -> None:
        query = "SELECT id FROM entry WHERE kind = ? AND state = 'ready' AND due <= ? ORDER BY due, id LIMIT ?"
        rows = await self._ledger.run(lambda db: db.execute(query, (self._kind, time.time(), _AHEAD)).fetchall())
        ready = [int(row["id"]) for row in rows]
        self._out &= {
            *ready,
            *self._messages,
        }  # what was cancelled, or taken from the table, has no need of its message
        before, new = set(self._out), [number for number in ready if number not in self._out]
        self._out.update(new)
        pipe = self._redis.pipeline(transaction=False)
        pipe.xlen(self._stream)
        for number in new:
            pipe.xadd(self._stream, {"entry": number}, maxlen=4 * _AHEAD, approximate=True)
        # What was settled meanwhile left `_out` before its message was deleted.
        if (await pipe.execute())[0] < len(before & self._out):
            self._again()

    async def _make(self) -> None:
        """An empty stream with its group, where there is none of ours: of one that another life left, nobody knows what is in it."""
        async with self._made:
            if self._whole:
                return
            pipe = self._redis.pipeline(transaction=True)
            pipe.delete(self._stream)
            pipe.xgroup_create(self._stream, _GROUP, id="0", mkstream=True)
            await pipe.execute()
            self._out.clear()
            self._messages.clear()
            self._whole = True
            self._bell.set()

    def _again(self) -> None:
        self._whole = False
        self._bell.set()

    def _failed(self, error: BaseException) -> None:
        self._again()
        if isinstance(error, ResponseError) and "NOGROUP" in str(error):  # wiped: it is made anew at once
            return
        self.healthy = False
        self._down_until = time.monotonic() + _DOWN
