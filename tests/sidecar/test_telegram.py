"""Telegram, against a double of its Bot API: what comes in and goes out, and what it does when Telegram misbehaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from closeread_sidecar.dispatcher import Refused, Unreachable
from closeread_sidecar.message import Answer, File
from closeread_sidecar.platforms import telegram
from sidecar.doubles.telegram import TOKEN, Telegram, flood
from sidecar.host import Recorder, adapting
from sidecar.running import Home, eventually, running, start, stop


@pytest.fixture
async def server() -> AsyncIterator[Telegram]:
    server = Telegram()
    await server.start()
    yield server
    await server.stop()


def adapter(server: Telegram, host: Recorder, token: str = TOKEN) -> telegram.Adapter:
    return telegram.Adapter(telegram.Settings.model_validate({"token": token, "base-url": server.url}), host)


async def test_what_is_said_becomes_neutral(server: Telegram) -> None:
    host = Recorder()
    server.say("/status@closeread_bot now")
    server.say("scan shop", chat=-100, message_thread_id=5, is_topic_message=True, reply_to_message={"message_id": 3})
    server.say("", caption="check this", document={"file_id": "f1", "file_name": "a.log", "file_size": 9})
    server.say("", caption="see", photo=[{"file_id": "s", "file_size": 1}, {"file_id": "l", "file_size": 2}])
    server.push({"update_id": 2000, "edited_message": {**server.say("status")["message"], "text": "status edited"}})
    async with adapting(adapter(server, host)):
        await eventually(lambda: len(host.received) == 6)
    first, group, document, photo, _, edited = host.received

    assert ("telegram", 7, "status now", "7", False) == (
        first.platform,
        first.sender_id,
        first.content,
        first.conversation,
        first.group,
    )
    assert ("-100/5", True, "3") == (group.conversation, group.group, group.reply_to)
    assert ("check this", "f1", "a.log", 9) == (
        document.content,
        *(getattr(document.attachments[0], n) for n in ("ref", "name", "size")),
    )
    assert ("image", "l") == (photo.attachments[0].kind, photo.attachments[0].ref)
    assert (True, "status edited") == (edited.edited, edited.content)
    assert len({message.key for message in host.received}) == 6


async def test_the_offset_follows_the_queue(server: Telegram) -> None:
    host = Recorder()
    host.full = True
    update = server.say("status")
    async with adapting(adapter(server, host)):
        await eventually(lambda: server.offsets)
        await asyncio.sleep(0.3)
        assert ({}, [update]) == (host.notes, server.updates)
        host.full = False
        await eventually(lambda: host.said == ["status"])
        await eventually(lambda: host.notes == {"telegram:offset": str(update["update_id"] + 1)})
    again = Recorder()
    again.notes = host.notes
    async with adapting(adapter(server, again)):
        await eventually(lambda: server.offsets[-1] == update["update_id"] + 1)

    assert again.received == []


async def test_what_makes_no_sense_costs_itself_alone(server: Telegram) -> None:
    host = Recorder()
    for update in (
        {"update_id": 1, "message": 5},
        {"update_id": 2},
        "nothing",
        {"update_id": 3, "message": {"text": "x", "chat": {}}},
    ):
        server.push(update)
    server.say("status")
    async with adapting(adapter(server, host)):
        await eventually(lambda: host.said == ["status"])


@pytest.mark.parametrize(
    "trouble", [(429, flood(1)), (502, "<html>"), (200, "not JSON"), (409, {"description": "Conflict"}), (0, 0.5)]
)
async def test_it_goes_on_after_trouble(server: Telegram, trouble: tuple[int, object]) -> None:
    host = Recorder()
    server.trouble = [("getupdates", *trouble), ("getme", 500, {"description": "Internal"})]
    server.say("status")
    async with adapting(adapter(server, host)):
        await eventually(lambda: host.said == ["status"])


async def test_a_wrong_token_is_for_good(server: Telegram) -> None:
    from telegram.error import InvalidToken

    with pytest.raises(InvalidToken):
        await adapter(server, Recorder(), "1:wrong" + "x" * 30).run()


async def test_answers_files_and_edits(server: Telegram) -> None:
    host = Recorder()
    server.files["f1"] = b"log"
    server.say("x", document={"file_id": "f1", "file_name": "a.log"})
    async with adapting(adapter(server, host)) as bot:
        await eventually(lambda: host.received)
        message = host.received[0]
        shown = await bot.progress(message, "reading", "")
        await bot.progress(message, "still reading", shown)
        answer = Answer(
            "7", "**shop**: `a<b>`\n```\nx = 1\n```", "k", message.message_id, shown, (File("r.txt", b"report"),)
        )
        await bot.send(answer)
        long = await bot.send(Answer("7", "line\n" * 2000, "k2"))
        file = await bot.fetch(message, message.attachments[0])
    texts = [sent.get("text") for sent in server.sent]

    assert ["reading", "still reading", "<b>shop</b>: <code>a&lt;b&gt;</code>\n<pre>x = 1</pre>"] == texts[:3]
    assert ("r.txt", b"report") == (server.sent[3]["document"], server.sent[3]["data"])
    assert [3, True] == [len(texts[4:]), bool(long)]
    assert ("a.log", b"log") == (file.name, file.data)


async def test_how_sending_fails(server: Telegram) -> None:
    async with adapting(adapter(server, Recorder())) as bot:
        await eventually(lambda: bot.state == "connected")
        server.trouble = [("sendmessage", 429, flood(7))]
        with pytest.raises(Unreachable) as caught:
            await bot.send(Answer("7", "x", "k"))
        assert caught.value.after == 7
        server.trouble = [("sendmessage", 403, {"description": "Forbidden: bot was blocked by the user"})]
        with pytest.raises(Refused):
            await bot.send(Answer("7", "x", "k"))
        server.trouble = [("sendmessage", 0, 0.1)]
        with pytest.raises(Unreachable):
            await bot.send(Answer("7", "x", "k"))
        server.trouble = [("sendmessage", 500, {"description": "no"})]
        with pytest.raises(Unreachable):
            await bot.send(Answer("7", "x", "k"))


SETTINGS = """
gateway: {{port: 0}}
platforms:
  telegram: {{token: '{token}', base-url: '{url}', allow: [7]{more}}}
"""


async def test_the_whole_way_and_a_kill_in_between(server: Telegram, tmp_path: Path) -> None:
    """Told twice by Telegram, killed before it could answer: answered once."""
    home = Home(tmp_path / "home", SETTINGS.format(token=TOKEN, url=server.url, more=""), SLOW, slow=SLOWLY)
    server.repeat = True
    server.say(f"slow {tmp_path / 'go'}")
    process, _ = await asyncio.to_thread(start, home)
    await eventually(lambda: "leased" in home.command("queue", "list").stdout)
    await asyncio.to_thread(stop, process, kill=True)
    process, _ = await asyncio.to_thread(start, home)
    (tmp_path / "go").touch()  # only now can it come to an answer
    try:
        await eventually(lambda: any("answer " in sent.get("text", "") for sent in server.sent))
        await asyncio.sleep(0.5)
    finally:
        await asyncio.to_thread(stop, process)

    assert 1 == sum("answer " in sent.get("text", "") for sent in server.sent)
    assert "1 task" not in home.command("queue", "list").stdout


SLOW = "routes: [{pattern: 'slow*', handler: slow.py, timeout: 20s}]\n"
SLOWLY = """
import os, time
def handle(task):
    while not os.path.exists(task.argument):
        time.sleep(0.05)
    return "answer it is"
"""


async def test_strangers_are_not_answered_and_a_code_lets_in(server: Telegram, tmp_path: Path) -> None:
    home = Home(tmp_path / "home", SETTINGS.format(token=TOKEN, url=server.url, more=""))
    with running(home):
        server.say("status", sender=666)
        server.say("my secret words", sender=666)
        server.say("status", sender=7, chat=-100)
        await eventually(lambda: "the group is not on the allow-list" in home.command("audit", "export").stdout)
        assert [] == [call for call in server.calls if call not in ("getme", "getupdates")]
        log = home.command("audit", "export").stdout
        assert ('"why": "the sender is not on the allow-list"' in log, "secret words" in log) == (True, False)
        code = home.command("sidecar", "pair", "telegram").stdout.strip()
        server.say("AAAA-AAAA", sender=667)
        server.say(code.lower(), sender=666)
        await eventually(lambda: any("paired" in sent.get("text", "") for sent in server.sent))
        server.say(code, sender=668)
        server.say("status", sender=666)
        await eventually(lambda: any("waiting" in sent.get("text", "") for sent in server.sent))
        home.command("sidecar", "unpair", "telegram", "666")
        server.say("status", sender=666)
        await asyncio.sleep(0.7)

    assert {666} == {sent["chat"] for sent in server.sent}
    assert 2 == len(server.sent)
