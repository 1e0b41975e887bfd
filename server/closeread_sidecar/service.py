"""The process: what starts, in which order, and how it ends.

First what is needed to lose nothing (settings, lock, ledger), then the gateway, then the rest: a platform whose library is slow to
load, a Redis that does not answer or a collector that is away hold nothing up. What fails alone is said in `status` and tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.metadata
import json
import logging
import os
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from . import audit, platform_, platforms
from .configuration import ConfigurationError, composed, line_of
from .dispatcher import Dispatcher, Failed, Refused, Unreachable
from .gateway.server import Gateway
from .inbox import Inbox, Receipt
from .message import COLLECTOR, GATEWAY, Answer, Message
from .platforms import Platform
from .policy import Policy
from .progress import Progress
from .queue import entries
from .queue.entries import Bounds, Patience
from .queue.feed import Feed, Table
from .queue.ledger import Ledger
from .redaction import Redaction
from .routes import Routes
from .runner import Runner
from .settings import Channel, Home, Settings
from .tasks import Tasks

log = logging.getLogger(__name__)

T = TypeVar("T")

_TASK_LEASE, _ANSWER_LEASE = 60.0, 60.0
_UPKEEP = 5.0
_ANSWER_PATIENCE = Patience(attempts=8, first=1.0, longest=300.0)
_SEEN_DAYS = 90
_LINE_EVERY = 60.0
"""Seconds between two audit lines about calls that were turned away for the same reason."""


class AlreadyRunning(Exception):
    """Another sidecar has the home."""


class Service:
    """One running sidecar."""

    def __init__(self, home: Home, settings: Settings) -> None:
        """Raises ConfigurationError for whatever of the user's files is wrong."""
        self.home, self.settings = home, settings
        self.channels = _channels(home, settings)
        self.redaction = _redaction(settings, self.channels)
        self.routes = Routes(home)
        self.policy = Policy(self.channels)
        self.progress = Progress()
        self.runner = Runner(settings.handlers)
        self.platforms: dict[str, Platform] = {}
        self.tasks = Tasks(settings, self.routes, self.redaction, self.progress, self.platforms, self)
        self._states: dict[str, str] = dict.fromkeys(self.channels, "starting")
        self._started = time.monotonic()
        self._read = home.settings.read_bytes()
        self._outdated = ""
        self._collector = "none is set"
        self._refused: dict[tuple[str, str], float] = {}
        self._feed: Feed | None = None

    async def run(self, stop: asyncio.Event, ready: Callable[[int], None]) -> None:
        """Until `stop`. `ready` is called with the gateway's port once it listens. Raises AlreadyRunning, OSError, sqlite3.Error."""
        platform_.private_folder(self.home.state)
        lock = platform_.Lock(self.home.lock)
        if not lock.take():
            raise AlreadyRunning
        try:
            self.ledger = Ledger(self.home.queue)
            async with asyncio.TaskGroup() as group:
                await self.ledger.run(self._begin)
                self._dispatcher = Dispatcher(
                    self.ledger, self._table_or_streams(), self.tasks.work, Patience(self.settings.queue.attempts), _TASK_LEASE,
                    self.settings.queue.workers, self.tasks.told,
                )  # fmt: skip
                bounds = Bounds(self.settings.queue.max_waiting, self.settings.queue.max_megabytes * 1_000_000)
                self.inbox = Inbox(
                    self.ledger, self.policy, self.routes, bounds, self.tasks.at_once, self._dispatcher.cancel
                )
                self.gateway = Gateway(
                    self.home, self.settings.gateway, self.inbox, self.progress, self.redaction, self.refused
                )
                await self.gateway.start()
                where = {"pid": os.getpid(), "host": self.settings.gateway.host, "port": self.gateway.port}
                platform_.write_private(self.home.running, json.dumps(where).encode())
                ready(self.gateway.port)
                running = [group.create_task(part) for part in self._parts()]
                await stop.wait()
                await _ended(running)
        finally:
            if hasattr(self, "gateway"):
                await self.gateway.close()
            if hasattr(self, "ledger"):
                with contextlib.suppress(sqlite3.Error, OSError, ValueError):
                    await self.ledger.run(self._end)
                await self.ledger.close()
            self.home.running.unlink(missing_ok=True)
            lock.release()

    # --- What runs --------------------------------------------------------------------------------

    def _parts(self) -> Sequence[Coroutine[Any, Any, None]]:
        answers = Dispatcher(
            self.ledger,
            Table(self.ledger, "answer", _ANSWER_LEASE),
            self.tasks.send,
            _ANSWER_PATIENCE,
            _ANSWER_LEASE,
            8,
        )
        parts = [self._dispatcher.run(), answers.run(), self._watch(), self._upkeep()]
        parts += [self._platform(name, channel) for name, channel in self.channels.items()]
        return [*parts, self._sync()] if self.settings.collector else parts

    def _table_or_streams(self) -> Feed:
        if not self.settings.queue.redis:
            self._feed = Table(self.ledger, "task", _TASK_LEASE)
        else:
            from .queue.streams import Streams

            self._feed = Streams(
                self.ledger, "task", _TASK_LEASE, self.settings.queue.redis, f"closeread:{self._source}"
            )
        return self._feed

    async def _platform(self, name: str, channel: Channel) -> None:
        """A platform that fails for good costs itself."""
        try:
            adapter = platforms.adapter(name, channel, self)
            self.platforms[name] = adapter
            await adapter.run()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            log.error("%s has stopped: %s: %s", name, type(error).__name__, error)
            self._states[name] = f"stopped ({type(error).__name__})"
            self.platforms.pop(name, None)

    async def _sync(self) -> None:
        from .sync import Sync

        assert self.settings.collector is not None
        collector = self.settings.collector
        self._client = Sync(self.ledger, collector.url, collector.key.get_secret_value(), self._source, collector.ca)
        await self._client.run()

    async def _watch(self) -> None:
        """Routes and the token are read again when their files change."""
        from watchfiles import awatch

        platform_.private_folder(self.home.state)
        wanted = {self.home.routes.name, self.home.token.name, self.home.settings.name}

        def mine(_: object, path: str) -> bool:
            return Path(path).name in wanted or path.endswith(".py")

        folders = [self.home.folder, self.home.state, *([self.home.handlers] if self.home.handlers.is_dir() else [])]
        async for _ in awatch(*folders, watch_filter=mine, recursive=False, debounce=200, step=50):
            await self.reload()

    async def reload(self) -> bool:
        """Read the routes anew, and look at everybody's token anew. Whether the routes could be read."""
        same = self.home.settings.exists() and self.home.settings.read_bytes() == self._read
        self._outdated = "" if same else f"{self.home.settings.name} was changed: that counts from the next start"
        well = self.routes.reload()
        if not well:
            log.error("the routes before it stay in force: %s", self.routes.problem)
        closed = self.gateway.reauthenticate()
        facts = {"routes": "read" if well else "broken, the old ones stay", "closed": closed}
        await self.ledger.run(lambda db: audit.append(db, time.time(), "reloaded", **facts))
        return well

    async def _upkeep(self) -> None:
        while True:
            try:
                await self.ledger.run(self._keep_up)
            except (sqlite3.Error, OSError, ValueError) as error:
                log.error("upkeep failed: %s", error)
            await asyncio.sleep(_UPKEEP)

    def _keep_up(self, db: sqlite3.Connection) -> None:
        now = time.time()
        entries.release(db, now)
        entries.purge(db, now - self.settings.queue.keep_days * 86_400)
        entries.forget(db, now - _SEEN_DAYS * 86_400)
        if entries.size(db) > 0.8 * self.settings.queue.max_megabytes * 1_000_000:
            entries.purge(db, now - 60)  # what is settled makes room for what is not
        audit.write_anchor(db, self.home.anchor)

    def _begin(self, db: sqlite3.Connection) -> None:
        from .sync import source

        released = entries.release(db, time.time(), everything=True)
        audit.append(db, time.time(), "started", released=released, version=version())
        self._source = source(db)

    def _end(self, db: sqlite3.Connection) -> None:
        audit.append(db, time.time(), "stopped")
        audit.write_anchor(db, self.home.anchor)

    # --- What handlers and platforms may ask -----------------------------------------------------

    async def receive(self, message: Message) -> Receipt:
        """See platforms.Host."""
        receipt = await self.inbox.offer(message)
        if receipt.silent or receipt.accepted is not None or message.platform not in self.platforms:
            return receipt
        for event in receipt.events:
            if "text" in event and receipt.kept:
                with contextlib.suppress(Failed, Refused, Unreachable):
                    answer = Answer(
                        message.conversation,
                        event["text"],
                        f"{message.key}:told",
                        message.message_id,
                        context=message.context,
                    )
                    await self.platforms[message.platform].send(answer)
        return receipt

    async def refused(self, platform: str, why: str) -> None:
        """See platforms.Host."""
        now = time.monotonic()
        if now - self._refused.get((platform, why), -_LINE_EVERY) < _LINE_EVERY:  # a flood must not fill the disk
            return
        self._refused[platform, why] = now
        try:
            await self.ledger.run(lambda db: audit.append(db, time.time(), "refused", platform=platform, why=why))
        except sqlite3.Error as error:
            log.error("a refusal could not be noted: %s", error)

    async def remember(self, name: str, value: str) -> None:
        """See platforms.Host."""
        await self.ledger.run(lambda db: db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (name, value)))

    async def recall(self, name: str) -> str:
        """See platforms.Host."""
        row = await self.ledger.run(lambda db: db.execute("SELECT value FROM note WHERE name = ?", (name,)).fetchone())
        return str(row["value"]) if row else ""

    @property
    def workspaces(self) -> Mapping[str, Path]:
        """See handlers.Sidecar."""
        return self.settings.workspaces

    async def closeread(self, arguments: Sequence[str]) -> bytes:
        """See handlers.Sidecar."""
        return await self.runner.closeread(arguments, self.settings.handlers.timeout)

    async def book(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """See handlers.Sidecar."""
        return await self.ledger.run(operation)

    async def status(self) -> dict[str, Any]:
        """See handlers.Sidecar."""
        states = {**self._states, **{name: platform.state for name, platform in self.platforms.items()}}
        redis = "not used"
        if self.settings.queue.redis:
            redis = (
                "answers" if getattr(self._feed, "healthy", False) else "does not answer; the queue goes on without it"
            )
        return {
            "version": version(),
            "uptime": time.monotonic() - self._started,
            "queue": await self.ledger.run(entries.tally),
            "clients": self.gateway.clients,
            "platforms": states,
            "collector": self._client.state if hasattr(self, "_client") else self._collector,
            "redis": redis,
            "problem": "; ".join(filter(None, (self.routes.problem, self._outdated))),
        }


def version() -> str:
    """Closeread's."""
    try:
        return importlib.metadata.version("closeread")
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    """Cancel tasks until they end: a library may lose the first cancellation (`wait_for` of Python 3.11 does, at times)."""
    waiting = set(tasks)
    while waiting:
        for task in waiting:
            task.cancel()
        _, waiting = await asyncio.wait(waiting, timeout=5)


def _redaction(settings: Settings, channels: Mapping[str, Channel]) -> Redaction:
    own = [secret for channel in channels.values() for secret in platforms.secrets(channel)]
    opted = [name for name, channel in channels.items() if channel.code]
    if settings.collector is not None:
        own += platforms.secrets(settings.collector)
    opted += [COLLECTOR] if settings.collector is not None and settings.collector.code else []
    opted += [GATEWAY] if settings.gateway.code else []
    return Redaction(own, opted)


def _channels(home: Home, settings: Settings) -> dict[str, Channel]:
    channels = {}
    for name in settings.platforms:
        try:
            channels[name] = platforms.settings(home, settings, name)
        except LookupError as error:
            line = line_of(composed(home.settings), ("platforms", name))
            raise ConfigurationError(home.settings, line, f"`platforms.{name[:60]}`: {error.args[0]}") from None
    return channels


async def serve(home: Home, settings: Settings, *, follow: bool) -> None:
    """Run until somebody asks it to end, or, with `follow`, until the parent is gone. Stands by while another sidecar has the home."""
    stop = asyncio.Event()
    platform_.on_end(asyncio.get_running_loop(), stop.set)
    _log(settings)
    service = Service(home, settings)
    logging.getLogger().handlers[0].addFilter(_Hide(service.redaction))

    def ready(port: int) -> None:
        print(json.dumps({"ready": True, "port": port}), flush=True)

    while not stop.is_set():
        try:
            await service.run(stop, ready)
            return
        except AlreadyRunning:
            if not follow:
                raise
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), 1.0)


class _Hide(logging.Filter):
    """No secret reaches the log, whoever logs it."""

    def __init__(self, redaction: Redaction) -> None:
        super().__init__()
        self._redaction = redaction

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redaction.text(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = self._redaction.text(logging.Formatter().formatException(record.exc_info))
            record.exc_info = None
        return True


def _log(settings: Settings) -> None:
    logging.basicConfig(
        stream=sys.stderr, format="closeread sidecar: %(levelname)s: %(message)s", level=logging.WARNING
    )
