"""Matrix, against a double of a homeserver (no real one: synapse is too large to install for every test run)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from closeread_sidecar.dispatcher import Refused, Unreachable
from closeread_sidecar.message import Answer, Attachment
from closeread_sidecar.platforms import matrix
from sidecar.doubles.matrix import Homeserver
from sidecar.host import Recorder, adapting
from sidecar.running import eventually


@pytest.fixture
async def server() -> AsyncIterator[Homeserver]:
    server = Homeserver()
    await server.start()
    yield server
    await server.stop()


def of(server: Homeserver, host: Recorder, token: str = "matrix-token") -> matrix.Adapter:
    settings = {"homeserver": server.url, "access-token": token, "allow": ["@ann:example.org"]}
    return matrix.Adapter(matrix.Settings.model_validate(settings), host)


async def test_what_is_said_from_now_on_comes_in(server: Homeserver) -> None:
    host = Recorder()
    server.say("before we came")
    async with adapting(of(server, host)) as adapter:
        await eventually(lambda: adapter.state == "connected" and host.notes)
        server.say("status")
        server.say("a.log", msgtype="m.file", url="mxc://example.org/abc", filename="a.log", info={"size": 5})
        server.say(
            "* scan",
            **{"m.new_content": {"msgtype": "m.text", "body": "scan shop"}, "m.relates_to": {"rel_type": "m.replace"}},
        )
        server.say("> old\n\nnew", **{"m.relates_to": {"m.in_reply_to": {"event_id": "$x"}}})
        server.events.append(
            {"type": "m.room.encrypted", "sender": "@ann:example.org", "content": {}, "event_id": "$enc"}
        )
        await eventually(lambda: host.said == ["status", "file a.log", "scan shop", "new"])
        await eventually(lambda: adapter.state == "connected, but a room is encrypted")

    assert [False, False, True, False] == [message.edited for message in host.received]
    assert (False, "$x") == (host.received[0].group, host.received[3].reply_to)


async def test_what_a_limited_answer_left_out_is_fetched(server: Homeserver) -> None:
    host = Recorder()
    host.notes = {"matrix:since": "0"}
    server.window = 3
    for number in range(10):
        server.say(f"say {number}")
    server.members.append("@bob:example.org")
    async with adapting(of(server, host)):
        await eventually(lambda: len(host.received) == 10)

    assert [f"say {number}" for number in range(10)] == host.said
    assert host.received[0].group


async def test_a_full_queue_keeps_the_place(server: Homeserver) -> None:
    host = Recorder()
    host.notes, host.full = {"matrix:since": "0"}, True
    server.say("status")
    async with adapting(of(server, host)):
        await asyncio.sleep(0.4)
        assert {"matrix:since": "0"} == host.notes
        host.full = False
        await eventually(lambda: host.notes == {"matrix:since": "1"})

    assert ["status"] == host.said


async def test_only_the_allowed_invite(server: Homeserver) -> None:
    server.invites = [("!a:example.org", "@mallory:example.org"), ("!b:example.org", "@ann:example.org")]
    async with adapting(of(server, Recorder())):
        await eventually(lambda: server.joined)

    assert ["!b:example.org"] == server.joined


async def test_an_answer_that_is_sent_again_is_one(server: Homeserver) -> None:
    async with adapting(of(server, Recorder())) as adapter:
        await eventually(lambda: adapter.state == "connected")
        answer = Answer("!room:example.org", "**a** <b>", "key", "$e1")
        await adapter.send(answer)
        await adapter.send(answer)
        data = (await adapter.fetch(None, Attachment("file", "x", 0, "mxc://example.org/abc"))).data
        with pytest.raises(Refused):
            await adapter.fetch(None, Attachment("file", "x", 0, "https://example.org/abc"))
    (sent,) = server.sent.values()

    assert (1, "a <b>", "<b>a</b> &lt;b&gt;") == (server.repeats, sent["body"], sent["formatted_body"])
    assert b"a file of abc" == data


async def test_trouble_and_a_wrong_token(server: Homeserver) -> None:
    server.trouble = [429, 500]
    host = Recorder()
    host.notes = {"matrix:since": "0"}
    server.say("status")
    async with adapting(of(server, host)):
        await eventually(lambda: host.said == ["status"])
    with pytest.raises(Refused):
        await of(server, host, "wrong").run()
    with pytest.raises(Unreachable):
        await of(server, host).send(Answer("!r", "x", "k"))
