"""The connections. One that reads too slowly, says too much or nothing sensible costs itself, nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import http
import json
import logging
import sqlite3
import ssl
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from .. import platform_
from ..inbox import Inbox, Receipt
from ..message import GATEWAY, Message
from ..policy import Rate
from ..progress import Progress
from ..redaction import Redaction
from ..settings import Gateway as Settings
from ..settings import Home
from . import door

log = logging.getLogger(__name__)

_LARGEST = 64 * 1024
_BACKLOG = 200
"""Messages that may wait for a client that does not read; then it is closed."""

REAUTHENTICATE = 4401

Refused = Callable[[str, str], Awaitable[None]]
"""See platforms.Host."""


class Gateway:
    """The server. `port` is the real one once it has started."""

    def __init__(
        self, home: Home, settings: Settings, inbox: Inbox, progress: Progress, redaction: Redaction, refused: Refused
    ) -> None:
        self._home, self._settings, self._inbox, self._progress = home, settings, inbox, progress
        self._redaction, self._refused = redaction, refused
        self._door = door.Door(settings.host, settings.names, settings.port, settings.origins, door.token(home.token))
        self._clients: dict[Client, str] = {}
        self._server: Server | None = None
        self.port = settings.port

    async def start(self) -> None:
        """Listen. Raises OSError if the address cannot be had."""
        tls = None
        if self._settings.tls is not None:
            exposed = platform_.exposure(self._settings.tls.key)
            if exposed:
                raise door.DoorError(f"{self._settings.tls.key}: others could read the key: {exposed}; `chmod 600` it")
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.minimum_version = ssl.TLSVersion.TLSv1_2
            tls.load_cert_chain(self._settings.tls.certificate, self._settings.tls.key)
        self._server = await serve(
            self._serve, self._settings.host, self._settings.port, ssl=tls, process_request=self._admit,
            compression=None, max_size=_LARGEST, max_queue=8, write_limit=32768, open_timeout=10, ping_interval=30, ping_timeout=30,
            close_timeout=2, server_header=None, backlog=2048, logger=_quiet(),
        )  # fmt: skip
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        self._door = replace(self._door, port=self.port)

    async def close(self) -> None:
        """Let everybody go."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    @property
    def clients(self) -> int:
        """How many are connected."""
        return len(self._clients)

    def reauthenticate(self) -> int:
        """Look at everybody's token anew. Gives how many were closed."""
        try:
            token = door.token(self._home.token)
        except door.DoorError as error:  # nobody's token can be trusted then
            log.error("%s", error)
            token = ""
        self._door = replace(self._door, token=token)
        gone = [client for client, shown in self._clients.items() if not self._door.knows(shown)]
        for client in gone:
            client.drop(REAUTHENTICATE, "the token does not hold any more")
        return len(gone)

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        headers = request.headers
        status, reason = self._door.refusal(
            headers.get_all("Host"), headers.get_all("Origin"), headers.get_all("Authorization")
        )
        if not status and len(self._clients) >= self._settings.clients:
            status, reason = 503, "there are as many clients as there may be"
        if not status:
            return None
        await self._refused(GATEWAY, reason)
        return connection.respond(http.HTTPStatus(status), reason + "\n")

    async def _serve(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        shown = connection.request.headers["Authorization"]
        if not self._door.knows(shown):  # the token was changed while the connection opened
            await connection.close(REAUTHENTICATE)
            return
        client = Client(connection, self._inbox, self._progress, self._redaction, self._settings.per_minute)
        self._clients[client] = shown
        try:
            await client.run()
        finally:
            del self._clients[client]


class Client:
    """One connection."""

    def __init__(
        self, connection: ServerConnection, inbox: Inbox, progress: Progress, redaction: Redaction, per_minute: int
    ) -> None:
        self._connection, self._inbox, self._progress, self._redaction = connection, inbox, progress, redaction
        self._rate = Rate(per_minute)
        self._out: asyncio.Queue[dict[str, Any]] = asyncio.Queue(_BACKLOG)
        self._stops: dict[str, Callable[[], None]] = {}
        self._closing: asyncio.Task[None] | None = None

    async def run(self) -> None:
        """Until it goes."""
        sender = asyncio.ensure_future(self._send_all())
        try:
            async for text in self._connection:
                pause = self._rate.spend(None, time.monotonic())
                if pause:
                    self._put(
                        {"type": "error", "code": "slow-down", "text": "too many messages", "after": round(pause, 1)}
                    )
                else:
                    await self._read(text)
        except ConnectionClosed:
            pass
        finally:
            sender.cancel()
            for stop in self._stops.values():
                stop()
            if self._closing is not None:
                with contextlib.suppress(Exception):
                    await self._closing

    def drop(self, code: int, reason: str) -> None:
        """Close it from our side."""
        if self._closing is None:
            self._closing = asyncio.ensure_future(self._connection.close(code, reason))

    async def _read(self, text: str | bytes) -> None:
        try:
            said = json.loads(text)
            kind, id_ = said["type"], said["id"]
            if not isinstance(id_, str) or not 0 < len(id_) <= 100 or kind not in ("ask", "cancel"):
                raise ValueError
            content, conversation = said.get("content", ""), said.get("conversation", "")
            if not isinstance(content, str) or not isinstance(conversation, str) or len(conversation) > 200:
                raise ValueError
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            self._put({"type": "error", "code": "malformed", "text": "not a message of this protocol"})
            return
        if kind == "cancel":
            if not await self._inbox.cancel(f"{GATEWAY}:{id_}"):
                self._put({"type": "error", "id": id_, "code": "unknown", "text": "nothing of that id is open"})
            return
        await self._ask(id_, content, conversation)

    async def _ask(self, id_: str, content: str, conversation: str) -> None:
        message = Message(
            GATEWAY, "local", content, conversation=conversation, message_id=id_, time=time.time(), unique=id_
        )
        if id_ not in self._stops:
            self._stops[id_] = self._progress.listen(message.key, lambda event: self._event(id_, event))
        try:
            receipt = await self._inbox.offer(message)
        except sqlite3.Error as error:
            log.error("nothing can be accepted: %s", error)
            receipt = Receipt(
                ({"type": "error", "code": "busy", "text": f"Nothing can be kept now: {error}."},), ended=True
            )
        for event in receipt.events:
            self._put({**event, "id": id_})
        if receipt.ended and id_ in self._stops:
            self._stops.pop(id_)()

    def _event(self, id_: str, event: dict[str, Any]) -> None:
        self._put({**event, "id": id_})
        if event["type"] not in ("progress", "partial") and id_ in self._stops:
            self._stops.pop(id_)()

    def _put(self, message: dict[str, Any]) -> None:
        if "text" in message:
            message = {**message, "text": self._redaction.text(message["text"], GATEWAY)}
        try:
            self._out.put_nowait(message)
        except asyncio.QueueFull:
            self.drop(1008, "it does not read what it is told")

    async def _send_all(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._connection.send(json.dumps(await self._out.get(), separators=(",", ":")))


def _quiet() -> logging.Logger:
    # The library logs what strangers send; nothing of that belongs into our log.
    logger = logging.getLogger("closeread_sidecar.gateway.library")
    logger.disabled = True
    return logger
