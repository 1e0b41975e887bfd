"""The model as the language server has it, over stdio: started on need, told of, restarted; and everything works without one."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from closeread.model.shelf import Shelf
from model.smollm2 import smollm2
from model.tiny import gguf
from server.lsp.client import Client
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND

TEXT = "import os, flask\n\n\ndef ping():\n    os.system('ping ' + flask.request.args['host'])\n"


def shelf(data: Path) -> Shelf:
    """The user's models, in a data folder of the test's."""
    made = Shelf(data / "closeread" / "models")
    made.folder.mkdir(parents=True)
    return made


def chosen(data: Path, path: Path) -> None:
    """A file in use without ever having been read whole."""
    status = path.stat()
    row = {
        "name": path.stem,
        "path": str(path),
        "sha256": "0" * 64,
        "size": status.st_size,
        "modified": status.st_mtime_ns,
    }
    (shelf(data).folder / "current.json").write_text(json.dumps(row))


async def command(client: Client, name: str, *arguments: Any) -> Any:
    return await client.request("workspace/executeCommand", {"command": f"closeread.{name}", "arguments": arguments})


async def whole(client: Client, path: Path) -> None:
    """The server still does what it is for."""
    uri = client.open(path, TEXT)
    assert "command-injection" in [one["code"] for one in await client.diagnostics(uri, 1)]


def children(client: Client) -> list[int]:
    """The model processes of a server (Linux)."""
    pid = client.process.pid
    listed = Path(f"/proc/{pid}/task/{pid}/children").parent.parent.glob("*/children")
    found = [int(number) for file in listed for number in file.read_text().split()]
    return [number for number in found if b"closeread.model.worker" in Path(f"/proc/{number}/cmdline").read_bytes()]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


async def test_without_a_model_everything_else_is_there(start: Start, tmp_path: Path, data: Path) -> None:
    client = await start(COMMAND, data=data)
    await client.initialize(tmp_path)
    await whole(client, tmp_path / "app.py")

    assert await command(client, "restartModel") is None
    assert (await command(client, "status"))["model"] is None
    assert ["No model is in use: `closeread model pull` gets one."] == [
        said["message"] for said in client.said("window/showMessage")
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="finds the process in /proc")
async def test_a_model_is_told_of_restarted_and_survived(start: Start, tmp_path: Path, data: Path) -> None:
    shelf(data).use(str(smollm2().path))
    client = await start(COMMAND, data=data)
    await client.initialize(tmp_path)
    told = await client.hears("closeread/status", lambda status: status["model"])
    assert {"name": "smollm2-135m", "state": "stopped", "memory": 0, "answered": 0, "cached": 0, "problem": ""} == told[
        "model"
    ]

    assert [] == children(client)
    facts = await command(client, "restartModel")
    (process,) = children(client)
    assert ("ready", True) == (facts["state"], facts["memory"] > 98_000_000)
    await client.hears("closeread/status", lambda status: status["model"]["state"] == "starting")
    await client.hears("closeread/status", lambda status: status["model"]["state"] == "ready")

    os.kill(process, signal.SIGILL)
    died = await client.hears("closeread/status", lambda status: status["model"]["state"] == "failed")
    assert "uses instructions that this processor does not have" in died["model"]["problem"]
    await whole(client, tmp_path / "app.py")
    assert "ready" == (await command(client, "restartModel"))["state"]
    (process,) = children(client)
    await client.stop()
    assert not Path(f"/proc/{process}").exists()


@pytest.mark.parametrize(
    ("name", "data_of", "said"),
    [
        ("cut.gguf", gguf()[:-1], "cut off"),
        ("text.gguf", b"no model at all", "it is no GGUF file"),
        ("tiny.gguf", gguf(), "llama.cpp cannot load"),
    ],
)
async def test_a_file_that_is_no_model_is_one_message(
    start: Start,
    tmp_path: Path,
    data: Path,
    name: str,
    data_of: bytes,
    said: str,
) -> None:
    smollm2()
    (tmp_path / name).write_bytes(data_of)
    chosen(data, tmp_path / name)
    client = await start(COMMAND, data=data)
    await client.initialize(tmp_path)
    facts = await command(client, "restartModel")

    assert ("failed", True) == (facts["state"], said in facts["problem"])
    assert 1 == sum(said in message["message"] for message in client.said("window/showMessage"))
    await whole(client, tmp_path / "app.py")


def huge(path: Path) -> Path:
    """A model that needs more memory than any machine has; its file is sparse and takes no room."""
    with path.open("wb") as file:
        file.write(gguf())
        file.truncate(1 << 42)
    return path


async def test_a_model_larger_than_the_memory_is_not_started(start: Start, tmp_path: Path, data: Path) -> None:
    smollm2()
    chosen(data, huge(tmp_path / "huge.gguf"))
    client = await start(COMMAND, data=data)
    await client.initialize(tmp_path)
    facts = await command(client, "restartModel")

    assert "huge needs about 4398." in facts["problem"]
    assert "close something, or choose a smaller one with `closeread model use`" in facts["problem"]
    await whole(client, tmp_path / "app.py")


async def test_a_file_that_is_not_what_was_chosen_is_never_loaded(start: Start, tmp_path: Path, data: Path) -> None:
    path = tmp_path / "tiny.gguf"
    path.write_bytes(gguf())
    chosen(data, path)
    path.write_bytes(gguf(tensors=3))
    client = await start(COMMAND, data=data)
    await client.initialize(tmp_path)
    told = await client.hears("window/showMessage")

    assert "is not the file it was when it was chosen" in told["message"]
    assert "failed" == (await command(client, "status"))["model"]["state"]
    await whole(client, tmp_path / "app.py")
