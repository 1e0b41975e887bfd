"""A Bot API server: getMe, getUpdates with its offset, sendMessage, editMessageText, sendDocument, getFile and downloads.

As the real one does, it forgets updates below the offset that it is asked for, and only those.
"""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from sidecar.doubles.web import Web

TOKEN = "123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


class Telegram(Web):
    """`updates` wait to be fetched; `sent` is what the bot said. `trouble` are (method, status, body) for the next calls of it.

    A status of 0 closes the connection without an answer, after as many seconds as the body says.
    """

    def __init__(self) -> None:
        self.updates: list[Any] = []
        self.sent: list[dict[str, Any]] = []
        self.calls: list[str] = []
        self.offsets: list[int] = []
        self.trouble: list[tuple[str, int, Any]] = []
        self.files: dict[str, bytes] = {}
        self.repeat = False
        self._number = 1000
        self._new = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        return [
            web.route("*", "/bot{token}/{method}", self._call),
            web.get("/file/bot{token}/{path:.*}", self._file),
        ]

    def say(self, text: str, sender: int = 7, chat: int | None = None, **more: Any) -> dict[str, Any]:
        """Somebody says something. `chat` below zero is a group."""
        self._number += 1
        kind = "private" if chat is None or chat > 0 else "supergroup"
        message = {
            "message_id": self._number, "date": 1_700_000_000, "text": text, "chat": {"id": chat or sender, "type": kind},
            "from": {"id": sender, "is_bot": False, "first_name": "Ann"}, **more,
        }  # fmt: skip
        update = {"update_id": self._number, "message": message}
        self.push(update)
        return update

    def push(self, update: Any) -> None:
        self.updates.append(update)
        self._new.set()

    async def _call(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return web.json_response({"ok": False, "error_code": 401, "description": "Unauthorized"}, status=401)
        method = request.match_info["method"].lower()
        data: dict[str, Any] = dict(await request.post())
        self.calls.append(method)
        for number, (name, status, body) in enumerate(self.trouble):
            if name == method:
                del self.trouble[number]
                if status == 0:
                    await asyncio.sleep(body)
                    assert request.transport is not None
                    request.transport.abort()
                    return web.Response()
                if isinstance(body, str):
                    return web.Response(status=status, text=body)
                return web.json_response({"ok": False, "error_code": status, **body}, status=status)
        return web.json_response({"ok": True, "result": await getattr(self, f"_{method}")(data)})

    async def _getme(self, data: dict[str, Any]) -> Any:
        return {"id": 1, "is_bot": True, "first_name": "Closeread", "username": "closeread_bot"}

    async def _getupdates(self, data: dict[str, Any]) -> Any:
        offset = int(data.get("offset", 0))
        self.offsets.append(offset)
        if not self.repeat:
            self.updates = [u for u in self.updates if not isinstance(u, dict) or u.get("update_id", offset) >= offset]
        waiting = [
            u for u in self.updates if self.repeat or not isinstance(u, dict) or u.get("update_id", offset) >= offset
        ]
        if not waiting or (self.repeat and len(self.offsets) > 1):
            self._new.clear()
            try:
                await asyncio.wait_for(self._new.wait(), min(0.3, float(data.get("timeout", 0))))
            except TimeoutError:
                return waiting if self.repeat else []
            return await self._getupdates(data)
        return waiting

    async def _sendmessage(self, data: dict[str, Any]) -> Any:
        self._number += 1
        self.sent.append({"id": self._number, "text": data["text"], "chat": int(data["chat_id"]), "data": data})
        return {"message_id": self._number, "date": 0, "chat": {"id": int(data["chat_id"]), "type": "private"}}

    async def _editmessagetext(self, data: dict[str, Any]) -> Any:
        self.sent.append({"edits": int(data["message_id"]), "text": data["text"], "chat": int(data["chat_id"])})
        return {
            "message_id": int(data["message_id"]),
            "date": 0,
            "chat": {"id": int(data["chat_id"]), "type": "private"},
        }

    async def _senddocument(self, data: dict[str, Any]) -> Any:
        file = next(value for value in data.values() if hasattr(value, "file"))
        self.sent.append({"document": file.filename, "data": file.file.read(), "chat": int(data["chat_id"])})
        return {"message_id": self._number, "date": 0, "chat": {"id": int(data["chat_id"]), "type": "private"}}

    async def _getfile(self, data: dict[str, Any]) -> Any:
        name = data["file_id"]
        return {
            "file_id": name,
            "file_unique_id": name,
            "file_size": len(self.files[name]),
            "file_path": f"documents/{name}",
        }

    async def _file(self, request: web.Request) -> web.Response:
        return web.Response(body=self.files[request.match_info["path"].rpartition("/")[2]])


def flood(seconds: int) -> dict[str, Any]:
    """The body of a 429."""
    return {"description": "Too Many Requests", "parameters": {"retry_after": seconds}}


__all__ = ["TOKEN", "Telegram", "flood"]
