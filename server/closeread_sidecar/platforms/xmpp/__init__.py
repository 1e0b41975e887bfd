"""XMPP, as a client of the user's own server, always with TLS, whose certificate is checked.

    reading.py  stanzas as messages
    files.py    a place for files, both ways

Messages to a client are not kept by the server once they were handed over, so the server's archive is asked for what came while we
were away, or was handed over and not committed (XEP-0313): the place in it (XEP-0359) is kept after the queue has committed. Where the
server has no archive, `status` says so. An answer counts as delivered once the server has answered a ping that was sent after it: the
stream keeps order.

The rooms of `conversations` are joined (XEP-0045), and asked for what came meanwhile in the same way. A nickname is not who somebody is:
in rooms, too, the address of a person counts, as the room itself tells it, and where a room hides it nobody is heard. What does
not begin with the account's name is talk among people.

Deliberately absent: end-to-end encryption; whispers in rooms.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import ssl
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, SecretStr, field_validator

from ...dialects import as_styling
from ...dispatcher import Unreachable
from ...message import Answer, Attachment, File, Message
from ...settings import Channel, filled
from .. import Host, pieces
from . import reading
from .files import Files

log = logging.getLogger(__name__)

_PLACE = "xmpp:archive"
_SINCE = "since:"
_LONGEST = 20_000
_PATIENCE = 20.0


class Settings(Channel):
    """What XMPP needs."""

    jid: Annotated[str, Field(pattern=r"^[^@/\s]+@[^@/\s]+$")]
    password: SecretStr
    host: str = ""
    """Where the server is, if not where its name says."""

    port: Annotated[int, Field(ge=1, le=65535)] = 5222
    ca: Path | None = None
    """The authority that signed its certificate, if it is one of your own (PEM)."""

    media_hosts: tuple[str, ...] = ()
    """Hosts other than the account's domain where files lie that may be fetched."""

    _filled = field_validator("password")(filled)

    @field_validator("allow", "conversations")
    @classmethod
    def _bare(cls, names: tuple[int | str, ...]) -> tuple[int | str, ...]:
        for name in names:
            if "/" in str(name):
                raise ValueError("must be addresses without a resource or nickname (what follows a `/`)")
        return names


class Adapter:
    """See platforms.Platform."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._client: Any = None
        self._files: Files | None = None
        self._rooms = {str(room).lower() for room in settings.conversations}
        self._name = settings.jid.partition("@")[0]
        self._up = asyncio.Event()
        self._caught: set[str] = set()
        """What the archives told since this session began: it may have been handed over too."""
        self._inbox: asyncio.Queue[tuple[Any, str, str] | None] = asyncio.Queue(1000)
        self.state = "connecting"

    async def run(self) -> None:
        """See platforms.Platform. Raises PermissionError if the server does not know the password."""
        pause = 1.0
        while True:
            try:
                ended = await self._connection()
            except Exception as error:  # the library raises what it likes
                log.warning("the XMPP connection failed: %s: %s", type(error).__name__, error)
                ended = "failed"
            if ended == "refused":
                self.state = "refused (the password)"
                raise PermissionError("the server does not take the password")
            if self._up.is_set():
                pause = 1.0
            self._up.clear()
            self.state = "waiting (disconnected)"
            await asyncio.sleep(pause)
            pause = min(30.0, pause * 2)

    async def send(self, answer: Answer) -> str:
        """See platforms.Platform."""
        text, addresses = answer.text, []
        for file in answer.files:
            address = await self._connected().put(file)
            if address:
                addresses.append(address)
            else:  # the server has no place for files: what is readable goes into the message
                text += f"\n\n{file.name}:\n```\n{file.data.decode('utf-8', 'replace')}\n```"
        first = ""
        for number, part in enumerate(pieces(as_styling(text), _LONGEST)):
            first = (
                self._say(answer.conversation, part, f"{answer.key}:{number}", answer.edits if number == 0 else "")
                or first
            )
        for number, address in enumerate(addresses):
            self._say(answer.conversation, address, f"{answer.key}:file{number}", "", address)
        await self._flush()
        return first

    async def progress(self, message: Message, text: str, previous: str) -> str:
        """See platforms.Platform. Later ones correct the first (XEP-0308)."""
        made = self._say(
            message.conversation, text[:_LONGEST], f"{message.key}:{asyncio.get_running_loop().time()}", previous
        )
        return previous or made

    async def fetch(self, message: Message, attachment: Attachment) -> File:
        """See platforms.Platform."""
        return await self._connected().get(attachment)

    def _connected(self) -> Files:
        if self._files is None or not self._up.is_set():
            raise Unreachable("XMPP is not connected")
        return self._files

    # --- The connection ---------------------------------------------------------------------------

    async def _connection(self) -> str:
        from slixmpp import ClientXMPP

        ended: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def end(why: str) -> None:
            if not ended.done():
                ended.set_result(why)

        client: Any = ClientXMPP(f"{self._settings.jid}/closeread", self._settings.password.get_secret_value())
        client.enable_plaintext = False
        client.ca_certs = str(self._settings.ca) if self._settings.ca else ssl.get_default_verify_paths().cafile
        for plugin in ("xep_0030", "xep_0045", "xep_0066", "xep_0199", "xep_0308", "xep_0313", "xep_0359", "xep_0363"):
            client.register_plugin(plugin)
        client.add_event_handler("session_start", lambda _: self._inbox.put_nowait(None))
        client.add_event_handler("message", lambda stanza: self._arrived(client, stanza))
        client.add_event_handler("disconnected", lambda _: end("disconnected"))
        for event in ("failed_all_auth", "no_auth"):
            client.add_event_handler(event, lambda _: end("refused"))
        # "connection_failed" is one way to connect of several: the library tries the next, and again.
        while not self._inbox.empty():
            self._inbox.get_nowait()
        self._client = client
        own = self._settings.jid.partition("@")[2].lower()
        self._files = Files(client, (own, *map(str.lower, self._settings.media_hosts)), self._settings.ca)
        if self._settings.host:
            client.connect(self._settings.host, self._settings.port)
        else:
            client.connect()
        worker = asyncio.ensure_future(self._work(client))
        try:
            both: set[asyncio.Future[Any]] = {ended, worker}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            if worker.done():
                worker.result()
            return ended.result() if ended.done() else "failed"
        finally:
            self._client = self._files = None
            worker.cancel()
            client.abort()
            await asyncio.gather(worker, return_exceptions=True)
            await asyncio.sleep(0)

    def _arrived(self, client: Any, stanza: Any) -> None:
        kind, who = stanza["type"], stanza["from"]
        room = str(who.bare).lower()
        by = room if kind == "groupchat" else client.boundjid.bare
        if (
            not stanza["body"]
            or kind not in ("chat", "normal", "groupchat")
            or (kind != "groupchat" and room in self._rooms)
        ):
            return
        sender = ""
        if kind == "groupchat":
            old = stanza.xml.find("{urn:xmpp:delay}delay") is not None  # the archive has it
            if old or room not in self._rooms or who.resource == self._name:
                return
            # Now, and not when its turn comes: somebody else may be called that by then.
            sender = str(client.plugin["xep_0045"].get_jid_property(who.bare, who.resource, "jid") or "").partition(
                "/"
            )[0]
        own = str(stanza["stanza_id"]["by"]).partition("/")[0].lower() == by.lower()  # others' numbers prove nothing
        try:
            self._inbox.put_nowait((stanza, sender, str(stanza["stanza_id"]["id"]) if own else ""))
        except asyncio.QueueFull:  # it is in the archive, which is asked after the next start of a session
            client.abort()

    async def _work(self, client: Any) -> None:
        """Commit what came, in order: first what the archives have, then what comes."""
        while True:
            item = await self._inbox.get()
            if item is None:
                client.send_presence()  # first: what comes from here on is handed over, what came before is in the archive
                self._caught.clear()
                hidden = await self._catch_up(client)
                self._up.set()
                self.state = "connected" + (f", but {'; '.join(hidden)}" if hidden else "")
                continue
            stanza, sender, place = item
            if place and place in self._caught:
                continue
            room = str(stanza["from"].bare).lower() if stanza["type"] == "groupchat" else ""
            if room:
                message = reading.from_room(
                    stanza, sender or f"unknown in {room}", self._name, _unique(room, place), 0.0
                )
            else:
                message = reading.from_person(stanza, place, 0.0)
            await self._take_in(client, message, room, place)

    async def _catch_up(self, client: Any) -> list[str]:
        """What the archives have after our place in them; gives what could not be had, in words."""
        from slixmpp.exceptions import IqError, IqTimeout, PresenceError

        missing = []
        try:
            await self._read_archive(client, "")
        except (IqError, IqTimeout):
            missing.append("the server has no archive")
        for room in sorted(self._rooms):
            try:
                await client.plugin["xep_0045"].join_muc_wait(room, self._name, maxchars=0, timeout=_PATIENCE)
                about = await client.plugin["xep_0030"].get_info(jid=room, timeout=_PATIENCE)
                if "muc_nonanonymous" not in about["disco_info"]["features"]:
                    missing.append(f"{room} hides who speaks")
                else:
                    await self._read_archive(client, room)
            except (PresenceError, TimeoutError) as error:
                missing.append(f"{room} cannot be joined ({getattr(error, 'condition', 'no answer')})")
            except (IqError, IqTimeout):
                missing.append(f"{room} has no archive")
        return missing

    async def _read_archive(self, client: Any, room: str) -> None:
        """The account's own, or a room's. The first time, what was said before we came is passed over."""
        name = f"{_PLACE}:{room}" if room else _PLACE
        place = await self._host.recall(name)
        if not place:
            place = f"{_SINCE}{datetime.now(UTC).isoformat()}"
            await self._host.remember(name, place)
        while True:
            at_time = place.startswith(_SINCE)
            start = datetime.fromisoformat(place.removeprefix(_SINCE)) if at_time else None
            rsm = {"max": 50} if at_time else {"max": 50, "after": place}
            archive = client.plugin["xep_0313"]
            page = await archive.retrieve(jid=room or None, start=start, rsm=rsm, timeout=_PATIENCE)
            found = list(page["mam_fin"]["results"] or page["mam"]["results"])
            for result in found:
                kept = result["mam_result"]
                stanza, place = kept["forwarded"]["stanza"], str(kept["id"])
                self._caught.add(place)
                when = kept["forwarded"]["delay"]["stamp"].timestamp()
                if not stanza["body"]:
                    continue
                if room:
                    sender = reading.occupant(stanza) or f"unknown in {room}"
                    message = reading.from_room(stanza, sender, self._name, _unique(room, place), when)
                else:
                    own = stanza["from"].bare in (client.boundjid.bare, *self._rooms)
                    message = None if own else reading.from_person(stanza, place, when)
                await self._take_in(client, message, room, place)
            if len(found) < 50:
                return

    async def _take_in(self, client: Any, message: Message | None, room: str, place: str) -> None:
        if message is not None:
            receipt = await self._host.receive(message)
            if not receipt.kept:
                if self._up.is_set() and place:  # it stays in the archive; we come back for it
                    await asyncio.sleep(2)
                    client.abort()
                    return
                self._say(message.conversation, receipt.events[-1]["text"], f"{message.key}:busy", "")
        if place:
            await self._host.remember(f"{_PLACE}:{room}" if room else _PLACE, place)

    def _say(self, to: str, text: str, key: str, edits: str, address: str = "") -> str:
        if self._client is None or not self._up.is_set():
            raise Unreachable("XMPP is not connected")
        stanza = self._client.make_message(
            mto=to, mbody=text, mtype="groupchat" if to.lower() in self._rooms else "chat"
        )
        stanza["id"] = hashlib.sha256(key.encode()).hexdigest()[:32]
        if edits:
            stanza["replace"]["id"] = edits
        if address:
            stanza["oob"]["url"] = address
        stanza.send()
        return str(stanza["id"])

    async def _flush(self) -> None:
        from slixmpp.exceptions import IqError, IqTimeout

        client = self._client
        if client is None:
            raise Unreachable("XMPP is not connected")
        try:
            await asyncio.wait_for(
                client.plugin["xep_0199"].send_ping(client.boundjid.host, timeout=_PATIENCE), _PATIENCE + 5
            )
        except IqError:
            return  # it does not know pings, but it has answered
        except (IqTimeout, TimeoutError) as error:
            raise Unreachable("the XMPP server does not answer") from error


def _unique(room: str, place: str) -> str:
    # A room numbers its own messages, so that a number alone could be another's.
    return f"{room}:{place}" if place else ""
