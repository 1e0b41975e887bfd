"""XMPP, as a client of the user's own server, always with TLS, whose certificate is checked.

Messages to a client are not kept by the server once they were handed over, so the server's archive is asked for what came while we
were away, or was handed over and not committed (XEP-0313): the place in it (XEP-0359) is kept after the queue has committed. Where the
server has no archive, `status` says so. An answer counts as delivered once the server has answered a ping that was sent after it: the
stream keeps order.

Deliberately absent: rooms, since a nickname is not who somebody is; end-to-end encryption; and fetching files from addresses that a
message names.
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

from ..dialects import as_styling
from ..dispatcher import Refused, Unreachable
from ..message import Answer, Attachment, File, Message
from ..settings import Channel, filled
from . import Host, pieces

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

    _filled = field_validator("password")(filled)


class Adapter:
    """See platforms.Platform."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._client: Any = None
        self._up = asyncio.Event()
        self._inbox: asyncio.Queue[tuple[Any, str] | None] = asyncio.Queue(1000)
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
        text = answer.text
        for file in answer.files:  # no upload: what is readable goes into the message
            text += f"\n\n{file.name}:\n```\n{file.data.decode('utf-8', 'replace')}\n```"
        first = ""
        for number, part in enumerate(pieces(as_styling(text), _LONGEST)):
            first = (
                self._say(answer.conversation, part, f"{answer.key}:{number}", answer.edits if number == 0 else "")
                or first
            )
        await self._flush()
        return first

    async def progress(self, message: Message, text: str, previous: str) -> str:
        """See platforms.Platform. Later ones correct the first (XEP-0308)."""
        made = self._say(
            message.conversation, text[:_LONGEST], f"{message.key}:{asyncio.get_running_loop().time()}", previous
        )
        return previous or made

    async def fetch(self, message: Message, attachment: Attachment) -> File:
        """Never: the address is the sender's choice."""
        raise Refused("files are not fetched over XMPP")

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
        for plugin in ("xep_0030", "xep_0199", "xep_0308", "xep_0313", "xep_0359"):
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
            self._client = None
            worker.cancel()
            client.abort()
            await asyncio.gather(worker, return_exceptions=True)
            await asyncio.sleep(0)

    def _arrived(self, client: Any, stanza: Any) -> None:
        if stanza["type"] in ("chat", "normal") and stanza["body"]:
            own = str(stanza["stanza_id"]["by"]).split("/")[0] == client.boundjid.bare  # others' numbers prove nothing
            try:
                self._inbox.put_nowait((stanza, str(stanza["stanza_id"]["id"]) if own else ""))
            except asyncio.QueueFull:  # it is in the archive, which is asked after the next start of a session
                client.abort()

    async def _work(self, client: Any) -> None:
        """Commit what came, in order: first what the archive has, then what comes."""
        while True:
            item = await self._inbox.get()
            if item is None:
                await self._catch_up(client)
                client.send_presence()
                self._up.set()
                continue
            stanza, place = item
            await self._take_in(client, stanza, place, 0.0)

    async def _catch_up(self, client: Any) -> None:
        """What the archive has after our place in it; the first time, what was said before we came is passed over."""
        from slixmpp.exceptions import IqError, IqTimeout

        self.state = "connected"
        place = await self._host.recall(_PLACE)
        if not place:
            place = f"{_SINCE}{datetime.now(UTC).isoformat()}"
            await self._host.remember(_PLACE, place)
        try:
            while True:
                at_time = place.startswith(_SINCE)
                start = datetime.fromisoformat(place.removeprefix(_SINCE)) if at_time else None
                rsm = {"max": 50} if at_time else {"max": 50, "after": place}
                page = await client.plugin["xep_0313"].retrieve(start=start, rsm=rsm, timeout=_PATIENCE)
                found = list(page["mam_fin"]["results"] or page["mam"]["results"])
                for result in found:
                    kept = result["mam_result"]
                    stanza, place = kept["forwarded"]["stanza"], str(kept["id"])
                    if stanza["body"] and stanza["from"].bare != client.boundjid.bare:
                        await self._take_in(client, stanza, place, kept["forwarded"]["delay"]["stamp"].timestamp())
                if len(found) < 50:
                    return
        except (IqError, IqTimeout):
            self.state = "connected, but the server has no archive"

    async def _take_in(self, client: Any, stanza: Any, place: str, when: float) -> None:
        message = read(stanza, place, when)
        if message is not None:
            receipt = await self._host.receive(message)
            if not receipt.kept:
                if self._up.is_set() and place:  # it stays in the archive; we come back for it
                    await asyncio.sleep(2)
                    client.abort()
                    return
                self._say(message.conversation, receipt.events[-1]["text"], f"{message.key}:busy", "")
        if place:
            await self._host.remember(_PLACE, place)

    def _say(self, to: str, text: str, key: str, edits: str) -> str:
        if self._client is None or not self._up.is_set():
            raise Unreachable("XMPP is not connected")
        stanza = self._client.make_message(mto=to, mbody=text, mtype="chat")
        stanza["id"] = hashlib.sha256(key.encode()).hexdigest()[:32]
        if edits:
            stanza["replace"]["id"] = edits
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


def read(stanza: Any, place: str, when: float) -> Message | None:
    """A stanza as a message; None if it makes no sense."""
    sender = stanza["from"].bare
    content = str(stanza["body"]).strip()
    if not sender or not content:
        return None
    if content.startswith("/"):
        content = content[1:]
    edited = stanza.xml.find("{urn:xmpp:message-correct:0}replace") is not None
    unique = place or f"{sender}:{stanza['id']}"
    return Message("xmpp", sender, content, (), sender, str(stanza["id"]), "", when, edited, False, unique)
