"""What a language server costs whoever types: Closeread's, `ruff server` and `pylsp`, over stdio, in turns in the same run.

    make latency            # or: .venv/bin/python benchmarks/latency.py [--lines 300 2000 10000] [--edits 60] [--files 500]

- *start*: from starting the process to the first diagnostics of a file; "known" is a start after another, with the cache that
  the one before left. Medians.
- *edit*: wall clock from sending an edit to the diagnostics of that version. Closeread's are the glance (what was edited
  anew, all else as last known); the whole follows after a pause. Of pylsp's, 500 ms are its own pause before it lints.
- *storm*: text is typed as fast as the pipe takes it, a character an edit; until the diagnostics are those of the text at its
  end (compared with a second document of that text), and how many times diagnostics were sent on the way.
- *memory*: resident memory of the server and its children, a while after a workspace and one file of it were opened;
  of Closeread, after a scan of all of it too.

Deliberately absent: what the three look for, which is not the same work: ruff's and pylsp's rules are their defaults (pylsp with
pyflakes and pycodestyle). Compare ratios in one run, not milliseconds.
"""

from __future__ import annotations

import argparse
import json
import os
import queue
import random
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from commits import MODULE
from speed import FUNCTION

BIN = Path(sysconfig.get_path("scripts"))
CLOSEREAD = "closeread"
SERVERS = {
    CLOSEREAD: [sys.executable, "-I", "-m", "closeread", "serve"],
    "ruff server": [str(BIN / "ruff"), "server"],
    "pylsp": [str(BIN / "pylsp")],
}
PUBLISH = "textDocument/publishDiagnostics"
QUIET = 2.0
"""Seconds without a word after which nothing more is expected."""


class Server:
    """One server process. A thread of its own reads what it says, so that no pipe fills up."""

    def __init__(self, command: list[str], folder: Path, cache: Path) -> None:
        self.said: queue.SimpleQueue[tuple[float, dict[str, Any]]] = queue.SimpleQueue()
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
            env={**os.environ, "XDG_CACHE_HOME": str(cache)},
        )
        threading.Thread(target=self._listen, daemon=True).start()
        root = {"uri": folder.as_uri(), "name": "x"}
        self.ask(
            "initialize", {"processId": None, "rootUri": root["uri"], "capabilities": {}, "workspaceFolders": [root]}
        )
        self.send("initialized", {})

    def _listen(self) -> None:
        output = self.process.stdout
        assert output is not None
        while True:
            length = 0
            while (line := output.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not line:
                return
            self.said.put((time.perf_counter(), json.loads(output.read(length))))

    def send(self, method: str, params: Any, **identity: int) -> None:
        body = json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **identity}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self, seconds: float = 120) -> tuple[float, dict[str, Any]]:
        """When it came, and what. Raises queue.Empty."""
        return self.said.get(timeout=seconds)

    def ask(self, method: str, params: Any) -> Any:
        self.send(method, params, id=1)
        while (message := self.receive()[1]).get("id") != 1 or "method" in message:
            pass
        return message.get("result")

    def open(self, uri: str, text: str) -> None:
        self.send(
            "textDocument/didOpen",
            {"textDocument": {"uri": uri, "languageId": "python", "version": 1, "text": text}},
        )

    def change(self, uri: str, version: int, line: int, column: int, text: str) -> None:
        self._replace(uri, version, (line, column), (line, column), text)

    def remove(self, uri: str, version: int, line: int) -> None:
        self._replace(uri, version, (line, 0), (line + 1, 0), "")

    def _replace(self, uri: str, version: int, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        span = {name: {"line": line, "character": column} for name, (line, column) in (("start", start), ("end", end))}
        document = {"textDocument": {"uri": uri, "version": version}, "contentChanges": [{"range": span, "text": text}]}
        self.send("textDocument/didChange", document)

    def diagnostics(self, uri: str, version: int) -> tuple[float, list[dict[str, Any]]]:
        """Those of that version, and when they came. A server that names no version is believed."""
        while True:
            at, message = self.receive()
            params = message.get("params") or {}
            if message.get("method") == PUBLISH and params["uri"] == uri and params.get("version", version) == version:
                return at, params["diagnostics"]

    def memory(self) -> float:
        """Megabytes that it and its children have in memory."""
        table = subprocess.run(["ps", "-eo", "pid=,ppid=,rss="], capture_output=True, text=True, check=True).stdout
        rows = [tuple(map(int, line.split())) for line in table.splitlines()]
        family = {self.process.pid}
        while more := {pid for pid, parent, _ in rows if parent in family} - family:
            family |= more
        return sum(size for pid, _, size in rows if pid in family) / 1024


@contextmanager
def started(name: str, folder: Path, cache: Path) -> Iterator[Server]:
    server = Server(SERVERS[name], folder, cache)
    try:
        yield server
    finally:
        server.process.kill()
        server.process.communicate()


def program(lines: int) -> str:
    text = "import sqlite3\nfrom flask import request\n"
    for number in range(lines // FUNCTION.count("\n")):
        text += FUNCTION.format(n=number)
    return text


def line_inside(text: str) -> int:
    """The number of a line in the middle, counted from 0, in a function, after which others may come."""
    return text[: text.index("rows = []", len(text) // 2)].count("\n")


def start(name: str, folder: Path, text: str, cache: Path, *, saved: bool = False) -> tuple[float, float]:
    """Seconds to the first diagnostics: by the clock, and of CPU. `saved`: wait until all of it is in the cache."""
    uri = (folder / "app.py").as_uri()
    begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    with started(name, folder, cache) as server:
        server.open(uri, text)
        taken = server.diagnostics(uri, 1)[0] - begun
        if saved:
            time.sleep(QUIET + len(text) / 100_000)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the server, which has ended
    return taken, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def edits(name: str, folder: Path, text: str, count: int, cache: Path) -> list[float]:
    """Seconds of each edit, in order of size."""
    uri, line = (folder / "app.py").as_uri(), line_inside(text)
    taken = []
    with started(name, folder, cache) as server:
        server.open(uri, text)
        server.diagnostics(uri, 1)
        time.sleep(QUIET)
        for turn in range(count):
            time.sleep(0.06)  # a hand, and no paste
            before = time.perf_counter()
            server.change(uri, turn + 2, line, len("    rows = []"), "\n    extra = 1" if turn % 10 == 0 else " ")
            taken.append(server.diagnostics(uri, turn + 2)[0] - before)
    return sorted(taken)


def storm(name: str, folder: Path, text: str, count: int, cache: Path) -> tuple[float, int, bool]:
    """Seconds from the first edit to the right diagnostics, how often some were sent, and whether they were right."""
    uri, other = (folder / "app.py").as_uri(), (folder / "other.py").as_uri()
    line = line_inside(text)
    typed = ("\n    extra = eval(name)" * count)[:count]
    rows = text.split("\n")
    rows[line] += typed
    sent: list[tuple[float, list[dict[str, Any]]]] = []
    with started(name, folder, cache) as server:
        server.open(uri, text)
        server.diagnostics(uri, 1)
        time.sleep(QUIET)
        at, column = line, len("    rows = []")
        begun = time.perf_counter()
        for number, character in enumerate(typed):
            server.change(uri, number + 2, at, column, character)
            at, column = (at + 1, 0) if character == "\n" else (at, column + 1)
        try:
            while True:
                when, message = server.receive(5 * QUIET if not sent else QUIET)
                if message.get("method") == PUBLISH and message["params"]["uri"] == uri:
                    sent.append((when, message["params"]["diagnostics"]))
        except queue.Empty:
            pass
        server.open(other, "\n".join(rows))
        wanted = _told(server.diagnostics(other, 1)[1])
    right = sent[-1:]
    while right and len(right) < len(sent) and _told(sent[-len(right) - 1][1]) == wanted:
        right = sent[-len(right) - 1 :]
    is_right = bool(right) and _told(right[-1][1]) == wanted
    return (right[0][0] if right else time.perf_counter()) - begun, len(sent), is_right


def _told(diagnostics: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{found['range']} {found.get('code')} {found['message']}" for found in diagnostics)


def memory(name: str, folder: Path, cache: Path) -> str:
    """Megabytes when idle: a workspace and one of its files open; and after a scan, where there is one."""
    file = folder / "pkg0/m0.py"
    with started(name, folder, cache) as server:
        server.open(file.as_uri(), file.read_text())
        server.diagnostics(file.as_uri(), 1)
        time.sleep(3 * QUIET)
        line = f"{server.memory():.0f} MB"
        if name == CLOSEREAD:
            server.ask("workspace/executeCommand", {"command": "closeread.scanWorkspace", "arguments": []})
            time.sleep(3 * QUIET)
            line += f", after a scan of all {server.memory():.0f} MB"
    return line


def workspace(folder: Path, files: int) -> None:
    dice = random.Random(6)
    for n in range(files):
        other = dice.randrange(files)
        file = folder / f"pkg{n // 20}/m{n}.py"
        file.parent.mkdir(exist_ok=True)
        file.write_text(MODULE.format(n=n, other=other, near=other // 20, k=dice.randrange(2, 9)) * 2)


def median(starts: list[tuple[float, float]]) -> str:
    clock, cpu = (statistics.median(column) for column in zip(*starts, strict=True))
    return f"{1000 * clock:,.0f} ms ({1000 * cpu:,.0f} of CPU)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[300, 2000, 10000])
    parser.add_argument("--edits", type=int, default=60)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--storm", type=int, default=1000)
    parser.add_argument("--files", type=int, default=500)
    options = parser.parse_args()
    for name, command in SERVERS.items():
        if not Path(command[0]).exists():
            sys.exit(f"{name} is not installed: {sys.executable} -m pip install --group bench")
    with tempfile.TemporaryDirectory() as temporary:
        caches = (Path(temporary).resolve() / f"cache{number}" for number in range(10**6))
        for lines in options.lines:
            text = program(lines)
            folder = Path(temporary).resolve() / str(lines)
            folder.mkdir()
            (folder / "app.py").write_text(text)
            medians: dict[str, float] = {}
            for name in SERVERS:
                cold = [start(name, folder, text, next(caches)) for _ in range(options.starts)]
                line = f"start {median(cold)}"
                if name == CLOSEREAD:
                    cache = next(caches)
                    start(name, folder, text, cache, saved=True)
                    line += f", known {median([start(name, folder, text, cache) for _ in range(options.starts)])}"
                if not options.edits:
                    print(f"{lines:6,} lines  {name:11}  {line}", flush=True)
                    continue
                taken = edits(name, folder, text, options.edits, next(caches))
                medians[name] = statistics.median(taken)
                p95 = taken[int(0.95 * len(taken))]
                line += f", edit median {1000 * medians[name]:.1f} ms, 95th percentile {1000 * p95:.1f} ms"
                line += f" ({p95 / medians[name]:.1f} times)"
                print(f"{lines:6,} lines  {name:11}  {line}", flush=True)
            if medians:
                ratio = medians[CLOSEREAD] / medians["ruff server"]
                print(f"{'':12}  closeread's median / ruff server's: {ratio:.1f}")
            if lines == 2000 and options.storm:
                for name in SERVERS:
                    seconds, sent, is_right = storm(name, folder, text, options.storm, next(caches))
                    line = f"{1000 * seconds:,.0f} ms to the right diagnostics, sent {sent} times"
                    print(f"{options.storm:6,} edits  {name:11}  {line if is_right else 'never right'}", flush=True)
        if options.files:
            folder = Path(temporary).resolve() / "workspace"
            folder.mkdir()
            workspace(folder, options.files)
            for name in SERVERS:
                print(f"{options.files:6,} files  {name:11}  idle {memory(name, folder, next(caches))}", flush=True)


if __name__ == "__main__":
    main()
