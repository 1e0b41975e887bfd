"""A sidecar as a real process in a home of its own, and a client of its gateway."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import websockets
from click.testing import Result
from typer.testing import CliRunner

from closeread_sidecar.commands import application


class Home:
    """A folder with a user's files for the sidecar."""

    def __init__(self, folder: Path, settings: str = "gateway: {port: 0}\n", routes: str = "", **handlers: str) -> None:
        self.folder, self.state = folder, folder / "state"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "handlers").mkdir(mode=0o700, exist_ok=True)
        self.write("sidecar.yaml", settings)
        if routes:
            self.write("routes.yaml", routes)
        for name, text in handlers.items():
            self.write(f"handlers/{name}.py", text)

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)

    @property
    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    @property
    def port(self) -> int:
        return int(json.loads((self.state / "running.json").read_bytes())["port"])

    def command(self, *arguments: str) -> Result:
        """`closeread ARGUMENTS --home ...`: the same command line, in this process, since starting Python takes most of the time."""
        return CliRunner().invoke(application(), [*arguments, "--home", str(self.folder)], prog_name="closeread")


def start(home: Home, *, follow: bool = False) -> tuple[subprocess.Popen[bytes], dict[str, Any]]:
    """Start a sidecar and wait until it listens. Raises AssertionError with what it said if it does not."""
    command = [sys.executable, "-I", "-m", "closeread_sidecar", "sidecar", "run", "--home", str(home.folder)]
    process = subprocess.Popen(
        [*command, *(["--follow"] if follow else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None and process.stderr is not None
    line = process.stdout.readline()
    if not line:
        said = process.stderr.read().decode()
        stop(process)
        raise AssertionError(f"the sidecar did not start: {said}")
    return process, json.loads(line)


def stop(process: subprocess.Popen[bytes], *, kill: bool = False) -> int:
    """End it, and give its exit code."""
    if process.poll() is None:
        (process.kill if kill else process.terminate)()
    try:
        code = process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        code = process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    return code


@contextlib.contextmanager
def running(home: Home) -> Iterator[subprocess.Popen[bytes]]:
    """A sidecar for the time of the `with`."""
    process, _ = start(home)
    try:
        yield process
    finally:
        stop(process)


class Client:
    """One connection to the gateway."""

    def __init__(self, socket: websockets.ClientConnection) -> None:
        self.socket = socket

    async def send(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def receive(self, timeout: float = 20) -> dict[str, Any]:
        async with asyncio.timeout(timeout):
            return json.loads(await self.socket.recv())  # type: ignore[no-any-return]

    async def ask(self, content: str, id_: str = "", **more: str) -> list[dict[str, Any]]:
        """All that is told of one question, the end included."""
        id_ = id_ or uuid.uuid4().hex
        await self.send(type="ask", id=id_, content=content, **more)
        told: list[dict[str, Any]] = []
        while not told or told[-1]["type"] in ("accepted", "progress", "partial"):
            message = await self.receive(60)
            if message.get("id", id_) == id_:
                told.append(message)
        return told


@contextlib.asynccontextmanager
async def connected(home: Home, **headers: str) -> AsyncIterator[Client]:
    """A client that shows the token, or other headers."""
    shown = headers or {"Authorization": f"Bearer {home.token}"}
    async with websockets.connect(
        f"ws://127.0.0.1:{home.port}", additional_headers={name.replace("_", "-"): value for name, value in shown.items()},
        max_queue=None, open_timeout=20,
    ) as socket:  # fmt: skip
        yield Client(socket)


async def eventually(condition: Any, seconds: float = 60) -> None:
    """Wait until `condition()` holds. Raises AssertionError if it never does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came to that"
        await asyncio.sleep(0.05)
