"""Both sides of WeCom: the robot's WebSocket server, and the application's API with what calls the application."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from typing import Any

import httpx
from aiohttp import web
from websockets.asyncio.server import ServerConnection, serve

from closeread_sidecar.platforms.wecom_app import Envelope
from sidecar.doubles.web import Web


class Robot:
    """What the robot connects to. `frames` are all that it sent; `mute` leaves pings unanswered, `acknowledge` answers replies.

    `errors` are the codes of the next answers to replies; `slow` is for how many seconds each answer is held back.
    """

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.connections = 0
        self.mute = False
        self.acknowledge = True
        self.refuse = False
        self.errors: list[int] = []
        self.slow = 0.0
        self.port = 0
        self._socket: ServerConnection | None = None
        self.uploads: dict[str, bytes] = {}

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", 0, ping_interval=None)
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        self._server.close()
        await self._server.wait_closed()

    def commands(self, name: str) -> list[dict[str, Any]]:
        return [frame for frame in self.frames if frame["cmd"] == name]

    async def say(self, text: str, sender: str = "ann", number: str = "m1", chat: str = "", **more: Any) -> None:
        body = {
            "msgid": number, "aibotid": "bot", "chattype": "group" if chat else "single", "from": {"userid": sender},
            "msgtype": "text", "text": {"content": text}, **({"chatid": chat} if chat else {}), **more,
        }  # fmt: skip
        await self.push("aibot_msg_callback", body)

    async def push(self, command: str, body: Any) -> None:
        assert self._socket is not None
        await self._socket.send(
            json.dumps({"cmd": command, "headers": {"req_id": f"r{time.monotonic_ns()}"}, "body": body})
        )

    async def raw(self, text: str) -> None:
        assert self._socket is not None
        await self._socket.send(text)

    async def close(self, code: int = 1000) -> None:
        assert self._socket is not None
        await self._socket.close(code)

    def abort(self) -> None:
        assert self._socket is not None
        self._socket.transport.abort()

    async def _serve(self, socket: ServerConnection) -> None:
        self._socket = socket
        self.connections += 1
        with contextlib.suppress(Exception):
            async for text in socket:
                frame = json.loads(text)
                self.frames.append(frame)
                answer: dict[str, Any] = {"headers": frame["headers"], "errcode": 0, "errmsg": "ok"}
                command, body = frame["cmd"], frame.get("body") or {}
                if command == "ping" and self.mute:
                    continue
                if command == "aibot_subscribe" and (self.refuse or body.get("secret") != "robot-secret"):
                    answer |= {"errcode": 40001, "errmsg": "invalid credential"}
                if command in ("aibot_respond_msg", "aibot_send_msg") and self.errors:
                    answer |= {"errcode": self.errors.pop(0), "errmsg": "as told"}
                if command == "aibot_upload_media_init":
                    self.uploads["u1"] = b""
                    answer["body"] = {"upload_id": "u1"}
                if command == "aibot_upload_media_finish":
                    answer["body"] = {"media_id": "media1", "type": "file"}
                if command.startswith("aibot_") and command != "aibot_subscribe" and not self.acknowledge:
                    continue
                await asyncio.sleep(self.slow)
                await socket.send(json.dumps(answer))


class Application(Web):
    """The API that the application calls, and the callbacks that WeCom makes. `sent` is what the application said.

    `trouble` are the next answers to messages: a status, an object, text that is no JSON, None to close the connection, or
    a number of seconds to wait before a good one.
    """

    def __init__(self, token: str, key: str, corp: str) -> None:
        self.envelope, self.corp = Envelope(token, key, corp), corp
        self.sent: list[dict[str, Any]] = []
        self.trouble: list[int | float | dict[str, Any] | str | None] = []
        self.media: dict[str, bytes] = {}
        self.tokens = 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/cgi-bin/gettoken", self._gettoken),
            web.post("/cgi-bin/message/send", self._send),
            web.post("/cgi-bin/media/upload", self._upload),
            web.get("/cgi-bin/media/get", self._get),
        ]

    async def call(self, port: int, text: str, **changes: Any) -> int:
        """Call back with a text message; `changes` spoil it. Gives the status."""
        xml = changes.pop("xml", None) or (
            f"<xml><ToUserName>{self.corp}</ToUserName><FromUserName>{changes.pop('sender', 'ann')}</FromUserName>"
            f"<CreateTime>{int(time.time())}</CreateTime><MsgType>text</MsgType><Content><![CDATA[{text}]]></Content>"
            f"<MsgId>{changes.pop('number', time.monotonic_ns())}</MsgId><AgentID>1</AgentID></xml>"
        )
        envelope = changes.pop("envelope", self.envelope)
        encrypted = envelope.seal(xml.encode())
        query = {"timestamp": str(int(time.time())), "nonce": str(time.monotonic_ns()), **changes.pop("query", {})}
        query["msg_signature"] = (
            changes.pop("signature")
            if "signature" in changes
            else envelope.signature(query["timestamp"], query["nonce"], encrypted)
        )
        headers = {"Host": "chat.example.org", "X-Forwarded-For": "203.0.113.9", **changes.pop("headers", {})}
        body = changes.pop("body", None) or f"<xml><Encrypt><![CDATA[{encrypted}]]></Encrypt></xml>"
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{port}/wecom"
            if changes.pop("verify", False):
                query["msg_signature"] = envelope.signature(query["timestamp"], query["nonce"], encrypted)
                answer = await client.get(url, params={**query, "echostr": encrypted}, headers=headers)
                return answer.status_code if answer.text != xml else 1
            return (await client.post(url, params=query, content=body, headers=headers)).status_code

    async def _gettoken(self, request: web.Request) -> web.Response:
        self.tokens += 1
        if request.query["corpsecret"] != "app-secret":
            return web.json_response({"errcode": 40001, "errmsg": "invalid credential"})
        return web.json_response({"errcode": 0, "access_token": f"t{self.tokens}", "expires_in": 7200})

    async def _send(self, request: web.Request) -> web.Response:
        if self.trouble:
            trouble = self.trouble.pop(0)
            if trouble is None:
                assert request.transport is not None
                request.transport.abort()
                return web.Response()
            if isinstance(trouble, float):
                await asyncio.sleep(trouble)
            elif isinstance(trouble, int):
                return web.Response(status=trouble)
            elif isinstance(trouble, str):
                return web.Response(text=trouble, content_type="application/json")
            else:
                return web.json_response(trouble)
        self.sent.append(await request.json())
        return web.json_response({"errcode": 0, "errmsg": "ok", "msgid": f"m{len(self.sent)}"})

    async def _upload(self, request: web.Request) -> web.Response:
        file = next(value for value in (await request.post()).values() if isinstance(value, web.FileField))
        self.media[f"up{len(self.media)}-{file.filename}"] = file.file.read()
        return web.json_response({"errcode": 0, "type": "file", "media_id": list(self.media)[-1]})

    async def _get(self, request: web.Request) -> web.Response:
        data = self.media.get(request.query["media_id"])
        if data is None:
            return web.json_response({"errcode": 40007, "errmsg": "invalid media_id"})
        return web.Response(body=data, content_type="image/jpeg")
