"""Matrix, against a real homeserver: synapse, with SQLite, on loopback. `install-synapse` brings it."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

import needs
from closeread_sidecar.dispatcher import Refused
from closeread_sidecar.message import Answer, File
from closeread_sidecar.platforms import matrix
from sidecar.host import Recorder, adapting
from sidecar.running import eventually

INSTALL = Path(__file__).with_name("install-synapse")
API = "/_matrix/client/v3"


class User:
    """Somebody with a Matrix client."""

    def __init__(self, url: str, name: str) -> None:
        self.id = f"@{name}:localhost"
        self.http = httpx.Client(base_url=url, timeout=60, trust_env=False)
        body = {"username": name, "password": f"{name}-password", "auth": {"type": "m.login.dummy"}}
        self.token = self.call("POST", f"{API}/register", body)["access_token"]
        self.http.headers["Authorization"] = f"Bearer {self.token}"
        self._number = 0

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> dict[str, Any]:
        answer = self.http.request(method, path, json=body, **more)
        answer.raise_for_status()
        return dict(answer.json())

    def room(self, *guests: str) -> str:
        return str(
            self.call("POST", f"{API}/createRoom", {"invite": guests, "preset": "private_chat", "is_direct": True})[
                "room_id"
            ]
        )

    def say(self, room: str, body: str, **content: Any) -> str:
        self._number += 1
        event = {"msgtype": "m.text", "body": body, **content}
        return str(self.call("PUT", f"{API}/rooms/{room}/send/m.room.message/{self._number}", event)["event_id"])

    def heard(self, room: str, sender: str) -> list[dict[str, Any]]:
        """What somebody said in a room, oldest first."""
        told = self.call("GET", f"{API}/rooms/{room}/messages", params={"dir": "b", "limit": "100"})["chunk"][::-1]
        return [each["content"] for each in told if each["sender"] == sender and each["type"] == "m.room.message"]

    def members(self, room: str) -> list[str]:
        return list(self.call("GET", f"{API}/rooms/{room}/joined_members")["joined"])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    python = needs.installed(INSTALL, "tests/sidecar/install-synapse") / "bin" / "python"
    folder = tmp_path_factory.mktemp("synapse")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    lenient = {"per_second": 1000, "burst_count": 1000}
    resources = [{"names": ["client"], "compress": False}]
    settings = {
        "server_name": "localhost", "report_stats": False, "pid_file": f"{folder}/pid", "media_store_path": f"{folder}/media",
        "listeners": [{"port": port, "tls": False, "type": "http", "bind_addresses": ["127.0.0.1"], "resources": resources}],
        "database": {"name": "sqlite3", "args": {"database": f"{folder}/homeserver.db"}},
        "signing_key_path": f"{folder}/signing.key", "macaroon_secret_key": "for a test", "form_secret": "for a test",
        "enable_registration": True, "enable_registration_without_verification": True, "trusted_key_servers": [],
        "suppress_key_server_warning": True, "rc_message": lenient, "rc_registration": lenient,
        "rc_invites": {"per_room": lenient, "per_user": lenient, "per_issuer": lenient},
        "rc_joins": {"local": lenient, "remote": lenient},
    }  # fmt: skip
    (folder / "homeserver.yaml").write_text(json.dumps(settings))  # which is YAML too
    command = [python, "-m", "synapse.app.homeserver", "--config-path", folder / "homeserver.yaml"]
    subprocess.run([*command, "--generate-keys"], check=True, cwd=folder, capture_output=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(1200):
            assert process.poll() is None, (folder / "log").read_text()[-3000:]
            try:
                httpx.get(f"{address}/_matrix/client/versions", timeout=5, trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.1)
        yield address
    finally:
        process.kill()
        process.wait()


def of(url: str, host: Recorder, token: str) -> matrix.Adapter:
    settings = {"homeserver": url, "access-token": token, "allow": ["@ann:localhost"]}
    return matrix.Adapter(matrix.Settings.model_validate(settings), host)


async def test_a_real_homeserver(url: str) -> None:
    """In one test, because to start it takes longest: invitations, both directions, edits, files, a repetition, and what came meanwhile."""
    bot, ann, eve = [await asyncio.to_thread(User, url, name) for name in ("closeread", "ann", "eve")]
    host = Recorder()
    async with adapting(of(url, host, bot.token)) as adapter:
        await eventually(lambda: adapter.state == "connected" and host.notes)
        room, other = ann.room(bot.id), eve.room(bot.id)
        for _ in range(300):
            if bot.id in await asyncio.to_thread(ann.members, room):
                break
            await asyncio.sleep(0.1)
        asked = await asyncio.to_thread(ann.say, room, "scan shop")
        await eventually(lambda: host.said == ["scan shop"])
        message = host.received[0]
        assert ("@ann:localhost", room, asked, False) == (
            message.sender_id,
            message.conversation,
            message.message_id,
            message.group,
        )
        shown = await adapter.progress(message, "looking", "")
        answer = Answer(room, "**3** findings", message.key, asked, shown, (File("r.txt", b"report"),))
        await adapter.send(answer)
        await adapter.send(answer)  # again, as after a kill: the homeserver knows it
        looking, edit, file = await asyncio.to_thread(ann.heard, room, bot.id)
        assert ("looking", "3 findings", "r.txt") == (looking["body"], edit["m.new_content"]["body"], file["body"])
        assert {"rel_type": "m.replace", "event_id": shown} == edit["m.relates_to"]
        up = ann.call("POST", "/_matrix/media/v3/upload?filename=a.log", content=b"a log")["content_uri"]
        ann.say(room, "check_logs", msgtype="m.file", filename="a.log", url=up, info={"size": 5})
        await eventually(lambda: "check_logs" in host.said)
        assert b"a log" == (await adapter.fetch(host.received[1], host.received[1].attachments[0])).data
        assert bot.id not in await asyncio.to_thread(eve.members, other)
    for number in range(150):  # more than one answer of /sync holds, and more than one page of what it left out
        await asyncio.to_thread(ann.say, room, f"away {number}")
    async with adapting(of(url, host, bot.token)):
        await eventually(lambda: len(host.received) == 152)
    with pytest.raises(Refused):
        await of(url, host, "wrong").run()

    assert [f"away {number}" for number in range(150)] == host.said[2:]
    for user in (bot, ann, eve):
        user.http.close()
