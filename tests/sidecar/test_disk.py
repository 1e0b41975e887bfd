"""A disk that is really full: what was accepted is answered once there is room; what cannot be kept is not accepted, which is said."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.running import Home, connected, running

ECHO = "def handle(task):\n    return task.argument[:5]\n"
ROUTES = "routes: [{pattern: 'echo *', handler: echo.py}]\n"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home whose state lies on a disk of six megabytes."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a small disk of one's own is a mount, which needs root on Linux")
    home = Home(tmp_path / "home", routes=ROUTES, echo=ECHO)
    home.state.mkdir(mode=0o700)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m,mode=0700", "tmpfs", str(home.state)], capture_output=True, text=True
    )
    if mounted.returncode:
        pytest.skip(f"a small disk of one's own cannot be mounted here: {mounted.stderr.strip()}")
    yield home
    subprocess.run(["umount", str(home.state)], check=True)


async def test_a_full_disk_loses_nothing_that_was_accepted(home: Home) -> None:
    with running(home) as process:
        async with connected(home) as client:
            (home.state / "ballast").write_bytes(b"x" * 3_000_000)
            accepted, refused = [], ""
            for number in range(500):
                await client.send(
                    type="ask", id=f"t{number}", content=f"echo {number:05} {'y' * 50_000}", conversation="c"
                )
                while True:
                    told = await client.receive(60)
                    if told.get("id") == f"t{number}" and told["type"] in ("accepted", "error"):
                        break
                if told["type"] == "error":
                    refused = told["text"]
                    break
                accepted.append(number)
            assert "Nothing can be kept now" in refused and "full" in refused
            assert len(accepted) > 3
            assert process.poll() is None
            (home.state / "ballast").unlink()
            for number in accepted:
                for _ in range(200):
                    told = (await client.ask(f"echo {number:05} again", f"t{number}"))[-1]
                    if told["type"] == "answer":
                        break
                    await asyncio.sleep(0.2)
                assert f"{number:05}" == told["text"]
            assert "hello" == (await client.ask("echo hello", "new"))[-1]["text"]

    assert "holds" in home.command("audit", "verify").stdout
