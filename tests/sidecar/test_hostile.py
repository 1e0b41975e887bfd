"""Whatever strangers send: each platform's reader gives a message or None, and nothing else; a file is a model or one complaint."""

from __future__ import annotations

import contextlib
import json
import random
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from closeread_sidecar import configuration
from closeread_sidecar.configuration import ConfigurationError
from closeread_sidecar.dialects import as_html, as_quoted
from closeread_sidecar.message import File, Message
from closeread_sidecar.platforms import matrix, pieces, telegram, wecom_app, wecom_robot
from closeread_sidecar.platforms.xmpp import reading
from closeread_sidecar.redaction import Redaction
from closeread_sidecar.routes import File as Routes
from closeread_sidecar.settings import Settings

NASTY: tuple[Any, ...] = (
    None, True, -1, 1 << 70, 1.5, float("nan"), "", "x" * 10_000, "\x00", "\ud800", "../../etc", [], {}, [[]], [None], {"": None},
    {"id": "x"}, "m.replace", "group", "mixed", "https://[", "mxc://",
)  # fmt: skip
TELEGRAM = {
    "update_id": 5, "message": {
        "message_id": 3, "date": 1, "text": "/status@bot now", "chat": {"id": -1, "type": "group"}, "from": {"id": 7},
        "caption": "c", "photo": [{"file_id": "a", "file_size": 1}], "document": {"file_id": "d", "file_name": "n", "file_size": 2},
        "reply_to_message": {"message_id": 1}, "is_topic_message": True, "message_thread_id": 4,
    },
}  # fmt: skip
ROBOT = {
    "headers": {"req_id": "r"}, "body": {
        "msgid": "m", "chattype": "group", "chatid": "g", "from": {"userid": "ann"}, "msgtype": "mixed", "create_time": 1,
        "mixed": {"msg_item": [
            {"msgtype": "text", "text": {"content": "@bot x"}}, {"msgtype": "file", "file": {"url": "https://x", "aeskey": "k"}},
        ]},
    },
}  # fmt: skip
MATRIX = {
    "type": "m.room.message", "sender": "@ann:x", "event_id": "$1", "origin_server_ts": 1, "content": {
        "msgtype": "m.file", "body": "b", "filename": "f", "url": "mxc://x/y", "info": {"size": 3},
        "m.new_content": {"msgtype": "m.text", "body": "n"},
        "m.relates_to": {"rel_type": "m.replace", "m.in_reply_to": {"event_id": "$0"}},
    },
}  # fmt: skip


def places(thing: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def spoiled(thing: Any, chance: random.Random) -> Any:
    """A copy in which some places are missing, or hold what nobody expects."""
    thing = json.loads(json.dumps(thing))
    for path in chance.sample(places(thing)[1:], chance.randint(1, 3)):
        inner = thing
        with contextlib.suppress(KeyError, IndexError, TypeError):  # an earlier one took it away
            for key in path[:-1]:
                inner = inner[key]
            if chance.random() < 0.2:
                del inner[path[-1]]
            else:
                inner[path[-1]] = chance.choice(NASTY)
    return thing


@pytest.mark.parametrize(
    ("read", "sample"),
    [
        (telegram.read, TELEGRAM),
        (lambda thing: wecom_robot.read(thing, "s"), ROBOT),
        (lambda thing: matrix.read("!r", thing), MATRIX),
    ],
    ids=["telegram", "wecom_robot", "matrix"],
)
def test_readers_of_json(read: Callable[[Any], Message | None], sample: Any) -> None:
    chance, found = random.Random(8), []
    assert read(sample) is not None
    for _ in range(3000):
        message = read(spoiled(sample, chance))
        if message is not None:
            assert Message.from_json(json.loads(json.dumps(message.as_json()))).key == message.key
            found.append(message)

    assert 100 < len(found) < 3000  # both ends were seen


STANZA = (
    '<message xmlns="jabber:client" type="{type}" from="{from_}" id="{id}"><body>{body}</body>'
    '<replace xmlns="urn:xmpp:message-correct:0" id="x"/><x xmlns="jabber:x:oob"><url>{url}</url></x>'
    '<x xmlns="http://jabber.org/protocol/muc#user"><item jid="{jid}"/></x></message>'
)
APP = (
    "<xml><FromUserName>{from_}</FromUserName><CreateTime>{id}</CreateTime><MsgType>{type}</MsgType><Content>{body}</Content>"
    "<MediaId>{url}</MediaId><MsgId>{jid}</MsgId></xml>"
)
WORDS = ("", "bot: x", "bot", "BOT,\n\n", "/", "ann@localhost", "a@b/c", "@", "/x", "https://[", "https://a/%00%ff", "5", "image", "text",
         "chat", "groupchat", "9" * 400, "\u2028", "(" * 50)  # fmt: skip


def cut(text: str, chance: random.Random) -> str:
    """The text, now and then without some of it."""
    start = chance.randrange(len(text))
    return text if chance.random() < 0.7 else text[:start] + text[start + chance.randrange(40) :]


def test_readers_of_xml() -> None:
    from slixmpp.stanza import Message as Stanza

    chance, found = random.Random(8), []
    for _ in range(3000):
        filled = {name: chance.choice(WORDS) for name in ("type", "from_", "id", "body", "url", "jid")}
        for template in (STANZA, APP):
            try:
                element = ET.fromstring(cut(template.format(**filled), chance))
            except ET.ParseError:
                continue
            if template is APP:
                found.append(wecom_app.read(element))
                continue
            try:
                stanza: Any = Stanza(xml=element)
                str(stanza["from"])
            except ValueError:  # no address: the library drops it before we see it
                continue
            found += [
                reading.from_person(stanza, "", 0.0),
                reading.from_room(stanza, reading.occupant(stanza), "bot", "", 0.0),
            ]
    messages = [message for message in found if message is not None]

    assert 100 < len(messages) < len(found)
    assert all(message.content.strip() for message in messages)


SETTINGS = (
    "workspaces: {shop: /srv/shop}\ngateway: {host: 127.0.0.1, port: 0, origins: [a]}\n"
    "queue: {redis: 'redis://127.0.0.1', keep-days: 3}\n"
    "collector: {url: 'https://example.org/', key: secret-of-ours}\nplatforms: {telegram: {token: secret-of-ours, allow: [1]}}\n"
)
ROUTES = "routes:\n  - pattern: 'x*'\n    handler: a.py\n    timeout: 30s\n    platforms: [telegram]\nbuiltin: [scan]\n"


@pytest.mark.parametrize(
    ("text", "model"), [(SETTINGS, Settings), (ROUTES, Routes)], ids=["sidecar.yaml", "routes.yaml"]
)
def test_a_file_is_a_model_or_one_message_without_a_value(tmp_path: Path, text: str, model: Any) -> None:
    chance, said, path = random.Random(8), set(), tmp_path / "file.yaml"
    for _ in range(250):
        data = bytearray(text.encode())
        for _ in range(chance.randint(1, 4)):
            place = chance.randrange(len(data))
            data[place : place + chance.randint(0, 3)] = chance.choice(
                [b"", b"\x00", b"\xff", b"{", b": ", b"&a ", b"*a", b"\t", b"[]"]
            )
        path.write_bytes(data)
        try:
            configuration.load(path, model)
        except ConfigurationError as error:
            said.add(str(error))

    assert len(said) > 10  # both ends were seen
    assert not [line for line in said if "secret-of-ours" in line or "\n" in line]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("<>&\"'*`\n a/b"), max_size=200))
def test_no_markup_but_ours(text: str) -> None:
    as_quoted(text)
    bare = as_html(text)
    for tag in ("b", "code", "pre"):
        assert bare.count(f"<{tag}>") == bare.count(f"</{tag}>")
        bare = bare.replace(f"<{tag}>", "").replace(f"</{tag}>", "")

    assert "<" not in bare


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab \n\r\u2028é\U0001f642"), max_size=300), st.integers(1, 50))
def test_pieces_lose_nothing_but_line_ends_where_they_are_cut(text: str, most: int) -> None:
    found = pieces(text, most)

    assert all(len(piece) <= most for piece in found)
    assert "".join(found).replace("\n", "") == text.replace("\n", "")


@pytest.mark.parametrize(
    "secret",
    [
        "AKIAABCDEFGHIJKLMNOP",
        "ghp_" + "a1" * 18,
        "glpat-" + "x" * 20,
        "xoxb-123456789012-abcdef",
        "123456789:" + "A" * 35,
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
        "own-secret",
    ],
)
def test_secrets_are_redacted_wherever_they_stand(secret: str) -> None:
    redaction = Redaction(["own-secret"], ["chat"])
    shown = redaction.text(f"found `{secret}` at a.py:3", "chat")
    file = redaction.file(File(f"{secret}.txt", f"found {secret}".encode()), "")

    assert "found `[redacted]` at a.py:3" == shown
    assert file is not None and secret not in file.name and secret.encode() not in file.data


def test_what_is_no_text_stays_unless_the_channel_was_opted_in() -> None:
    redaction, file = Redaction([], ["chat"]), File("a.png", b"\x89PNG\xff")

    assert (None, file) == (redaction.file(file, "gateway"), redaction.file(file, "chat"))
