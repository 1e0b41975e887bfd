"""What the sidecar loses when everything is killed: nothing. `benchmarks/sidecar_torture.py --tasks 10000 --kills 50`

A client asks for tasks in many conversations while, at random, the sidecar is killed (`kill -9`), Redis is wiped, stopped, frozen
or killed, and the network to the collector is cut. Then everything is left alone until the queue is empty, and counted:

- lost: a task that was accepted and whose result the collector never got
- twice: a task that the audit log has settled more than once, or of which the collector got two results that differ (the same
  result once more is harmless, by its key, and counted apart)
- disorder: a conversation's results in another order than it asked in
- audit: the log's chain does not hold, at home or as the collector has it

With root on Linux, client, sidecar and Redis run in one network namespace and the collector in another, and the network is cut by
taking down the link between them. Elsewhere (`--no-namespaces`) the collector stops listening. Everything is on this machine,
bounded, and ends by itself.
Handlers here are real isolated processes for one task in `--handlers-every`; the others ask for a built-in one that needs no process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import websockets

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from sidecar.certificates import self_signed
from sidecar.doubles.collector import Collector
from sidecar.running import Home, start, stop

with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    REDIS_PORT = int(probe.getsockname()[1])
ECHO = "def handle(task):\n    return task.argument\n"


class Torture:
    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options, self.random = options, random.Random(options.seed)
        self.folder, self.collector = folder, Collector()
        self.told: dict[str, Any] = dict.fromkeys(("kills", "redis", "cuts", "accepted", "reconnects"), 0)
        self.accepted: dict[str, list[str]] = {}
        self.quiet = asyncio.Event()
        self.sidecar: subprocess.Popen[bytes] | None = None
        self.redis: subprocess.Popen[bytes] | None = None
        self.link = Link(options.namespaces)
        self.changing = asyncio.Lock()

    async def run(self) -> dict[str, Any]:
        began = time.monotonic()
        url, ca = await self.link.open(self.collector, self.folder)
        collector = f"collector: {{url: '{url}', key: collector-key{f', ca: {ca}' if ca else ''}}}\n"
        queue = f"queue: {{redis: 'redis://127.0.0.1:{REDIS_PORT}/0', max-waiting: 100000, workers: 4}}\n"
        routes = "routes:\n  - {pattern: 'echo *', handler: echo.py, timeout: 60s}\n"
        self.home = Home(
            self.folder / "home", f"gateway: {{port: 0, per-minute: 1000000}}\n{queue}{collector}", routes, echo=ECHO
        )
        await self._start_redis()
        self.sidecar, _ = await asyncio.to_thread(start, self.home)
        clients = [asyncio.create_task(self._client(number)) for number in range(self.options.clients)]
        harm = [asyncio.create_task(part) for part in (self._kill(), self._harm_redis(), self._cut())]
        try:
            await asyncio.wait_for(asyncio.gather(*clients, *harm), self.options.limit)
            await self._drain()
        finally:
            for task in (*clients, *harm):
                task.cancel()
            await asyncio.gather(*clients, *harm, return_exceptions=True)
            await asyncio.to_thread(stop, self.sidecar)
            if self.redis is not None:
                self.redis.send_signal(signal.SIGCONT)
                self.redis.kill()
                self.redis.wait()
            await self.link.close()
        return self._count() | {"seconds": round(time.monotonic() - began, 1)}

    # --- Asking -----------------------------------------------------------------------------------

    async def _client(self, number: int) -> None:
        """Asks in some conversations, each in order, and asks again until it was told `accepted`."""
        wanted = [n for n in range(self.options.tasks) if n % self.options.clients == number]
        per = self.options.tasks_per_conversation
        socket: Any = None
        for n in wanted:
            conversation, id_ = f"c{number}-{wanted.index(n) // per}", f"task-{n}"
            word = "echo" if n % self.options.handlers_every == 0 else "status"
            message = json.dumps({"type": "ask", "id": id_, "content": f"{word} {n}", "conversation": conversation})
            while True:
                try:
                    if socket is None:
                        socket = await websockets.connect(
                            f"ws://127.0.0.1:{self.home.port}",
                            additional_headers={"Authorization": f"Bearer {self.home.token}"},
                        )
                    await socket.send(message)
                    if await self._is_accepted(socket, id_):
                        break
                except (OSError, websockets.WebSocketException, TimeoutError, ValueError):
                    self.told["reconnects"] += 1
                    if socket is not None:
                        with contextlib.suppress(Exception):
                            await asyncio.wait_for(socket.close(), 1)
                    socket = None
                    await asyncio.sleep(0.1)
            self.accepted.setdefault(conversation, []).append(id_)
            self.told["accepted"] += 1
            if self.options.pace:
                await asyncio.sleep(self.options.pace)
        if socket is not None:
            await socket.close()

    async def _is_accepted(self, socket: Any, id_: str) -> bool:
        while True:
            told = json.loads(await asyncio.wait_for(socket.recv(), 20))
            if told.get("id") == id_ and told["type"] == "accepted":
                return True
            if told["type"] == "error" and told.get("id", id_) == id_:
                await asyncio.sleep(0.5)
                return False

    # --- Harm -------------------------------------------------------------------------------------

    async def _kill(self) -> None:
        for _ in range(self.options.kills):
            await asyncio.sleep(self.random.uniform(0.3, 2 * self.options.between))
            assert self.sidecar is not None
            async with self.changing:
                await asyncio.to_thread(stop, self.sidecar, kill=True)
                self.sidecar, _ = await asyncio.to_thread(start, self.home)
            self.told["kills"] += 1

    async def _start_redis(self) -> None:
        self.redis = subprocess.Popen(
            ["redis-server", "--port", str(REDIS_PORT), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"],
            cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    async def _harm_redis(self) -> None:
        for number in range(self.options.redis):
            await asyncio.sleep(
                self.random.uniform(0.5, 2 * self.options.between * self.options.kills / max(1, self.options.redis))
            )
            assert self.redis is not None
            match ("wipe", "freeze", "kill")[number % 3]:
                case "wipe":
                    with contextlib.suppress(OSError):
                        _, writer = await asyncio.open_connection("127.0.0.1", REDIS_PORT)
                        writer.write(b"FLUSHALL\r\n")
                        await writer.drain()
                        writer.close()
                case "freeze":
                    self.redis.send_signal(signal.SIGSTOP)
                    await asyncio.sleep(self.random.uniform(1, 5))
                    self.redis.send_signal(signal.SIGCONT)
                case "kill":
                    self.redis.kill()
                    await asyncio.to_thread(self.redis.wait)
                    await asyncio.sleep(self.random.uniform(0.5, 4))
                    await self._start_redis()
            self.told["redis"] += 1

    async def _cut(self) -> None:
        for _ in range(self.options.cuts):
            await asyncio.sleep(
                self.random.uniform(0.5, 2 * self.options.between * self.options.kills / max(1, self.options.cuts))
            )
            await self.link.cut()
            await asyncio.sleep(self.random.uniform(1, 6))
            await self.link.mend()
            self.told["cuts"] += 1

    # --- Counting ---------------------------------------------------------------------------------

    async def _drain(self) -> None:
        """Nothing more is harmed: everything must come to its end by itself."""
        end = time.monotonic() + self.options.limit
        total = sum(map(len, self.accepted.values()))
        while len(self.collector.results) < total and time.monotonic() < end:
            await asyncio.sleep(0.2)
        await asyncio.sleep(3)  # the last audit lines; and a second result, if there were one, would come now

    def _count(self) -> dict[str, Any]:
        came = [key.removeprefix("gateway:").removesuffix(":record") for key in self.collector.results]
        settled = Counter(
            line["facts"]["entry"] for line in self.collector.lines.values() if line["event"] == "handled"
        )
        place = {id_: number for number, id_ in enumerate(came)}
        asked = [id_ for ids in self.accepted.values() for id_ in ids]
        disorder = 0
        for ids in self.accepted.values():
            places = [place[id_] for id_ in ids if id_ in place]
            disorder += places != sorted(places)
        verified = self.home.command("audit", "verify")
        return self.told | {
            "lost": sum(id_ not in place for id_ in asked),
            "twice": sum(count > 1 for count in settled.values()) + len(self.collector.changed),
            "settled": len(settled),
            "unasked": len(set(came) - set(asked)),
            "disorder": disorder,
            "repeated deliveries": sum(count - 1 for count in self.collector.deliveries.values()),
            "conversations": len(self.accepted),
            "audit": verified.stdout.splitlines()[0] if verified.stdout else verified.stderr,
            "audit at the collector": self.collector.chain_holds() and not self.collector.disorder,
            "audit lines": len(self.collector.lines),
            "network": self.link.kind,
        }


class Link:
    """The way to the collector: another network namespace behind a link, or a port that stops listening."""

    def __init__(self, namespaces: bool) -> None:
        self.namespaces = namespaces
        self.kind = "a link between two network namespaces" if namespaces else "a collector that stops listening"

    async def open(self, collector: Collector, folder: Path) -> tuple[str, Path | None]:
        self.collector = collector
        if not self.namespaces:
            await collector.start()
            return collector.url, None
        # We are in a namespace of our own already (see main). The collector's is another; its listening socket is made there by
        # a thread of ours that has moved into it, and is then served here: a socket stays in the namespace it was made in.
        self.other = subprocess.Popen(["unshare", "-n", "sleep", "3600"])
        await asyncio.sleep(0.3)
        there = ["nsenter", "-t", str(self.other.pid), "-n"]
        for command in (
            ["ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", str(self.other.pid)],
            ["ip", "addr", "add", "192.0.2.1/24", "dev", "near"],
            ["ip", "link", "set", "near", "up"],
            [*there, "ip", "addr", "add", "192.0.2.2/24", "dev", "far"],
            [*there, "ip", "link", "set", "far", "up"],
        ):
            subprocess.run(command, check=True)
        certificate, key = self_signed(folder, "192.0.2.2")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(certificate, key)
        with entered(self.other.pid):
            await collector.start("192.0.2.2", tls)
        return f"https://192.0.2.2:{collector.port}/batch", certificate

    async def cut(self) -> None:
        if self.namespaces:
            subprocess.run(["ip", "link", "set", "near", "down"], check=True)
        else:
            await self.collector.stop()

    async def mend(self) -> None:
        if self.namespaces:
            subprocess.run(["ip", "link", "set", "near", "up"], check=True)
        else:
            await self.collector.start()

    async def close(self) -> None:
        await self.collector.stop()
        if self.namespaces:
            self.other.kill()
            self.other.wait()


@contextlib.contextmanager
def entered(process: int) -> Any:
    """This thread is in the network namespace of that process."""
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/thread-self/ns/net") as here, open(f"/proc/{process}/ns/net") as there:  # noqa: PTH123
        if libc.setns(there.fileno(), 0x40000000):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            yield
        finally:
            libc.setns(here.fileno(), 0x40000000)


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tasks", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--redis", type=int, default=20, help="how often Redis is harmed")
    parser.add_argument("--cuts", type=int, default=15, help="how often the network is cut")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--tasks-per-conversation", type=int, default=50)
    parser.add_argument("--between", type=float, default=4.0, help="mean seconds between two kills")
    parser.add_argument("--pace", type=float, default=0.0, help="seconds that a client waits between two tasks")
    parser.add_argument("--handlers-every", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--limit", type=float, default=1500.0, help="seconds")
    parser.add_argument("--no-namespaces", dest="namespaces", action="store_false")
    return parser.parse_args(arguments)


def main() -> int:
    chosen = options()
    chosen.namespaces = (
        chosen.namespaces and sys.platform == "linux" and os.geteuid() == 0 and shutil.which("ip") is not None
    )
    if chosen.namespaces and os.environ.get("CLOSEREAD_TORTURE") != "inside":
        inside = 'ip link set lo up && exec "$@"'
        os.environ["CLOSEREAD_TORTURE"] = "inside"
        os.execvp("unshare", ["unshare", "-n", "sh", "-c", inside, "sh", sys.executable, __file__, *sys.argv[1:]])
    folder = Path(tempfile.mkdtemp(prefix="closeread-torture-"))
    try:
        told = asyncio.run(Torture(chosen, folder).run())
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(json.dumps(told, indent=2))
    return int(bool(told["lost"] or told["twice"] or told["disorder"] or told["unasked"]))


if __name__ == "__main__":
    sys.exit(main())
