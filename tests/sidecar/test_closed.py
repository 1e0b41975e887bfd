"""Every default is closed: each test tries to open one.

| default | who tries to open it |
| --- | --- |
| off without a file | `test_off_without_a_file`, `test_parent.test_without_a_file_nothing_is_started` |
| loopback; elsewhere only with TLS, and the token there too | `test_settings_that_open_too_much_...`, `test_another_address_has_tls_...` |
| token, Host, Origin | `test_who_is_not_let_in`, `test_a_reload_reads_everybodys_token_anew_...` |
| modes of files | `test_files_that_others_can_read_are_refused` |
| no folder may be scanned | `test_no_folder_may_be_scanned`, `test_handlers` |
| handlers: no network, limits, never a workspace's | `test_a_handler_has_no_network_...`, `test_limits_...`, `test_a_handler_is_...` |
| code and secrets do not leave | `test_secrets_and_code_do_not_leave`, `test_leaving` |
| an empty allow-list is nobody; groups; pairing codes; rates | `test_policy`, `test_telegram.test_strangers_are_not_answered_...` |
| WeCom's application: blank keys, IPs, domain, replay | `test_wecom.test_a_blank_...`, `test_nothing_else_comes_in`, `test_a_replay_...` |
| collector, Redis, platforms: https (or this machine) | `test_settings_that_open_too_much_are_refused` |
| a bounded queue | `test_progress_cancel_busy_...`, `test_disk`, `test_entries.test_full_is_said_...` |
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import ssl
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import websockets

from closeread_sidecar.configuration import ConfigurationError
from closeread_sidecar.routes import Routes
from closeread_sidecar.service import Service
from closeread_sidecar.settings import Home as Place
from closeread_sidecar.settings import read
from sidecar.certificates import self_signed
from sidecar.running import Home, connected, eventually, running, start, stop

ECHO = "def handle(task):\n    return task.argument\n"
SOCKET = """
import socket
def handle(task):
    for address in [("127.0.0.1", int(task.argument)), ("192.0.2.1", 80)]:
        try:
            socket.create_connection(address, 1)
            yield "open"
        except OSError as error:
            yield f"closed"
"""
ROUTES = """
routes:
  - {pattern: 'echo*', handler: echo.py, timeout: 10s}
  - {pattern: 'connect*', handler: connect.py, timeout: 10s}
  - {pattern: 'sleep*', handler: sleep.py, timeout: 1s}
  - {pattern: 'long*', handler: sleep.py, timeout: 30s}
  - {pattern: 'memory', handler: memory.py, timeout: 20s}
  - {pattern: 'output', handler: output.py, timeout: 20s}
  - {pattern: 'secret', handler: secret.py, timeout: 20s}
"""
HANDLERS = {
    "echo": ECHO,
    "connect": SOCKET,
    "sleep": "import time\ndef handle(task):\n    task.progress('sleeping')\n    time.sleep(20)\n",
    "memory": "def handle(task):\n    return str(len(bytearray(3 << 30)))\n",
    "output": "def handle(task):\n    while True:\n        yield 'x' * 10000\n",
    "secret": "def handle(task):\n    return 'password = hunter2secret\\n```\\nx = eval(y)\\n```\\nAKIAABCDEFGHIJKLMNOP'\n",
}
SETTINGS = "gateway: {port: 0}\nqueue: {attempts: 1, max-waiting: 4}\nhandlers: {memory-megabytes: 512, output-kilobytes: 64}\n"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> object:
    home = Home(tmp_path_factory.mktemp("home") / "home", SETTINGS, ROUTES, **HANDLERS)
    with running(home):
        yield home


def refused(home: Home) -> str:
    """What a start says that is refused."""
    done = subprocess.run(
        [sys.executable, "-I", "-m", "closeread_sidecar", "sidecar", "run", "--home", str(home.folder)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout
    return done.stderr


def test_off_without_a_file(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (home.folder / "sidecar.yaml").unlink()

    assert "the sidecar is off" in refused(home)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("gateway: {host: 0.0.0.0}", "needs `tls`"),
        ("gateway: {host: myhost}", "needs `tls`"),
        (
            "gateway: {host: 0.0.0.0, tls: {certificate: c.pem, key: k.pem}}",
            "`names` says how clients call this machine",
        ),
        ("gateway: {port: no}", "sidecar.yaml:1: `gateway.port`: input should be a valid integer"),
        ("platforms: {telegram: {token: x, allow: [yes]}}", "`platforms.telegram.allow.0"),
        ("\n\ngatewai: {}", "sidecar.yaml:3: `gatewai`: nobody knows this word"),
        ("collector: {url: 'http://example.org/x', key: k}", "must be https://"),
        ("collector: {url: 'https://example.org/x', key: ' '}", "must not be blank"),
        ("queue: {redis: 'redis://example.org'}", "rediss://"),
        ("workspaces: {shop: relative}", "absolute"),
        ("platforms: {irc: {}}", "there are matrix, telegram"),
        ("platforms: {telegram: {token: ''}}", "must not be blank"),
        ("platforms: {telegram: {token: x, base-url: 'http://example.org'}}", "must be https://"),
        ("a: &a [1]\nb: [*a, *a]", "aliases are not allowed"),
        ("gateway: {}\ngateway: {}", "given twice"),
        ("gateway: [", "not YAML"),
        ("!!python/object/apply:os.system [id]", "not YAML"),
    ],
)
def test_settings_that_open_too_much_are_refused(tmp_path: Path, settings: str, said: str) -> None:
    place = Place.of(Home(tmp_path / "home", settings).folder)
    with pytest.raises(ConfigurationError) as caught:  # what `sidecar run` does before anything is opened
        Service(place, read(place))

    assert said in str(caught.value)


def test_files_that_others_can_read_are_refused(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    (home.folder / "sidecar.yaml").chmod(0o644)
    assert "its mode is 0644, not 0600" in refused(home)
    (home.folder / "sidecar.yaml").chmod(0o600)
    home.state.mkdir(mode=0o700)
    (home.state / "token").write_text("x" * 40)
    (home.state / "token").chmod(0o644)

    assert "others may know the token" in refused(home)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Basic TOKEN"}, 401),
        ({"Authorization": "Bearer TOKEN", "Origin": "http://evil.example"}, 403),
        ({"Authorization": "Bearer TOKEN", "Origin": "null"}, 403),
        ({"Authorization": "Bearer TOKEN", "Host": "evil.example:7391"}, 403),
    ],
)
async def test_who_is_not_let_in(home: Home, headers: dict[str, str], status: int) -> None:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", home.port, timeout=10)
    shown = {
        "Host": f"127.0.0.1:{home.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
    }
    shown |= {"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA=="}
    shown |= {name: value.replace("TOKEN", home.token) for name, value in headers.items()}
    connection.request("GET", "/", headers=shown)
    answer = await asyncio.to_thread(connection.getresponse)
    connection.close()

    assert status == answer.status


async def test_another_address_has_tls_and_the_token_all_the_same(tmp_path: Path) -> None:
    certificate, key = self_signed(tmp_path, "127.0.0.1")
    key.chmod(0o644)
    tls = f"{{certificate: {certificate}, key: {key}}}"
    home = Home(tmp_path / "home", f"gateway: {{host: 0.0.0.0, port: 0, names: [build.example.org], tls: {tls}}}\n")
    assert "others could read the key" in refused(home)
    key.chmod(0o600)
    with running(home):
        trusted, token = ssl.create_default_context(cafile=certificate), {"Authorization": f"Bearer {home.token}"}

        async def opened(url: str, **more: Any) -> websockets.ClientConnection:
            return await websockets.connect(f"{url}:{home.port}", host="127.0.0.1", proxy=None, **more)

        named = {"ssl": trusted, "server_hostname": "127.0.0.1"}
        for url in ("wss://build.example.org", "wss://127.0.0.1"):
            await (await opened(url, **named, additional_headers=token)).close()
        with pytest.raises(websockets.InvalidStatus, match="401"):
            await opened("wss://build.example.org", **named)
        with pytest.raises(websockets.InvalidStatus, match="403"):
            await opened("wss://evil.example.org", **named, additional_headers=token)
        with pytest.raises(ssl.SSLError):
            await opened("wss://127.0.0.1", additional_headers=token)  # nobody that one knows has signed it
        with pytest.raises((OSError, websockets.WebSocketException)):
            await opened("ws://127.0.0.1", additional_headers=token)


async def test_halves_of_characters_cost_nobody_anything(home: Home) -> None:
    async with connected(home) as client:
        told = await client.ask("echo \ud800\x00x", "\ud800" + uuid.uuid4().hex)

    assert "?x" == told[-1]["text"]


def test_a_handler_is_never_a_workspaces(tmp_path: Path) -> None:
    """A file elsewhere, a link to one, and one that others could change."""
    for handler in ("../shop/evil.py", "/tmp/evil.py", "shop/evil.py"):
        home = Home(tmp_path / "home", routes=f"routes: [{{pattern: 'x*', handler: '{handler}'}}]\n")
        with pytest.raises(ConfigurationError, match=r"routes\.yaml:1: `routes\.0\.handler`"):
            Routes(Place.of(home.folder))
    home = Home(tmp_path / "home", routes="routes: [{pattern: 'x*', handler: evil.py}]\n")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "evil.py").write_text(ECHO)
    (home.folder / "handlers" / "evil.py").symlink_to(tmp_path / "shop" / "evil.py")
    with pytest.raises(ConfigurationError, match="not a link"):
        Routes(Place.of(home.folder))
    (home.folder / "handlers" / "evil.py").unlink()
    home.write("handlers/evil.py", ECHO)
    (home.folder / "handlers" / "evil.py").chmod(0o666)
    with pytest.raises(ConfigurationError, match="others could change"):
        Routes(Place.of(home.folder))


async def test_a_handler_has_no_network_not_even_loopback(home: Home) -> None:
    async with connected(home) as client:
        told = await client.ask(f"connect {home.port}")

    assert "closed\nclosed" == told[-1]["text"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("sleep", "not done within 1 seconds"),
        ("memory", "more memory than a handler may have"),
        ("output", "more than 64 kB"),
    ],
)
async def test_limits_of_handlers(home: Home, content: str, said: str) -> None:
    async with connected(home) as client:
        told = await client.ask(content)

    assert ("error", "failed") == (told[-1]["type"], told[-1]["code"])
    assert said in told[-1]["text"]


async def test_secrets_and_code_do_not_leave(home: Home) -> None:
    async with connected(home) as client:
        told = await client.ask("secret")

    assert "password = [redacted]\n[code is not shown on this channel]\n[redacted]" == told[-1]["text"]


async def test_no_folder_may_be_scanned(home: Home) -> None:
    async with connected(home) as client:
        assert "No folder may be scanned" in (await client.ask("scan /etc"))[-1]["text"]


async def test_progress_cancel_busy_and_the_same_question_twice(home: Home) -> None:
    async with connected(home) as client:
        id_ = uuid.uuid4().hex
        await client.send(type="ask", id=id_, content="long")
        assert ["accepted", "progress"] == [(await client.receive())["type"] for _ in range(2)]
        for number in range(3):
            await client.send(type="ask", id=f"{id_}{number}", content="long", conversation="c")
            assert "accepted" == (await client.receive())["type"]
        busy = await client.ask("echo x")
        assert ("busy", True) == (busy[-1]["code"], "Busy: 4 tasks are waiting" in busy[-1]["text"])
        for each in (id_, f"{id_}0", f"{id_}1", f"{id_}2"):
            await client.send(type="cancel", id=each)
        cancelled = set()
        while len(cancelled) < 4:
            message = await client.receive()
            assert message["type"] in ("cancelled", "progress")
            if message["type"] == "cancelled":
                cancelled.add(message["id"])
        key = uuid.uuid4().hex
        first = await client.ask("echo hello", key)
        second = await client.ask("echo hello", key)

    assert ("hello", "hello", True) == (first[-1]["text"], second[-1]["text"], second[0]["duplicate"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"type": "ask"}',
        '{"type": "ask", "id": 5}',
        '{"type": "x", "id": "a"}',
        b"\xff\xfe",
        "[" * 30000,
    ],
)
async def test_nonsense_costs_nobody_else(home: Home, text: str | bytes) -> None:
    async with connected(home) as client, connected(home) as other:
        await client.socket.send(text)
        with contextlib.suppress(websockets.ConnectionClosed):  # what is no text at all closes its connection
            assert "malformed" == (await client.receive())["code"]

        assert "answer" == (await other.ask("status"))[-1]["type"]


async def test_a_reload_reads_everybodys_token_anew_and_a_broken_file_changes_nothing(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", routes="routes: [{pattern: 'echo*', handler: echo.py}]\n", echo=ECHO)
    process, _ = await asyncio.to_thread(start, home)
    try:
        async with connected(home) as client:
            await asyncio.sleep(0.5)
            home.write("routes.yaml", "routes:\n  - pattern: 'x*'\n    handler: nobody.py\n")

            async def problem() -> str:
                return str((await client.ask("status"))[-1]["text"])

            for _ in range(50):
                if "problem:" in await problem():
                    break
                await asyncio.sleep(0.1)
            assert "routes.yaml:3: `nobody.py`: there is no such file" in await problem()
            assert "hello" == (await client.ask("echo hello"))[-1]["text"]
            token = home.state / "token"
            token.write_text("y" * 43)
            with pytest.raises(websockets.ConnectionClosed) as caught:
                while True:
                    await client.receive()
            assert 4401 == caught.value.rcvd.code  # type: ignore[union-attr]
        async with connected(home) as again:
            assert "answer" == (await again.ask("status"))[-1]["type"]
            token.unlink()
            token.write_text(
                "z" * 43
            )  # which everybody can read: nobody's holds any more, and an empty one no more than others
            with pytest.raises(websockets.ConnectionClosed):
                while True:
                    await again.receive()
        for shown in ("Bearer", "Bearer " + "z" * 43):
            with pytest.raises(websockets.InvalidStatus, match="401"):
                async with connected(home, Authorization=shown):
                    pass
    finally:
        await asyncio.to_thread(stop, process)


async def test_it_dies_with_its_parent(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    process, _ = await asyncio.to_thread(start, home, follow=True)
    assert process.stdin is not None
    process.stdin.close()
    await eventually(lambda: process.poll() is not None, 5)
    await asyncio.to_thread(stop, process)


def test_the_doctor_sees_what_is_open_and_what_drifted(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    assert 0 == home.command("doctor", "--security", "--accept").exit_code
    assert 0 == home.command("doctor", "--security").exit_code
    home.write("sidecar.yaml", "gateway: {port: 0}\ncollector: {url: 'https://example.org/x', key: abcdefgh}\n")
    drifted = home.command("doctor", "--security", "--json")
    assert (1, True) == (drifted.exit_code, bool(json.loads(drifted.stdout)["drift"]))
    assert "abcdefgh" not in drifted.stdout
    os.chmod(home.folder / "sidecar.yaml", 0o640)  # noqa: PTH101

    assert 1 == home.command("doctor", "--security").exit_code


def test_the_command_line_reaches_it(tmp_path: Path) -> None:
    Home(tmp_path / "home")
    command = [sys.executable, "-I", "-m", "closeread", "doctor", "--security", "--json", "--home", "home"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    assert (0, "127.0.0.1:0") == (done.returncode, json.loads(done.stdout)["gateway"]["bind"])
