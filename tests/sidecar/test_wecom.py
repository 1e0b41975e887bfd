"""WeCom, both ways: the robot's long connection and the self-built application, each against a double that misbehaves."""

from __future__ import annotations

import asyncio
import base64
import os
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from pydantic import ValidationError

from closeread_sidecar.dispatcher import Failed, Refused, Unreachable
from closeread_sidecar.message import Answer, Attachment, File
from closeread_sidecar.platforms import wecom_app, wecom_robot
from sidecar.doubles.wecom import Application, Robot
from sidecar.host import Recorder, adapting
from sidecar.running import eventually

KEY = base64.b64encode(bytes(range(32))).decode().rstrip("=")

# --- The robot -------------------------------------------------------------------------------------


@pytest.fixture
async def robot() -> AsyncIterator[Robot]:
    robot = Robot()
    await robot.start()
    yield robot
    await robot.stop()


def of(robot: Robot, host: Recorder, heartbeat: float = 30) -> wecom_robot.Adapter:
    settings = {"bot-id": "bot", "secret": "robot-secret", "url": robot.url, "heartbeat": heartbeat}
    return wecom_robot.Adapter(wecom_robot.Settings.model_validate(settings), host)


async def test_it_subscribes_hears_and_streams(robot: Robot) -> None:
    host = Recorder()
    async with adapting(of(robot, host)) as adapter:
        await eventually(lambda: adapter.state == "connected")
        assert {"bot_id": "bot", "secret": "robot-secret"} == robot.commands("aibot_subscribe")[0]["body"]
        await robot.say("status")
        await robot.say("@closeread scan shop", number="m2", chat="g1")
        await robot.push("aibot_event_callback", {"msgtype": "event", "event": {"eventtype": "enter_chat"}})
        await eventually(lambda: len(host.received) == 2)
        single, group = host.received
        assert ("ann", "ann", False, "status") == (single.sender_id, single.conversation, single.group, single.content)
        assert ("g1", True, "scan shop") == (group.conversation, group.group, group.content)
        shown = await adapter.progress(single, "looking", "")
        context = single.context
        await adapter.send(Answer("ann", "done", single.key, "", shown, (File("r.txt", b"report"),), context))
    first, last = (frame["body"]["stream"] for frame in robot.commands("aibot_respond_msg"))

    assert (False, True, first["id"]) == (first["finish"], last["finish"], last["id"])
    assert context["req_id"] == robot.commands("aibot_respond_msg")[0]["headers"]["req_id"]
    assert {"chatid": "ann", "msgtype": "file", "file": {"media_id": "media1"}} == robot.commands("aibot_send_msg")[0][
        "body"
    ]


@pytest.mark.parametrize("end", ["close", "abort", "no pongs"])
async def test_it_comes_back_however_it_ended(robot: Robot, end: str) -> None:
    host = Recorder()
    async with adapting(of(robot, host, 0.2 if end == "no pongs" else 30)) as adapter:
        await eventually(lambda: adapter.state == "connected")
        if end == "close":
            await robot.close()
        elif end == "abort":
            robot.abort()
        else:
            robot.mute = True
            await eventually(lambda: robot.connections == 2)
            robot.mute = False
        await eventually(lambda: robot.connections >= 2 and adapter.state == "connected")
        await robot.say("status")
        await eventually(lambda: host.said == ["status"])
        # The callback of an old connection cannot be answered any more: a message of its own is sent.
        await adapter.send(Answer("ann", "late", "k", context={"req_id": "old", "session": "old"}))

    assert "late" == robot.commands("aibot_send_msg")[0]["body"]["markdown"]["content"]


async def test_another_connection_is_not_fought(robot: Robot) -> None:
    adapter = of(robot, Recorder())
    task = asyncio.create_task(adapter.run())
    await eventually(lambda: adapter.state == "connected")
    await robot.push("aibot_event_callback", {"event": {"eventtype": "disconnected_event"}})
    with pytest.raises(BaseException) as caught:
        await asyncio.wait_for(task, 5)

    assert "Replaced" in repr(caught.value)
    assert (1, "replaced by another connection") == (robot.connections, adapter.state)


async def test_wrong_secrets_and_silence(robot: Robot) -> None:
    robot.refuse = True
    async with adapting(of(robot, Recorder())) as adapter:
        await eventually(lambda: robot.connections >= 2)  # it tries again, more slowly each time
        robot.refuse = False
        await eventually(lambda: adapter.state == "connected")
        robot.acknowledge = False
        wecom_robot._ACK, before = 0.2, wecom_robot._ACK
        try:
            with pytest.raises(Unreachable, match="did not acknowledge"):
                await adapter._command("aibot_send_msg", {}, wait=0.2)
        finally:
            wecom_robot._ACK = before


async def test_it_answers_slowly_too_often_or_too_late(robot: Robot) -> None:
    host = Recorder()
    async with adapting(of(robot, host)) as adapter:
        await eventually(lambda: adapter.state == "connected")
        await robot.say("status")
        await robot.say("status")  # WeCom says it again when it was not answered in time
        await eventually(lambda: len(host.received) == 2)
        first, again = host.received
        assert first.key == again.key  # which is what makes it harmless
        answer = Answer("ann", "done", first.key, context=first.context)
        robot.slow = 0.3
        await adapter.send(answer)
        robot.slow, robot.errors = 0.0, [45009]
        with pytest.raises(Unreachable) as caught:
            await adapter.send(answer)
        assert caught.value.after == 60
        robot.errors = [846608]  # the stream was open for too long: it is said in a message of its own
        await adapter.send(answer)
        assert "done" == robot.commands("aibot_send_msg")[0]["body"]["markdown"]["content"]
        robot.errors = [40058]
        with pytest.raises(Failed, match="40058"):
            await adapter.send(answer)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{", "null", '{"headers": 5}', '{"cmd": "aibot_msg_callback", "headers": {"req_id": 1}, "body": 3}'],
)
async def test_the_robot_survives_nonsense(robot: Robot, text: str) -> None:
    host = Recorder()
    async with adapting(of(robot, host)) as adapter:
        await eventually(lambda: adapter.state == "connected")
        await robot.raw(text)
        await robot.say("status")
        await eventually(lambda: host.said == ["status"])
        assert robot.connections == 1


async def test_media_is_decrypted_and_only_fetched_from_wecom(robot: Robot) -> None:
    key = os.urandom(32)
    encryptor = Cipher(algorithms.AES256(key), modes.CBC(key[:16])).encryptor()
    data = encryptor.update(b"a log" + bytes([27]) * 27) + encryptor.finalize()
    application = web.Application()

    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=data)

    application.router.add_get("/f", serve)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host = Recorder()
    async with adapting(of(robot, host)) as adapter:
        await eventually(lambda: adapter.state == "connected")
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/f"
        image = {"msgtype": "file", "file": {"url": url, "aeskey": base64.b64encode(key).decode()}}
        await robot.say(
            "", msgtype="mixed", mixed={"msg_item": [{"msgtype": "text", "text": {"content": "check"}}, image]}
        )
        await eventually(lambda: host.said == ["check"])
        message = host.received[0]
        assert b"a log" == (await adapter.fetch(message, message.attachments[0])).data
        for url in (
            "http://169.254.169.254/x",
            "https://example.org/x",
            "https://evilqq.com.example/x",
            "file:///etc/passwd",
        ):
            with pytest.raises(Refused, match="not WeCom's"):
                await adapter.fetch(message, Attachment("file", "x", 0, f'{{"url": "{url}"}}'))
    await runner.cleanup()


# --- The application -------------------------------------------------------------------------------

APP: dict[str, Any] = {
    "corp-id": "corp1", "agent-id": 1, "secret": "app-secret", "token": "callback-token", "encoding-aes-key": KEY,
    "domain": "chat.example.org", "trusted-ips": ["203.0.113.0/24"], "port": 0,
}  # fmt: skip


@pytest.fixture
async def wecom() -> AsyncIterator[Application]:
    wecom = Application("callback-token", KEY, "corp1")
    await wecom.start()
    yield wecom
    await wecom.stop()


def application(wecom: Application, host: Recorder, **changes: Any) -> wecom_app.Adapter:
    return wecom_app.Adapter(wecom_app.Settings.model_validate({**APP, "base-url": wecom.url, **changes}), host)


async def test_what_wecom_says_comes_in(wecom: Application) -> None:
    host = Recorder()
    async with adapting(application(wecom, host)) as adapter:
        await eventually(lambda: adapter.state == "listening")
        assert 1 == await wecom.call(adapter.port, "", verify=True, xml="echo")
        assert 200 == await wecom.call(adapter.port, "status", number=5)
        assert ("wecom_app", "ann", "status", "wecom_app:5") == (
            host.received[0].platform, host.received[0].sender_id, host.received[0].content, host.received[0].key,
        )  # fmt: skip
        host.full = True
        assert 503 == await wecom.call(adapter.port, "status")


OTHER = wecom_app.Envelope("callback-token", KEY, "corp2")
LOL = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;">]><xml><Encrypt>&b;</Encrypt></xml>'


@pytest.mark.parametrize(
    "spoiled",
    [
        {"signature": "0" * 40},
        {"signature": ""},
        {"query": {"timestamp": "1600000000"}},
        {"query": {"timestamp": str(int(time.time()) + 4000)}},
        {"query": {"timestamp": "now"}},
        {"headers": {"X-Forwarded-For": "198.51.100.1"}},
        {"headers": {"X-Forwarded-For": "203.0.113.9, 198.51.100.1"}},
        {"headers": {"X-Forwarded-For": "nobody"}},
        {"headers": {"X-Forwarded-For": ""}},
        {"headers": {"Host": "evil.example.org"}},
        {"envelope": OTHER},
        {"body": "<xml>"},
        {"body": LOL},
        {"body": "<xml><Encrypt>AAAA</Encrypt></xml>"},
        {"xml": "not XML"},
        {"xml": LOL},
    ],
)
async def test_nothing_else_comes_in(wecom: Application, spoiled: dict[str, Any]) -> None:
    host = Recorder()
    async with adapting(application(wecom, host)) as adapter:
        await eventually(lambda: adapter.state == "listening")
        assert 403 == await wecom.call(adapter.port, "status", **spoiled)

    assert (0, 1) == (len(host.received), len(host.refusals))


async def test_a_replay_is_refused_and_nobody_is_trusted_by_default(wecom: Application) -> None:
    host = Recorder()
    async with adapting(application(wecom, host)) as adapter:
        await eventually(lambda: adapter.state == "listening")
        query = {"nonce": "n1", "timestamp": str(int(time.time()))}
        assert 200 == await wecom.call(adapter.port, "status", query=query)
        assert 403 == await wecom.call(adapter.port, "status", query=query)
    async with adapting(application(wecom, host, **{"trusted-ips": []})) as adapter:
        await eventually(lambda: adapter.state.startswith("listening, but no address"))
        assert 403 == await wecom.call(adapter.port, "status")

    assert len(host.received) == 1
    assert ["it was sent before", "the address is not trusted"] == host.refusals


@pytest.mark.parametrize("blank", ["encoding-aes-key", "token", "secret", "corp-id", "domain"])
def test_a_blank_key_refuses_to_start(blank: str) -> None:
    with pytest.raises(ValidationError):
        wecom_app.Settings.model_validate({**APP, blank: ""})


async def test_images_come_in_and_files_go_out(wecom: Application) -> None:
    host = Recorder()
    async with adapting(application(wecom, host)) as adapter:
        await eventually(lambda: adapter.state == "listening")
        wecom.media["m1"] = b"a picture"
        image = (
            "<xml><FromUserName>ann</FromUserName><MsgType>image</MsgType><MediaId>m1</MediaId><MsgId>9</MsgId></xml>"
        )
        assert [200, 200] == [await wecom.call(adapter.port, "", xml=image) for _ in range(2)]  # WeCom says it again
        first, again = host.received
        assert ("image image.jpg", "wecom_app:9", first.key) == (first.content, first.key, again.key)
        assert b"a picture" == (await adapter.fetch(first, first.attachments[0])).data
        with pytest.raises(Failed, match="40007"):
            await adapter.fetch(first, Attachment("image", "x", 0, "nothing"))
        event = "<xml><FromUserName>ann</FromUserName><MsgType>event</MsgType><Event>enter_agent</Event></xml>"
        assert 200 == await wecom.call(adapter.port, "", xml=event)
        await adapter.send(Answer("ann", "**a**\n```\nx = 1\n```", "k", files=(File("r.txt", b"report"),)))

    assert 2 == len(host.received)
    assert [{"content": "**a**\n> x = 1"}, {"media_id": "up1-r.txt"}] == [
        s.get("markdown") or s["file"] for s in wecom.sent
    ]
    assert b"report" == wecom.media["up1-r.txt"]


async def test_sending_and_how_it_fails(wecom: Application) -> None:
    async with adapting(application(wecom, Recorder())) as adapter:
        await eventually(lambda: adapter.state == "listening")
        await adapter.send(Answer("ann", "**x** `y`", "k"))
        assert ("ann", "**x** `y`", 1) == (
            wecom.sent[0]["touser"],
            wecom.sent[0]["markdown"]["content"],
            wecom.sent[0]["enable_duplicate_check"],
        )
        wecom.trouble = [{"errcode": 42001, "errmsg": "expired"}]
        await adapter.send(Answer("ann", "again", "k"))
        assert (2, 2) == (wecom.tokens, len(wecom.sent))
        for trouble, kind in [
            (429, Unreachable),
            (500, Unreachable),
            ({"errcode": 45009}, Unreachable),
            ({"errcode": 40003}, Failed),
            ("<html>", Failed),
            ("[]", Failed),
            (None, Unreachable),
        ]:
            wecom.trouble = [trouble]
            with pytest.raises(kind):
                await adapter.send(Answer("ann", "x", "k"))
        wecom.trouble = [0.3]
        await adapter.send(Answer("ann", "slowly", "k"))
        adapter._client.timeout = 0.2
        wecom.trouble = [1.0]
        with pytest.raises(Unreachable, match="ReadTimeout"):
            await adapter.send(Answer("ann", "too slowly", "k"))
        adapter._client.timeout = 20
        wecom.trouble = [{"errcode": 60020, "errmsg": "not allow to access from your ip"}]
        with pytest.raises(Unreachable, match="60020"):
            await adapter.send(Answer("ann", "x", "k"))

        assert "trusted IPs" in adapter.state
