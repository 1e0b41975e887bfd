"""A thousand programs at the gateway at once: how long `status` takes, and how large the process is. `benchmarks/sidecar_load.py`

Each client keeps its connection, asks `status` every `--every` seconds, at times of its own, for `--seconds`. The figures: the start (from
starting the process until it listens), the median and 99th percentile of an answer as the client sees it, what an answer costs the gateway
in processor time, and its resident memory at its largest. Client and gateway share the machine, and so does whoever else uses it: the
processor time says what the gateway can do, the percentiles what it did here. Loopback only, bounded, ends by itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import websockets

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from sidecar.running import Home, start, stop


async def client(home: Home, options: argparse.Namespace, begin: asyncio.Event, seconds: list[float]) -> None:
    headers = {"Authorization": f"Bearer {home.token}"}
    async with websockets.connect(
        f"ws://127.0.0.1:{home.port}", additional_headers=headers, compression=None, ping_interval=None, open_timeout=60
    ) as socket:
        await begin.wait()
        end = time.monotonic() + options.seconds
        await asyncio.sleep(random.uniform(0, options.every))
        number = 0
        while time.monotonic() < end:
            asked = time.monotonic()
            number += 1
            await socket.send(json.dumps({"type": "ask", "id": str(number), "content": "status"}))
            told = json.loads(await asyncio.wait_for(socket.recv(), 30))
            assert told["type"] == "answer", told
            seconds.append(time.monotonic() - asked)
            await asyncio.sleep(max(0.0, options.every - (time.monotonic() - asked)))


def resident(process: int) -> float:
    """The most memory that a process had resident, in MB."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1000


def spent(process: int) -> float:
    """Milliseconds of processor time that a process has used."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


async def measure(options: argparse.Namespace, folder: Path) -> dict[str, Any]:
    home = Home(folder / "home", f"gateway: {{port: 0, clients: {options.clients + 10}}}\n")
    began = time.monotonic()
    process, _ = await asyncio.to_thread(start, home)
    started = time.monotonic() - began
    seconds: list[float] = []
    begin = asyncio.Event()
    try:
        tasks = []
        for number in range(options.clients):
            tasks.append(asyncio.create_task(client(home, options, begin, seconds)))
            if number % 50 == 49:
                await asyncio.sleep(0.2)
        await asyncio.sleep(2)
        before = spent(process.pid)
        begin.set()
        await asyncio.gather(*tasks)
        processor = spent(process.pid) - before
        memory = resident(process.pid)
    finally:
        await asyncio.to_thread(stop, process)
    ranks = statistics.quantiles(seconds, n=100)
    return {
        "clients": options.clients, "answers": len(seconds), "start ms": round(started * 1000),
        "median ms": round(ranks[49] * 1000, 1), "p99 ms": round(ranks[98] * 1000, 1),
        "processor ms per answer": round(processor / len(seconds), 2),
        "resident MB": round(memory, 1),
    }  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--clients", type=int, default=1000)
    parser.add_argument("--every", type=float, default=5.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="closeread-load-"))
    try:
        print(json.dumps(asyncio.run(measure(options, folder)), indent=2))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
