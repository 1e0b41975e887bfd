"""Stanzas as messages. Pure: whatever strangers send gives a message or None."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit

from ...message import Message, words
from .files import named

_CORRECTION = "{urn:xmpp:message-correct:0}replace"
_ADDRESS = "{jabber:x:oob}x/{jabber:x:oob}url"
_USER = "{http://jabber.org/protocol/muc#user}"


def from_person(stanza: Any, place: str, when: float) -> Message | None:
    """What somebody said to the account itself. `place` is where it stands in the archive, `when` seconds since 1970, or 0."""
    sender = str(stanza["from"].bare)
    return _message(stanza, sender, sender, _said(stanza), place, when) if sender else None


def from_room(stanza: Any, sender: str, nick: str, place: str, when: float) -> Message | None:
    """What somebody, `sender`, said in a room to the account, which is called `nick` there; None if it was said to others."""
    room, said = str(stanza["from"].bare), _said(stanza)
    addressed = re.fullmatch(rf"@?{re.escape(nick)}(?:[:,]\s*|\s+)(.+)", said, re.DOTALL | re.IGNORECASE)
    if addressed is None or not room:
        return None
    return _message(stanza, sender, room, addressed[1], place, when, group=True)


def occupant(stanza: Any) -> str:
    """Who said what stands in the archive of a room where everybody sees who is who: what the room itself noted, which is there once."""
    notes = stanza.xml.findall(f"{_USER}x")
    items = notes[0].findall(f"{_USER}item") if len(notes) == 1 else []
    return str(items[0].get("jid") or "").partition("/")[0] if len(items) == 1 else ""


def _said(stanza: Any) -> str:
    return str(stanza["body"]).strip()


def _message(
    stanza: Any, sender: str, conversation: str, said: str, place: str, when: float, group: bool = False
) -> Message | None:
    address = stanza.xml.findtext(_ADDRESS) or ""
    try:
        attachments = (named(address),) if urlsplit(address).scheme == "https" else ()
    except ValueError:
        attachments = ()
    # Where there is nothing but a file, the body repeats its address for those who do not know better.
    content = words("" if attachments and said == address else said.removeprefix("/"), attachments)
    if not content:
        return None
    number = str(stanza["id"])
    return Message(
        "xmpp", sender, content, attachments, conversation, number, "", when,
        stanza.xml.find(_CORRECTION) is not None, group, place or f"{conversation}:{sender}:{number}",
    )  # fmt: skip
