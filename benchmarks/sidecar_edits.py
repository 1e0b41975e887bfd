"""How long an edit takes while the sidecar beside the server is under full load, and while it rests: in turns, in one run.

    python benchmarks/sidecar_edits.py [--edits 40] [--turns 3]

One language server, with a sidecar that it started; one open file, edited by hand's speed. In every other turn `--clients` programs ask the
gateway for `status` without a pause, and both workers of the sidecar scan a workspace, again and again. Who asks steps back as far as it
can: it is not what is measured. Compare the ratio, not milliseconds. Linux; loopback only; ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import latency
import websockets

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from closeread_sidecar.platform_ import step_back
from sidecar.running import Home


async def client(port: int, token: str, content: str, told: list[int]) -> None:
    """Ask without a pause; `told` are how many were begun and how many answered."""
    headers = {"Authorization": f"Bearer {token}"}
    async with websockets.connect(f"ws://127.0.0.1:{port}", additional_headers=headers, open_timeout=60) as socket:
        while True:
            await socket.send(json.dumps({"type": "ask", "id": uuid.uuid4().hex, "content": content}))
            while (kind := json.loads(await socket.recv())["type"]) in ("accepted", "progress", "partial"):
                told[0] += kind == "progress"
            told[1] += 1


async def ask_all(port: int, token: str, clients: int) -> None:
    """Ask until killed; says every second how much was answered."""
    step_back(19)
    statuses, scans = [0, 0], [0, 0]
    async with asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client(port, token, "status", statuses))
        for _ in range(4):
            group.create_task(client(port, token, "scan shop", scans))
        while True:
            print(json.dumps({"status answered": statuses[1], "scans begun": scans[0]}), flush=True)
            await asyncio.sleep(1)


class Load:
    """A process that asks, for the time of the `with`. `told` is what it was told at the end."""

    def __init__(self, home: Home, clients: int) -> None:
        self.command = [sys.executable, __file__, f"--load={home.port}:{home.token}", "--clients", str(clients)]
        self.told = {"status answered": 0, "scans begun": 0}

    def __enter__(self) -> Load:
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, start_new_session=True)
        assert self.process.stdout is not None
        while json.loads(self.process.stdout.readline())["scans begun"] < 2:  # both workers are at it
            pass
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        said = self.process.communicate()[0].splitlines()
        self.told = json.loads(said[-1]) if said else self.told


def resting(home: Home) -> None:
    """Wait until the sidecar has nothing more to do."""
    while "0 waiting" not in asyncio.run(_status(home)):
        time.sleep(0.5)
    time.sleep(1)


async def _status(home: Home) -> str:
    headers = {"Authorization": f"Bearer {home.token}"}
    async with websockets.connect(f"ws://127.0.0.1:{home.port}", additional_headers=headers, open_timeout=60) as socket:
        await socket.send(json.dumps({"type": "ask", "id": uuid.uuid4().hex, "content": "status"}))
        return str(json.loads(await socket.recv())["text"])


class Editor:
    """An open file, and who edits it."""

    def __init__(self, server: latency.Server, folder: Path) -> None:
        self.server, self.uri, self.version = server, (folder / "app.py").as_uri(), 1
        text = latency.program(2000)
        self.line = latency.line_inside(text)
        server.open(self.uri, text)
        server.diagnostics(self.uri, 1)
        time.sleep(latency.QUIET)

    def edits(self, count: int) -> list[float]:
        """Milliseconds of each."""
        taken = []
        for _ in range(count):
            time.sleep(0.06)  # a hand, and no paste
            self.version += 1
            before = time.perf_counter()
            self.server.change(self.uri, self.version, self.line, len("    rows = []"), " ")
            taken.append(1000 * (self.server.diagnostics(self.uri, self.version)[0] - before))
        return taken


def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    shop = folder / "shop"
    shop.mkdir()
    latency.workspace(shop, 10)
    home = Home(
        folder / "config" / "closeread" / "sidecar",
        f"gateway: {{port: 0, per-minute: 10000000}}\nworkspaces: {{shop: {shop}}}\n",
    )
    home.state = folder / "state" / "closeread" / "sidecar"
    os.environ |= {"XDG_CONFIG_HOME": str(folder / "config"), "XDG_STATE_HOME": str(folder / "state")}
    taken: dict[str, list[float]] = {"resting": [], "loaded": []}
    asked: Counter[str] = Counter()
    with latency.started(latency.CLOSEREAD, folder, folder / "cache") as server:
        while not (home.state / "running.json").exists():
            time.sleep(0.1)
        editor = Editor(server, folder)
        for _ in range(options.turns):
            resting(home)
            taken["resting"] += editor.edits(options.edits)
            with Load(home, options.clients) as load:
                taken["loaded"] += editor.edits(options.edits)
            asked.update(load.told)
    told: dict[str, Any] = {"edits": options.edits * options.turns, **asked}
    for name, milliseconds in taken.items():
        ranks = statistics.quantiles(milliseconds, n=20)
        told |= {f"{name} median ms": round(ranks[9], 1), f"{name} p95 ms": round(ranks[18], 1)}
    for rank in ("median", "p95"):
        told[f"ratio of {rank}"] = round(told[f"loaded {rank} ms"] / told[f"resting {rank} ms"], 2)
    return told


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--edits", type=int, default=40)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--load", metavar="PORT:TOKEN", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.load:
        port, _, token = options.load.partition(":")
        asyncio.run(ask_all(int(port), token, options.clients))
    folder = Path(tempfile.mkdtemp(prefix="closeread-edits-")).resolve()
    try:
        print(json.dumps(measure(options, folder), indent=2))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
