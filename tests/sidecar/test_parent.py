"""The server's end: a sidecar beside it, whose death it does not notice, and which does not outlive it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from invariants.sources import ANALYZERS, ROOT, SERVER
from sidecar.running import Home, connected, eventually


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


@pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="only Linux weighs sessions, where it was built to"
)
@pytest.mark.parametrize(("own", "nice"), [(True, "nice 7"), (False, "nice 0")])
def test_it_steps_back_alone_and_not_with_who_shares_its_session(own: bool, nice: str) -> None:
    step = "from closeread_sidecar.platform_ import step_back; step_back(7); print(open('/proc/self/autogroup').read())"
    session = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-c', {step!r}], start_new_session={own})"
    command = [sys.executable, "-I", "-c", session]
    done = subprocess.run(command, start_new_session=True, capture_output=True, text=True, timeout=60, check=True)

    assert nice in done.stdout


def test_one_that_can_never_start_says_why_once(tmp_path: Path) -> None:
    folder = tmp_path / "config" / "closeread" / "sidecar"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "sidecar.yaml").write_text("gateway: {port: no}\n")
    (folder / "sidecar.yaml").chmod(0o600)
    code = "import sys, time; from closeread.sidecar import _keep; import threading; _keep(threading.Event())"
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state")}
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], env=environment, capture_output=True, text=True, timeout=120
    )

    assert f"closeread: there is no sidecar: {folder}/sidecar.yaml:1: `gateway.port`: " in done.stderr
    assert 1 == len(done.stderr.splitlines())


def carried(folder: Path, without: Sequence[str] = ()) -> Path:
    """The folder that an editor carries, with this environment's packages but some."""
    folder.mkdir()
    site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    for package in (*site.iterdir(), SERVER, SERVER.parent / "closeread_sidecar", ANALYZERS):
        if package.name not in ("__pycache__", *without) and not package.name.startswith(
            ("_editable", "__editable", "closeread-")
        ):
            (folder / package.name).symlink_to(package)
    (folder / "__main__.py").write_bytes((ROOT / "editors" / "vscode" / "bundled.py").read_bytes())
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="the user's folders are moved by XDG variables, which Linux has")
@pytest.mark.parametrize("missing", ["", "pydantic"])
async def test_out_of_a_folder_that_an_editor_carries(tmp_path: Path, missing: str) -> None:
    """A handler's process starts out of that folder too; what is not there is one sentence, and no more than that."""
    home = Home(
        tmp_path / "config" / "closeread" / "sidecar", routes="routes: [{pattern: 'echo*', handler: echo.py}]\n",
        echo="def handle(task):\n    return task.argument\n",
    )  # fmt: skip
    home.state = tmp_path / "state" / "closeread" / "sidecar"
    venv.create(tmp_path / "bare", with_pip=False)
    environment = {**os.environ, "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_STATE_HOME": str(tmp_path / "state")}
    server = subprocess.Popen(
        [tmp_path / "bare" / "bin" / "python", "-I", "-B", carried(tmp_path / "carried", [missing]), "serve"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=tmp_path,
    )  # fmt: skip
    try:
        assert server.stderr is not None
        if missing:
            line = (await asyncio.to_thread(server.stderr.readline)).decode()
            assert (
                "closeread: there is no sidecar: the sidecar needs pydantic: pip install 'closeread[sidecar]'\n" == line
            )
        else:
            await eventually((home.state / "running.json").exists)
            async with connected(home) as client:
                assert "hello" == (await client.ask("echo hello"))[-1]["text"]
    finally:
        server.kill()
        server.communicate()
