"""XMPP, against a real server: prosody, with TLS, an archive and two users."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

import needs
from closeread_sidecar.message import Answer
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
https_ports = {{ }}
modules_enabled = {{ "roster", "saslauth", "tls", "disco", "ping", "mam", "carbons" }}
modules_disabled = {{ "s2s", "offline" }}
c2s_require_encryption = true
authentication = "internal_hashed"
archive_expires_after = "1d"
default_archive_policy = true
log = {{ warn = "{folder}/prosody.log" }}
ssl = {{ certificate = "{certificate}", key = "{key}" }}
VirtualHost "localhost"
"""


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


PORT = _free()
"""Of prosody, in this process of pytest."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The certificate of a running prosody, where bot and ann are users."""
    program = needs.program("prosody", "apt-get install prosody")
    folder = tmp_path_factory.mktemp("prosody")
    certificate, key = self_signed(folder, "localhost")
    (folder / "prosody.cfg.lua").write_text(
        CONFIGURATION.format(folder=folder, port=PORT, certificate=certificate, key=key)
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
        self.client.register_plugin("xep_0308")
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

    def say(self, text: str) -> None:
        self.client.send_message(mto="bot@localhost", mbody=text, mtype="chat")


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
