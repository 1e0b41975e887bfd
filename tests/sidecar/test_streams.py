"""The fast copy of what is next, in a real Redis: wiped, spoiled, stopped, left by an earlier life; never larger than what it copies."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio as redis

import needs
from closeread_sidecar.queue import entries, streams
from closeread_sidecar.queue.entries import Bounds, Entry, New
from closeread_sidecar.queue.ledger import Ledger
from closeread_sidecar.queue.streams import Streams
from sidecar.running import eventually

STREAM = "closeread:test"


class Server:
    """A Redis on a port of its own, which can be stopped and started again."""

    def __init__(self, folder: Path) -> None:
        self.program, self.folder = needs.program("redis-server", "apt-get install redis-server"), folder
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.start()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        command = [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        self.process = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(tmp_path)
    yield server
    server.stop()


@pytest.fixture
async def client(server: Server) -> AsyncIterator[redis.Redis]:
    client = redis.Redis.from_url(server.url)
    for _ in range(200):
        with contextlib.suppress(redis.RedisError):
            await client.ping()
            break
        await asyncio.sleep(0.05)
    yield client
    await client.aclose()


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[Ledger]:
    ledger = Ledger(tmp_path / "state" / "queue.db")
    yield ledger
    await ledger.close()


async def ask(ledger: Ledger, count: int, first: int = 0) -> None:
    for n in range(first, first + count):
        await ledger.run(lambda db, n=n: entries.accept(db, 0, New(f"k{n}", "task", f"lane{n}", {}), Bounds()))


@contextlib.asynccontextmanager
async def feeding(ledger: Ledger, server: Server) -> AsyncIterator[Streams]:
    feed = Streams(ledger, "task", 60, server.url, STREAM)
    try:
        yield feed
    finally:
        await feed.close()


async def settle(ledger: Ledger, feed: Streams, entry: Entry) -> None:
    await ledger.run(lambda db: entries.settle(db, 1, entry, {}))
    await feed.settled(entry)


async def taken(ledger: Ledger, feed: Streams, count: int) -> list[str]:
    """The keys of the next entries, each settled before the next is taken."""
    keys = []
    for _ in range(count):
        entry = await asyncio.wait_for(feed.next(), 60)
        keys.append(entry.key)
        await settle(ledger, feed, entry)
    return keys


async def holds(client: redis.Redis, count: int) -> None:
    for _ in range(600):
        if await client.xlen(STREAM) == count:
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"{await client.xlen(STREAM)} messages, not {count}")


async def test_each_waiting_entry_has_one_message_however_long_it_waits(
    ledger: Ledger, server: Server, client: redis.Redis
) -> None:
    await ask(ledger, 50)
    async with feeding(ledger, server) as feed:
        await holds(client, 50)
        for n in range(30):  # each wakes the publisher, who must not say again what is there
            await ask(ledger, 1, 50 + n)
            await asyncio.sleep(0.02)
        await holds(client, 80)
        entry = await feed.next()
        assert "k0" == entry.key
        await holds(client, 80)  # it is being worked on
        await settle(ledger, feed, entry)
        await holds(client, 79)
        assert [f"k{n}" for n in range(1, 80)] == await taken(ledger, feed, 79)
        await holds(client, 0)


@pytest.mark.parametrize("harm", ["wiped", "one is gone", "another life's", "nonsense"])
async def test_a_copy_that_is_not_whole_is_made_anew(
    ledger: Ledger, server: Server, client: redis.Redis, harm: str
) -> None:
    if harm == "another life's":
        for _ in range(900):
            await client.xadd(STREAM, {"entry": 1})
    await ask(ledger, 20)
    async with feeding(ledger, server) as feed:
        await holds(client, 20)
        first = await feed.next()
        if harm == "wiped":
            await client.flushall()
        elif harm == "one is gone":
            message = (await client.xrange(STREAM))[7][0]
            await client.xdel(STREAM, message)
        elif harm == "nonsense":
            for number in (b"-1", b"x", b"9" * 30, b"999"):
                await client.xadd(STREAM, {"entry": number})
            await client.xadd(STREAM, {"other": "x"})
        await settle(ledger, feed, first)
        keys = [first.key, *await taken(ledger, feed, 19)]

    assert {f"k{n}" for n in range(20)} == set(keys)


async def test_without_redis_the_table_goes_on(
    ledger: Ledger, server: Server, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_DOWN", 0.5)
    await ask(ledger, 10)
    async with feeding(ledger, server) as feed:
        keys = await taken(ledger, feed, 3)
        server.process.send_signal(signal.SIGSTOP)  # it takes what one says, and does not answer
        keys += await taken(ledger, feed, 2)
        assert not feed.healthy
        server.stop()
        keys += await taken(ledger, feed, 2)
        server.start()
        await eventually(lambda: server.process.poll() is None)
        entry = None
        while not feed.healthy:  # it is found again by itself
            entry = await asyncio.wait_for(feed.next(), 60)
            keys.append(entry.key)
            await settle(ledger, feed, entry)
            await ask(ledger, 1, 10 + len(keys))
        assert entry is not None


async def test_it_closes_though_the_library_loses_a_cancellation(
    ledger: Ledger, server: Server, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    published = asyncio.Event()

    async def lose(_: Streams) -> None:
        published.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)

    monkeypatch.setattr(Streams, "_publish", lose)
    async with asyncio.timeout(20), feeding(ledger, server):
        await published.wait()
