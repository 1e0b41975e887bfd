"""The server's end: a sidecar beside it, whose death it does not notice, and which does not outlive it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.running import eventually


def request(number: int, method: str, **params: object) -> bytes:
    body = json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()
    return b"Content-Length: %d\r\n\r\n" % len(body) + body


def answer(server: subprocess.Popen[bytes], number: int) -> dict[str, object]:
    """The server's answer to a request; what else it says is passed over."""
    assert server.stdout is not None
    while True:
        length = 0
        while line := server.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        message = json.loads(server.stdout.read(length))
        if message.get("id") == number and "method" not in message:
            return dict(message)


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform != "linux", reason="the user's folders are moved by XDG variables, which Linux has")
async def test_beside_the_server(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "closeread" / "sidecar"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "sidecar.yaml").write_text("gateway: {port: 0}\n")
    (folder / "sidecar.yaml").chmod(0o600)
    where = tmp_path / "state" / "closeread" / "sidecar" / "running.json"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state")}
    server = subprocess.Popen(
        [sys.executable, "-I", "-m", "closeread", "serve"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, cwd=tmp_path,
    )  # fmt: skip
    assert server.stdin is not None and server.stdout is not None
    try:
        await eventually(where.exists)
        first = int(json.loads(where.read_bytes())["pid"])
        server.stdin.write(request(1, "initialize", processId=None, rootUri=None, capabilities={}))
        server.stdin.flush()
        assert "result" in await asyncio.to_thread(answer, server, 1)
        os.kill(first, signal.SIGKILL)
        await eventually(lambda: where.exists() and int(json.loads(where.read_bytes())["pid"]) != first)
        second = int(json.loads(where.read_bytes())["pid"])
        server.stdin.write(request(2, "shutdown"))
        server.stdin.flush()
        assert None is (await asyncio.to_thread(answer, server, 2))["result"]
        server.kill()
        await eventually(lambda: not is_alive(second))
    finally:
        server.kill()
        server.wait()
        server.stdin.close()
        server.stdout.close()


def test_without_a_file_nothing_is_started(tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path)}
    command = [sys.executable, "-I", "-m", "closeread", "serve"]
    subprocess.run(command, input=b"", env=environment, timeout=60, cwd=tmp_path, capture_output=True)

    assert [] == [path for path in tmp_path.rglob("*") if "sidecar" in path.name]
