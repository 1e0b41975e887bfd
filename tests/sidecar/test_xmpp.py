"""XMPP, against a real server: prosody, with TLS, archives, rooms, a place for files, and three users."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from slixmpp.exceptions import IqError

import needs
from closeread_sidecar.dispatcher import Refused
from closeread_sidecar.message import Answer, Attachment, File
from closeread_sidecar.platforms import xmpp
from sidecar.certificates import self_signed
from sidecar.host import Recorder, adapting
from sidecar.running import Home, eventually, running

CONFIGURATION = """
pidfile = "{folder}/prosody.pid"
data_path = "{folder}/data"
plugin_paths = {{}}
run_as_root = true
daemonize = false
interfaces = {{ "127.0.0.1" }}
c2s_ports = {{ {port} }}
s2s_ports = {{ }}
http_ports = {{ }}
https_ports = {{ {https} }}
https_interfaces = {{ "127.0.0.1" }}
https_certificate = "{certificate}"
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "mam", "carbons" }}
modules_disabled = {{ "s2s", "offline" }}
c2s_require_encryption = true
authentication = "internal_hashed"
archive_expires_after = "1d"
default_archive_policy = true
log = {{ warn = "{folder}/prosody.log" }}
ssl = {{ certificate = "{certificate}", key = "{key}" }}
VirtualHost "localhost"
Component "rooms.localhost" "muc"
    modules_enabled = {{ "muc_mam" }}
    muc_log_by_default = true
    restrict_room_creation = false
Component "files.localhost" "http_file_share"
    http_host = "localhost"
    http_external_url = "https://localhost:{https}/"
"""


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PORT, HTTPS = _free(), _free()
"""Of prosody, in this process of pytest."""

OPEN, HIDING = "open@rooms.localhost", "hiding@rooms.localhost"
"""Rooms: in one everybody sees who is who."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The certificate of a running prosody, where bot and ann are users."""
    program = needs.program("prosody", "apt-get install prosody")
    folder = tmp_path_factory.mktemp("prosody")
    certificate, key = self_signed(folder, "localhost")
    (folder / "prosody.cfg.lua").write_text(
        CONFIGURATION.format(folder=folder, port=PORT, https=HTTPS, certificate=certificate, key=key)
    )
    (folder / "data").mkdir()
    environment = {**os.environ, "PROSODY_CONFIG": str(folder / "prosody.cfg.lua")}
    config = ["--config", str(folder / "prosody.cfg.lua")]
    folder.chmod(0o755)
    for name in ("bot", "ann", "eve"):
        command = ["prosodyctl", *config, "--root", "register", name, "localhost", f"{name}-password"]
        subprocess.run(command, check=True, capture_output=True, env=environment)
    process = subprocess.Popen(
        [str(program), *config, "--root", "-F"], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, env=environment
    )
    try:
        _await_port(process, folder)
        yield certificate
    finally:
        process.terminate()
        process.wait(10)


def _await_port(process: subprocess.Popen[bytes], folder: Path) -> None:
    for _ in range(200):
        assert process.poll() is None, (
            (folder / "prosody.log").read_text() if (folder / "prosody.log").exists() else "it ended"
        )
        try:
            socket.create_connection(("127.0.0.1", PORT), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("prosody does not listen")


class User:
    """Somebody with an XMPP client."""

    def __init__(self, name: str, certificate: Path) -> None:
        from slixmpp import ClientXMPP

        self.heard: list[tuple[str, str]] = []
        self.client: Any = ClientXMPP(f"{name}@localhost/phone", f"{name}-password")
        self.client.ca_certs = str(certificate)
        for plugin in ("xep_0004", "xep_0030", "xep_0045", "xep_0066", "xep_0308", "xep_0363"):
            self.client.register_plugin(plugin)
        self.up = asyncio.Event()
        self.down = asyncio.Event()
        self.client.add_event_handler("session_start", self._start)
        self.client.add_event_handler("disconnected", lambda _: self.down.set())
        self.client.add_event_handler("message", self._hear)

    def _start(self, _: Any) -> None:
        self.client.send_presence()
        self.up.set()

    def _hear(self, stanza: Any) -> None:
        correction = stanza.xml.find("{urn:xmpp:message-correct:0}replace")
        self.heard.append((str(stanza["body"]), "" if correction is None else str(correction.get("id"))))

    async def __aenter__(self) -> User:
        self.client.connect("127.0.0.1", PORT)
        await asyncio.wait_for(self.up.wait(), 15)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.client.disconnect()
        await asyncio.wait_for(self.down.wait(), 5)
        await asyncio.sleep(0.05)

    def say(self, text: str, to: str = "bot@localhost", file: str = "") -> None:
        stanza = self.client.make_message(mto=to, mbody=text, mtype="groupchat" if to in (OPEN, HIDING) else "chat")
        if file:
            stanza["oob"]["url"] = file
        stanza.send()

    async def enter(self, room: str, nick: str = "") -> None:
        """Join a room; who makes it decides whether everybody sees who is who."""
        rooms = self.client.plugin["xep_0045"]
        await rooms.join_muc_wait(room, nick or self.client.boundjid.user, maxchars=0, timeout=10)
        form = self.client.plugin["xep_0004"].make_form(ftype="submit")
        form.add_field(var="FORM_TYPE", ftype="hidden", value="http://jabber.org/protocol/muc#roomconfig")
        form.add_field(var="muc#roomconfig_whois", value="anyone" if room == OPEN else "moderators")
        with contextlib.suppress(IqError):  # somebody else's room
            await rooms.set_room_config(room, form)


@pytest.fixture
async def ann(server: Path) -> AsyncIterator[User]:
    async with User("ann", server) as user:
        yield user


def bot(server: Path, host: Recorder, password: str = "bot-password", **changes: Any) -> xmpp.Adapter:
    settings = {
        "jid": "bot@localhost",
        "password": password,
        "host": "127.0.0.1",
        "port": PORT,
        "ca": str(server),
        **changes,
    }
    return xmpp.Adapter(xmpp.Settings.model_validate(settings), host)


async def test_hear_answer_and_correct(server: Path, ann: User) -> None:
    host = Recorder()
    async with adapting(bot(server, host)) as adapter:
        await eventually(lambda: adapter._up.is_set())
        ann.say("/scan shop")
        await eventually(lambda: host.received)
        message = host.received[0]
        assert ("xmpp", "ann@localhost", "scan shop") == (message.platform, message.sender_id, message.content)
        shown = await adapter.progress(message, "looking", "")
        await adapter.send(Answer(message.conversation, "**3** findings", message.key, message.message_id, shown))
        await eventually(lambda: len(ann.heard) == 2)

    assert [("looking", ""), ("*3* findings", shown)] == ann.heard


async def test_what_came_while_we_were_away_is_heard_once_and_in_order(server: Path, ann: User) -> None:
    host = Recorder()
    async with adapting(bot(server, host)) as adapter:
        await eventually(lambda: adapter._up.is_set())
        ann.say("first")
        await eventually(lambda: "first" in host.said and host.notes)
    for number in range(60):  # more than a page of the archive
        ann.say(f"away {number}")
    await asyncio.sleep(0.5)
    async with adapting(bot(server, host)) as adapter:
        await eventually(lambda: adapter._up.is_set())
        ann.say("last")
        await eventually(lambda: "last" in host.said)

    assert ["first", *(f"away {number}" for number in range(60)), "last"] == host.said[
        -62:
    ]  # the archive counts in seconds: what came just before may be there too


async def test_in_a_room_a_person_counts_and_no_nickname(server: Path, ann: User) -> None:
    host = Recorder()
    host.notes = {f"xmpp:archive:{room}": "since:2020-01-01T00:00:00+00:00" for room in (OPEN, HIDING)}
    async with User("eve", server) as eve:
        for room in (OPEN, HIDING):
            await ann.enter(room)
            await eve.enter(room, "Ann")  # all but a nickname of somebody else
        ann.say("bot: before you came", OPEN)
        await asyncio.sleep(0.3)
        async with adapting(bot(server, host, conversations=[OPEN, HIDING])) as adapter:
            await eventually(lambda: adapter._up.is_set())
            assert f"connected, but {HIDING} hides who speaks" == adapter.state
            ann.say("talk among people", OPEN)
            for number, (who, text, room) in enumerate(
                [(ann, "bot: scan shop", OPEN), (eve, "bot, status", OPEN), (ann, "bot: who am I", HIDING)]
            ):
                who.say(text, room)
                await eventually(lambda number=number: len(host.received) == 2 + number)
            await adapter.send(Answer(OPEN, "**3** findings", "k"))
            await eventually(lambda: ("*3* findings", "") in ann.heard)
            assert adapter.state.startswith("connected")

    assert [
        ("ann@localhost", OPEN, "before you came"),
        ("ann@localhost", OPEN, "scan shop"),
        ("eve@localhost", OPEN, "status"),
        (f"unknown in {HIDING}", HIDING, "who am I"),
    ] == [(message.sender_id, message.conversation, message.content) for message in host.received]
    assert all(message.group for message in host.received)


async def test_what_was_said_in_a_room_while_we_were_away_is_heard_once(server: Path, ann: User) -> None:
    host = Recorder()
    await ann.enter(OPEN)
    async with adapting(bot(server, host, conversations=[OPEN])) as adapter:
        await eventually(lambda: adapter._up.is_set())
        ann.say("bot: first", OPEN)
        await eventually(lambda: "first" in host.said and not host.notes[f"xmpp:archive:{OPEN}"].startswith("since:"))
    for number in range(60):
        ann.say(f"bot: away {number}", OPEN)
    # What claims in a message's own words to be the room's note of who spoke is not believed.
    forged = ann.client.make_message(mto=OPEN, mbody="bot: forged", mtype="groupchat")
    forged.append(ET.fromstring('<x xmlns="http://jabber.org/protocol/muc#user"><item jid="boss@localhost"/></x>'))
    forged.send()
    await asyncio.sleep(0.5)
    async with adapting(bot(server, host, conversations=[OPEN])) as adapter:
        await eventually(lambda: "forged" in host.said)
    told = [message for message in host.received if message.content.startswith(("first", "away"))]

    assert ["first", *(f"away {number}" for number in range(60))] == list(dict.fromkeys(m.content for m in told))
    assert 61 == len({message.key for message in told})
    assert "boss@localhost" not in {message.sender_id for message in host.received}


async def test_files_go_both_ways_by_the_servers_own_place(server: Path, ann: User) -> None:
    host = Recorder()
    async with adapting(bot(server, host)) as adapter:
        await eventually(lambda: adapter._up.is_set())
        await adapter.send(Answer("ann@localhost", "here it is", "k", files=(File("re port.bin", b"\x00report\xff"),)))
        await eventually(lambda: len(ann.heard) == 2)
        address = ann.heard[1][0]
        assert address.startswith(f"https://localhost:{HTTPS}/") and address.endswith("re_port.bin")
        ann.say("check_logs", file=address)
        ann.say(address, file=address)
        await eventually(lambda: len(host.received) == 2)
        assert ["check_logs", "file re_port.bin"] == host.said
        file = await adapter.fetch(host.received[0], host.received[0].attachments[0])
        assert ("re_port.bin", b"\x00report\xff") == (file.name, file.data)
        for other in ("http://localhost/x", "https://example.org/x", "https://evillocalhost/x", "file:///etc/passwd"):
            with pytest.raises(Refused, match="not the server's"):
                await adapter.fetch(host.received[0], Attachment("file", "x", 0, other))
        with pytest.raises(Refused, match="404"):
            await adapter.fetch(host.received[0], Attachment("file", "x", 0, f"https://localhost:{HTTPS}/nothing"))


async def test_a_wrong_password_and_a_stranger_to_the_certificate(server: Path, tmp_path: Path) -> None:
    with pytest.raises(PermissionError):
        await asyncio.wait_for(bot(server, Recorder(), "wrong").run(), 20)
    other, _ = self_signed(tmp_path, "localhost")
    async with adapting(bot(other, Recorder())) as adapter:
        await asyncio.sleep(1.5)
        assert not adapter._up.is_set()


async def test_the_whole_way(server: Path, ann: User, tmp_path: Path) -> None:
    """A sidecar, a server and two people; one of them is not allowed, and sees nothing."""
    settings = f"""
gateway: {{port: 0}}
platforms:
  xmpp: {{jid: bot@localhost, password: bot-password, host: 127.0.0.1, port: {PORT}, ca: {server}, allow: [ann@localhost]}}
"""
    home = Home(tmp_path / "home", settings)
    async with User("eve", server) as eve:
        with running(home) as process:
            assert process.poll() is None
            await asyncio.sleep(1.5)
            eve.say("status")
            ann.say("status")
            await eventually(lambda: any("waiting" in text for text, _ in ann.heard))

        assert eve.heard == []
    assert sys.platform != "win32"
