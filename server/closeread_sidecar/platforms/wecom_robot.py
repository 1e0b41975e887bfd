"""WeCom's intelligent robot, by its WebSocket long connection: outbound only, so it needs no address, CorpID or trusted IP.

A client of our own: the Python packages end in silence when the connection closes normally or the heartbeat dies. The protocol is that
of developer.work.weixin.qq.com/document/path/101463 and of the official Node package (@wecom/aibot-node-sdk 1.0.7):

    -> {"cmd": "aibot_subscribe", "headers": {"req_id"}, "body": {"bot_id", "secret"}}        <- same req_id, errcode 0
    -> {"cmd": "ping", ...} every 30 s; two without an answer, and the connection is dead
    <- aibot_msg_callback (msgid, from.userid, chatid, chattype, msgtype, ...)     <- aibot_event_callback (event.eventtype)
    -> aibot_respond_msg with the callback's req_id: {"msgtype": "stream", "stream": {"id", "finish", "content"}}, acknowledged one by one
    -> aibot_send_msg {"chatid", "msgtype": "markdown", ...} where a callback can no longer be answered: after a restart, or minutes

It connects again after 1, 2, 4 .. 30 s, however the connection ended, but for `disconnected_event`: another connection of the same robot
has taken over then, and taking it back would go on for ever.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import hashlib
import json
import sqlite3
import uuid
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr, field_validator

from ..dispatcher import Failed, Refused, Unreachable
from ..message import Answer, Attachment, File, Message, words
from ..settings import Channel, filled, is_loopback
from . import LARGEST_ATTACHMENT, Host, pieces

_MOST_BYTES = 20_480
_ACK = 5.0
_TOO_OFTEN = (45009, 45033)
"""Error codes: more calls than WeCom allows in a time."""

_EXPIRED = (846605, 846608)
"""Error codes: no such callback (any more); its stream was open for too long."""

_CHUNK, _CHUNKS = 512 * 1024, 100
_REPLACED = "replaced by another connection"


class Settings(Channel):
    """What the robot needs."""

    bot_id: str
    secret: SecretStr
    url: str = "wss://openws.work.weixin.qq.com"
    heartbeat: float = 30.0
    """Seconds."""

    media_hosts: tuple[str, ...] = (".qq.com", ".myqcloud.com", ".qpic.cn")
    """Where files may be fetched from: a message names the address, and must not choose any."""

    _filled = field_validator("secret")(filled)

    @field_validator("bot_id")
    @classmethod
    def _named(cls, name: str) -> str:
        if not name.strip():
            raise ValueError("must not be blank")
        return name

    @field_validator("url")
    @classmethod
    def _private(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme != "wss" and not (parts.scheme == "ws" and is_loopback(parts.hostname or "")):
            raise ValueError("must be wss://; ws:// is for this machine alone")
        return url


class Replaced(Exception):
    """Another connection of the same robot has taken over."""


class Expired(Failed):
    """A callback was not answered in time: what is to be said is a message of its own now."""


class Adapter:
    """See platforms.Platform."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._socket: Any = None
        self._session = ""
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._order: dict[str, asyncio.Lock] = {}
        self._missed = 0
        self.state = "connecting"

    async def run(self) -> None:
        """See platforms.Platform. Raises Replaced."""
        from websockets.exceptions import WebSocketException

        pause = 1.0
        while True:
            try:
                await self._connection()
            except Replaced:
                self.state = _REPLACED
                raise
            except (WebSocketException, OSError, TimeoutError, Failed, sqlite3.Error) as error:
                self.state = f"waiting ({type(error).__name__})"
            else:
                self.state = "waiting (closed)"
            if self._session:  # it was subscribed: the next failure starts to count anew
                pause, self._session = 1.0, ""
            await asyncio.sleep(pause)
            pause = min(30.0, pause * 2)

    async def send(self, answer: Answer) -> str:
        """See platforms.Platform. While the callback's connection lasts its stream is ended; later a message is sent."""
        request = str(answer.context.get("req_id", ""))
        text = answer.text
        for file in answer.files:
            text += f"\n({file.name} follows)"
        parts = [piece for part in pieces(text, 6000) for piece in _bytes(part)]
        stream = answer.edits or _stream(answer.key)
        if request and answer.context.get("session") == self._session and self._session:
            body = {"msgtype": "stream", "stream": {"id": stream, "finish": True, "content": parts[0]}}
            with contextlib.suppress(Expired):
                await self._command("aibot_respond_msg", body, request)
                parts = parts[1:]
        for part in parts:
            await self._command("aibot_send_msg", _to(answer) | {"msgtype": "markdown", "markdown": {"content": part}})
        for file in answer.files:
            media = await self._upload(file)
            await self._command("aibot_send_msg", _to(answer) | {"msgtype": "file", "file": {"media_id": media}})
        return stream

    async def progress(self, message: Message, text: str, previous: str) -> str:
        """See platforms.Platform."""
        if message.context.get("session") != self._session or not self._session:
            return previous
        stream = previous or _stream(message.key)
        body = {"msgtype": "stream", "stream": {"id": stream, "finish": False, "content": _bytes(text)[0]}}
        await self._command("aibot_respond_msg", body, message.context["req_id"])
        return stream

    async def fetch(self, message: Message, attachment: Attachment) -> File:
        """See platforms.Platform. The file is encrypted with a key of its own."""
        import httpx

        told = json.loads(attachment.ref)
        parts = urlsplit(told["url"])
        known = parts.scheme == "https" and any(
            (parts.hostname or "").endswith(host) for host in self._settings.media_hosts
        )
        if not known and not (
            parts.scheme == "http"
            and is_loopback(parts.hostname or "")
            and is_loopback(urlsplit(self._settings.url).hostname or "")
        ):
            raise Refused("the attachment lies at an address that is not WeCom's")
        try:
            async with (
                httpx.AsyncClient(timeout=30, trust_env=False) as client,
                client.stream("GET", told["url"]) as answer,
            ):
                data = b""
                async for chunk in answer.aiter_bytes():
                    data += chunk
                    if len(data) > LARGEST_ATTACHMENT + 32:
                        raise Refused("the attachment is too large")
                answer.raise_for_status()
        except httpx.HTTPError as error:
            raise Unreachable(f"the attachment cannot be fetched ({type(error).__name__})") from error
        return File(attachment.name or "file", decrypted(data, told["aeskey"]) if told.get("aeskey") else data)

    # --- The connection ---------------------------------------------------------------------------

    async def _connection(self) -> None:
        """One connection, until it ends. However it ends, `run` connects again."""
        from websockets.asyncio.client import connect

        async with connect(
            self._settings.url, open_timeout=10, close_timeout=2, ping_interval=None, max_size=8 << 20, proxy=None
        ) as socket:
            self._socket, self._missed = socket, 0
            inbox: asyncio.Queue[dict[str, Any]] = asyncio.Queue(1000)
            body = {"bot_id": self._settings.bot_id, "secret": self._settings.secret.get_secret_value()}
            parts = [self._read(socket, inbox), self._lead(body), self._work(inbox)]
            tasks = [asyncio.ensure_future(part) for part in parts]
            try:
                done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                self._socket = None
            for future in self._answers.values():
                future.cancel()
            self._answers.clear()
            for task in done:
                task.result()

    async def _lead(self, body: dict[str, Any]) -> None:
        """Subscribe, then keep the heart beating; ends when it does not."""
        try:
            await self._command("aibot_subscribe", body)
        except (Failed, Refused, Unreachable) as error:
            self.state = f"refused ({error})"
            return
        self._session, self.state = uuid.uuid4().hex, "connected"
        while self._missed < 2:
            self._missed += 1
            with contextlib.suppress(Failed, Unreachable, Refused):
                await self._command("ping", None, wait=self._settings.heartbeat)
                self._missed = 0
                await asyncio.sleep(self._settings.heartbeat)

    async def _read(self, socket: Any, inbox: asyncio.Queue[dict[str, Any]]) -> None:
        async for text in socket:  # ends, without an exception, on a normal close
            try:
                frame = json.loads(text)
                request = frame["headers"]["req_id"]
            except (ValueError, KeyError, TypeError, RecursionError):
                continue
            if frame.get("cmd"):
                event = frame.get("body", {}).get("event", {}) if isinstance(frame.get("body"), dict) else {}
                if isinstance(event, dict) and event.get("eventtype") == "disconnected_event":
                    raise Replaced
                with contextlib.suppress(asyncio.QueueFull):  # WeCom sends again what is not answered
                    inbox.put_nowait(frame)
            elif isinstance(request, str) and request in self._answers and not self._answers[request].done():
                self._answers[request].set_result(frame)

    async def _work(self, inbox: asyncio.Queue[dict[str, Any]]) -> None:
        while True:
            frame = await inbox.get()
            if frame["cmd"] != "aibot_msg_callback":
                continue
            message = read(frame, self._session)
            if message is None:
                continue
            receipt = await self._host.receive(message)
            if not receipt.kept:
                with contextlib.suppress(Failed, Refused, Unreachable):
                    await self.send(
                        Answer(message.conversation, receipt.events[-1]["text"], message.key, context=message.context)
                    )

    async def _command(
        self, command: str, body: dict[str, Any] | None, request: str = "", wait: float = _ACK
    ) -> dict[str, Any]:
        """Send a frame and wait until it is acknowledged; frames of one request go one after the other."""
        from websockets.exceptions import WebSocketException

        request = request or f"{command}_{uuid.uuid4().hex}"
        async with self._order.setdefault(request, asyncio.Lock()):
            answered: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
            self._answers[request] = answered
            frame: dict[str, Any] = {"cmd": command, "headers": {"req_id": request}}
            try:
                if self._socket is None:
                    raise Unreachable("WeCom is not connected")
                await self._socket.send(
                    json.dumps(frame if body is None else {**frame, "body": body}, ensure_ascii=False)
                )
                answer = await asyncio.wait_for(answered, wait)
            except TimeoutError as error:
                raise Unreachable(f"WeCom did not acknowledge {command}") from error
            except (WebSocketException, OSError) as error:
                raise Unreachable(f"WeCom cannot be reached ({type(error).__name__})") from error
            except asyncio.CancelledError:
                if answered.cancelled() and not asyncio.current_task().cancelling():  # type: ignore[union-attr]
                    raise Unreachable("the connection ended") from None
                raise
            finally:
                self._answers.pop(request, None)
                self._order.pop(request, None)
        code = answer.get("errcode", 0)
        if code in _TOO_OFTEN:
            raise Unreachable(f"WeCom wants a pause ({code})", 60.0)
        if code in _EXPIRED:
            raise Expired("the callback cannot be answered any more")
        if code:
            raise Failed(f"WeCom answers {code}: {str(answer.get('errmsg', ''))[:200]}")
        return answer.get("body") or {}

    async def _upload(self, file: File) -> str:
        chunks = [file.data[at : at + _CHUNK] for at in range(0, len(file.data), _CHUNK)] or [b""]
        if len(chunks) > _CHUNKS:
            raise Refused(f"{file.name} is too large for WeCom")
        head = {"type": "file", "filename": file.name, "total_size": len(file.data), "total_chunks": len(chunks)}
        begun = await self._command(
            "aibot_upload_media_init", head | {"md5": hashlib.md5(file.data, usedforsecurity=False).hexdigest()}
        )
        for number, chunk in enumerate(chunks):
            part = {
                "upload_id": begun["upload_id"],
                "chunk_index": number,
                "base64_data": base64.b64encode(chunk).decode(),
            }
            await self._command("aibot_upload_media_chunk", part, wait=30)
        return str((await self._command("aibot_upload_media_finish", {"upload_id": begun["upload_id"]}))["media_id"])


def read(frame: dict[str, Any], session: str) -> Message | None:
    """A callback as a message; None if it has no words, or makes no sense."""
    try:
        body = frame["body"]
        said, attachments = [], []
        for item in body["mixed"]["msg_item"] if body["msgtype"] == "mixed" else [body]:
            kind = item["msgtype"]
            if kind in ("text", "voice"):
                said.append(str(item[kind]["content"]))
            elif kind in ("image", "file", "video"):
                ref = {"url": str(item[kind]["url"]), "aeskey": str(item[kind].get("aeskey", ""))}
                attachments.append(Attachment(kind, str(item[kind].get("filename", kind)), 0, json.dumps(ref)))
        content = "\n".join(said).strip()
        group = body.get("chattype") == "group"
        sender = str(body["from"]["userid"])
        if group and content.startswith("@"):  # how one speaks to a robot in a group
            content = content.partition(" ")[2].strip()
        content = words(content, attachments)
        if not content or not sender:
            return None
        return Message(
            "wecom_robot", sender, content, tuple(attachments), str(body["chatid"]) if group else sender, str(body["msgid"]),
            time=float(body.get("create_time") or 0), group=group, unique=str(body["msgid"]),
            context={"req_id": str(frame["headers"]["req_id"]), "session": session},
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def decrypted(data: bytes, key: str) -> bytes:
    """A file of a message: AES-256-CBC, the vector is the key's first half, padded to blocks of 32. Raises Refused."""
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

    try:
        raw = base64.b64decode(key + "=" * (-len(key) % 4))
        decryptor = Cipher(algorithms.AES256(raw), modes.CBC(raw[:16])).decryptor()
        plain = decryptor.update(data) + decryptor.finalize()
    except (ValueError, binascii.Error) as error:
        raise Refused("the attachment cannot be decrypted") from error
    return unpadded(plain)


def unpadded(plain: bytes) -> bytes:
    """Without its PKCS#7 padding to blocks of 32. Raises Refused."""
    count = plain[-1] if plain else 0
    if not 1 <= count <= 32 or plain[-count:] != bytes([count]) * count:
        raise Refused("its padding is wrong")
    return plain[:-count]


def _bytes(text: str) -> list[str]:
    """In pieces that WeCom takes: 20,480 bytes."""
    found, data = [], text.encode()
    while len(data) > _MOST_BYTES:
        cut = _MOST_BYTES
        while data[cut] & 0xC0 == 0x80:
            cut -= 1
        found.append(data[:cut].decode())
        data = data[cut:]
    return [*found, data.decode()]


def _stream(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def _to(answer: Answer) -> dict[str, str]:
    return {"chatid": answer.conversation}
