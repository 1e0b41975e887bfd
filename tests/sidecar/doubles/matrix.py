"""A homeserver, as far as a bot sees one: whoami, /sync with `since` and `limited`, /messages, joined_members, send, join, media."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from sidecar.doubles.web import Web

BOT = "@closeread:example.org"


class Homeserver(Web):
    """`events` of one room, in order; `sent` is what the bot said, by transaction. `trouble` are the next answers' statuses."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.invites: list[tuple[str, str]] = []
        self.joined: list[str] = []
        self.sent: dict[str, dict[str, Any]] = {}
        self.repeats = 0
        self.members = [BOT, "@ann:example.org"]
        self.window = 1000
        self.trouble: list[int] = []
        self._new = asyncio.Event()

    def routes(self) -> list[web.RouteDef]:
        base = "/_matrix/client/v3"
        return [
            web.get(f"{base}/account/whoami", self._whoami),
            web.get(f"{base}/sync", self._sync),
            web.post(f"{base}/join/{{room}}", self._join),
            web.get(f"{base}/rooms/{{room}}/messages", self._messages),
            web.get(f"{base}/rooms/{{room}}/joined_members", self._joined),
            web.put(f"{base}/rooms/{{room}}/send/m.room.message/{{transaction}}", self._send),
            web.get("/_matrix/client/v1/media/download/{server}/{name}", self._media),
        ]

    def say(self, text: str, sender: str = "@ann:example.org", **content: Any) -> None:
        event = {
            "type": "m.room.message", "sender": sender, "event_id": f"$e{len(self.events)}", "origin_server_ts": 1,
            "content": {"msgtype": "m.text", "body": text, **content},
        }  # fmt: skip
        self.events.append(event)
        self._new.set()

    async def _whoami(self, request: web.Request) -> web.Response:
        if request.headers.get("Authorization") != "Bearer matrix-token":
            return web.json_response({"errcode": "M_UNKNOWN_TOKEN"}, status=401)
        return web.json_response({"user_id": BOT})

    async def _sync(self, request: web.Request) -> web.Response:
        if self.trouble:
            return web.json_response({"retry_after_ms": 100}, status=self.trouble.pop(0))
        since = int(request.query.get("since", "0"))
        if since >= len(self.events) and "since" in request.query and not self.invites:
            self._new.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._new.wait(), 0.3)
        fresh = self.events[since:]
        shown = fresh[-self.window :]
        timeline = {
            "events": shown,
            "limited": len(shown) < len(fresh),
            "prev_batch": str(len(self.events) - len(shown)),
        }
        invites = {room: {"invite_state": {"events": [
            {"type": "m.room.member", "state_key": BOT, "sender": host, "content": {"membership": "invite"}}
        ]}} for room, host in self.invites}  # fmt: skip
        self.invites = []
        rooms = {"join": {"!room:example.org": {"timeline": timeline}} if fresh else {}, "invite": invites}
        return web.json_response({"next_batch": str(len(self.events)), "rooms": rooms})

    async def _messages(self, request: web.Request) -> web.Response:
        end, start = int(request.query["from"]), int(request.query["to"])
        first = max(start, end - 2)
        return web.json_response({"chunk": self.events[first:end][::-1], "end": str(first) if first > start else ""})

    async def _joined(self, request: web.Request) -> web.Response:
        return web.json_response({"joined": {name: {} for name in self.members}})

    async def _join(self, request: web.Request) -> web.Response:
        self.joined.append(unquote(request.match_info["room"]))
        return web.json_response({"room_id": request.match_info["room"]})

    async def _send(self, request: web.Request) -> web.Response:
        transaction = request.match_info["transaction"]
        self.repeats += transaction in self.sent
        self.sent.setdefault(transaction, await request.json())
        return web.json_response({"event_id": f"$sent{len(self.sent)}"})

    async def _media(self, request: web.Request) -> web.Response:
        return web.Response(body=b"a file of " + request.match_info["name"].encode())
