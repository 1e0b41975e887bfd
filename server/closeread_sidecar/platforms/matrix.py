"""Matrix, by the client-server API itself: `/sync` with long polling.

The place in the stream (`next_batch`) is kept once the queue has committed what came before it; what a limited answer left out is
fetched backwards until it is joined. What goes out carries a transaction id made from the answer's key, so that the server itself
drops a repetition.

Deliberately absent: encrypted rooms. What cannot be read is not answered, and `status` says that it was seen.
An invitation is accepted only from somebody on the allow-list itself.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import sqlite3
import time
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr, field_validator

from ..dialects import as_html, as_text
from ..dispatcher import Failed, Refused, Unreachable
from ..message import Answer, Attachment, File, Message, words
from ..policy import listed
from ..settings import Channel, filled, private_url
from . import LARGEST_ATTACHMENT, Host, pieces

log = logging.getLogger(__name__)

_PLACE = "matrix:since"
_POLL = 25
_LONGEST = 10_000
_API = "/_matrix/client/v3"
_FILES = {"m.image": "image", "m.file": "file", "m.audio": "voice", "m.video": "video"}


class Settings(Channel):
    """What Matrix needs."""

    homeserver: str
    access_token: SecretStr

    _filled = field_validator("access_token")(filled)
    _private = field_validator("homeserver")(lambda url: private_url(url, "homeserver").rstrip("/"))


class Adapter:
    """See platforms.Platform."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._client: Any = None
        self._me = ""
        self._members: dict[str, int] = {}
        self._encrypted = False
        self.state = "connecting"

    async def run(self) -> None:
        """See platforms.Platform. Raises Refused if the access token is not good."""
        import httpx

        pause = 1.0
        headers = {"Authorization": f"Bearer {self._settings.access_token.get_secret_value()}"}
        timeout = httpx.Timeout(_POLL + 15, connect=10)
        async with httpx.AsyncClient(
            base_url=self._settings.homeserver, headers=headers, timeout=timeout, trust_env=False
        ) as self._client:
            since = await self._host.recall(_PLACE)
            while True:
                try:
                    if not self._me:
                        self._me = str((await self._request("GET", f"{_API}/account/whoami"))["user_id"])
                    # The first time, what was said before we came is passed over.
                    params = {"timeout": str(_POLL * 1000 if since else 0), **({"since": since} if since else {})}
                    told = await self._request("GET", f"{_API}/sync", params=params)
                    self.state = "connected, but a room is encrypted" if self._encrypted else "connected"
                    if await self._take_in(told, since):
                        since = str(told["next_batch"])
                        await self._host.remember(_PLACE, since)
                    pause = 1.0
                except Unreachable as error:
                    self.state = f"waiting ({error})"
                    await asyncio.sleep(pause if error.after is None else error.after)
                    pause = min(30.0, pause * 2)
                except (Failed, sqlite3.Error, KeyError, TypeError, AttributeError) as error:
                    self.state = f"waiting ({type(error).__name__})"
                    await asyncio.sleep(pause)
                    pause = min(30.0, pause * 2)

    async def send(self, answer: Answer) -> str:
        """See platforms.Platform."""
        sent = ""
        for number, part in enumerate(pieces(answer.text, _LONGEST)):
            edits = answer.edits if number == 0 else ""
            reply = answer.reply_to if number == 0 else ""
            sent = await self._event(answer.conversation, f"{answer.key}:{number}", _text(part, reply, edits)) or sent
        for number, file in enumerate(answer.files):
            headers = {"Content-Type": "application/octet-stream"}
            made = await self._request(
                "POST", "/_matrix/media/v3/upload", params={"filename": file.name}, content=file.data, headers=headers
            )
            content = {
                "msgtype": "m.file",
                "body": file.name,
                "url": made["content_uri"],
                "info": {"size": len(file.data)},
            }
            sent = await self._event(answer.conversation, f"{answer.key}:file{number}", content) or sent
        return sent

    async def progress(self, message: Message, text: str, previous: str) -> str:
        """See platforms.Platform."""
        key = f"{message.key}:progress:{time.monotonic_ns()}"
        sent = await self._event(
            message.conversation, key, _text(text[:_LONGEST], "" if previous else message.message_id, previous)
        )
        return previous or sent

    async def fetch(self, message: Message, attachment: Attachment) -> File:
        """See platforms.Platform."""
        server, _, name = attachment.ref.removeprefix("mxc://").partition("/")
        if not attachment.ref.startswith("mxc://") or not server or not name or "/" in name:
            raise Refused("the attachment lies nowhere")
        if attachment.size > LARGEST_ATTACHMENT:
            raise Refused("the attachment is too large")
        path = f"/_matrix/client/v1/media/download/{quote(server, safe=':.')}/{quote(name, safe='')}"
        data = await self._request("GET", path, raw=True)
        if len(data) > LARGEST_ATTACHMENT:
            raise Refused("the attachment is too large")
        return File(attachment.name or "file", data)

    # --- Coming in --------------------------------------------------------------------------------

    async def _take_in(self, told: dict[str, Any], since: str) -> bool:
        """Commit what came. Whether all of it was kept."""
        rooms = told.get("rooms", {})
        for room, invited in rooms.get("invite", {}).items():
            events = invited.get("invite_state", {}).get("events", [])
            hosts = [
                event["sender"]
                for event in events
                if event.get("type") == "m.room.member" and event.get("state_key") == self._me
            ]
            if any(listed(host, self._settings.allow) for host in hosts):
                await self._request("POST", f"{_API}/join/{quote(room, safe='')}", json={})
        if not since:
            return True
        for room, joined in rooms.get("join", {}).items():
            timeline = joined.get("timeline", {})
            events = timeline.get("events", [])
            if timeline.get("limited"):
                events = [*await self._left_out(room, timeline.get("prev_batch", ""), since), *events]
            for event in events:
                if not await self._event_in(room, event):
                    return False
        return True

    async def _left_out(self, room: str, before: str, since: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for _ in range(50):  # 5,000 events, at most
            params = {"dir": "b", "from": before, "to": since, "limit": "100"}
            page = await self._request("GET", f"{_API}/rooms/{quote(room, safe='')}/messages", params=params)
            found += page.get("chunk", [])
            before = page.get("end", "")
            if not before or not page.get("chunk"):
                break
        else:
            log.warning("more was said in %s than can be fetched: the oldest of it is passed over", room)
        return found[::-1]

    async def _event_in(self, room: str, event: Any) -> bool:
        if not isinstance(event, dict) or event.get("sender") == self._me:
            return True
        if event.get("type") == "m.room.member":
            self._members.pop(room, None)
        if event.get("type") == "m.room.encrypted":
            self._encrypted = True
        message = read(room, event)
        if message is None:
            return True
        if room not in self._members:
            told = await self._request("GET", f"{_API}/rooms/{quote(room, safe='')}/joined_members")
            self._members[room] = len(told.get("joined", {}))
        return (await self._host.receive(_in(message, self._members[room] > 2))).kept

    # --- Going out --------------------------------------------------------------------------------

    async def _event(self, room: str, key: str, content: dict[str, Any]) -> str:
        transaction = hashlib.sha256(key.encode()).hexdigest()[:40]
        path = f"{_API}/rooms/{quote(room, safe='')}/send/m.room.message/{transaction}"
        return str((await self._request("PUT", path, json=content)).get("event_id", ""))

    async def _request(self, method: str, path: str, *, raw: bool = False, **more: Any) -> Any:
        import httpx

        if self._client is None:
            raise Unreachable("Matrix is not connected")
        try:
            answer = await self._client.request(method, path, **more)
        except httpx.HTTPError as error:
            raise Unreachable(f"the homeserver cannot be reached, {type(error).__name__}") from error
        if answer.status_code == 429:
            raise Unreachable("the homeserver wants a pause", _after(answer))
        if answer.status_code >= 500:
            raise Unreachable(f"the homeserver answers {answer.status_code}")
        if answer.status_code >= 400:
            raise Refused(f"the homeserver answers {answer.status_code}")
        if raw:
            return answer.content
        try:
            told = answer.json()
        except ValueError as error:
            raise Failed("the homeserver's answer makes no sense") from error
        if not isinstance(told, dict):
            raise Failed("the homeserver's answer makes no sense")
        return told


def read(room: str, event: dict[str, Any]) -> Message | None:
    """An event as a message; None if it is none that could be a question, or makes no sense."""
    try:
        content = event["content"]
        if event["type"] != "m.room.message" or "state_key" in event:
            return None
        relation = content.get("m.relates_to", {})
        edited = relation.get("rel_type") == "m.replace"
        if edited:
            content = content["m.new_content"]
        kind, body = content["msgtype"], str(content["body"])
        attachments: tuple[Attachment, ...] = ()
        if kind in _FILES:
            # With a file name of its own, the body is a caption.
            name = str(content.get("filename", body))
            body = body if content.get("filename") not in (None, body) else ""
            attachments = (
                Attachment(_FILES[kind], name, int(content.get("info", {}).get("size", 0)), str(content["url"])),
            )
        elif kind != "m.text":
            return None
        if body.startswith("> ") and "m.in_reply_to" in relation:  # what is answered is repeated before the answer
            body = body.partition("\n\n")[2]
        body = words(body, attachments)
        if not body or not isinstance(event["sender"], str):
            return None
        reply = str(relation.get("m.in_reply_to", {}).get("event_id", ""))
        return Message(
            "matrix", event["sender"], body, attachments, room, str(event["event_id"]), reply,
            float(event.get("origin_server_ts", 0)) / 1000, edited, False, str(event["event_id"]),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _in(message: Message, group: bool) -> Message:
    return Message.from_json({**message.as_json(), "group": group})


def _text(text: str, reply: str, edits: str) -> dict[str, Any]:
    content: dict[str, Any] = {
        "msgtype": "m.text", "body": as_text(text), "format": "org.matrix.custom.html", "formatted_body": as_html(text, "<br>"),
    }  # fmt: skip
    if edits:
        return {
            **content,
            "body": f"* {content['body']}",
            "m.new_content": content,
            "m.relates_to": {"rel_type": "m.replace", "event_id": edits},
        }
    return {**content, "m.relates_to": {"m.in_reply_to": {"event_id": reply}}} if reply else content


def _after(answer: Any) -> float:
    try:
        return min(600.0, float(answer.json()["retry_after_ms"]) / 1000)
    except (ValueError, KeyError, TypeError):
        return 5.0
