"""How soon an editor hears of an edit: Closeread's server and `ruff server`, over stdio, in turns in the same run.

    python benchmarks/latency.py [--lines 300 2000 10000] [--edits 60]

Wall clock from sending an edit to the diagnostics of that version. Closeread's are the glance (what was edited anew, all
else as last known); the whole follows after a pause. Start is from starting the process to the first diagnostics.
Deliberately absent: ruff's rules are ruff's defaults, so the two do not do the same work. Compare ratios, not milliseconds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import Any

from speed import FUNCTION

BIN = Path(sysconfig.get_path("scripts"))
SERVERS = {
    "closeread": [sys.executable, "-I", "-m", "closeread", "serve"],
    "ruff server": [str(BIN / "ruff"), "server"],
}


class Server:
    """One server process, spoken to in turns."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=folder
        )
        root = {"uri": folder.as_uri(), "name": "x"}
        self.send(
            "initialize", {"processId": None, "rootUri": root["uri"], "capabilities": {}, "workspaceFolders": [root]}, 1
        )
        while self.receive().get("id") != 1:
            pass
        self.send("initialized", {})

    def send(self, method: str, params: Any, identity: int | None = None) -> None:
        message = {"jsonrpc": "2.0", "method": method, "params": params} | (
            {} if identity is None else {"id": identity}
        )
        body = json.dumps(message).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        length = 0
        while (line := self.process.stdout.readline()).strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not line:
            sys.exit("a server ended")
        return json.loads(self.process.stdout.read(length))  # type: ignore[no-any-return]

    def diagnostics(self, version: int) -> None:
        while True:
            message = self.receive()
            params = message.get("params") or {}
            if message.get("method") == "textDocument/publishDiagnostics" and params.get("version") == version:
                return


def measure(command: list[str], text: str, edits: int) -> tuple[float, list[float]]:
    """Milliseconds to the first diagnostics, and of each edit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        uri = (folder / "app.py").as_uri()
        started = time.perf_counter()
        server = Server(command, folder)
        document = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        server.send("textDocument/didOpen", {"textDocument": document})
        server.diagnostics(1)
        first = 1000 * (time.perf_counter() - started)
        line = text[: text.index("rows = []", len(text) // 2)].count("\n") + 1
        taken = []
        for turn in range(edits):
            place = {"line": line - 1, "character": len("    rows = []")}
            change = {"range": {"start": place, "end": place}, "text": "\n    extra = 1" if turn % 10 == 0 else " "}
            time.sleep(0.06)  # a hand, and no paste
            before = time.perf_counter()
            version = {"uri": uri, "version": turn + 2}
            server.send("textDocument/didChange", {"textDocument": version, "contentChanges": [change]})
            server.diagnostics(turn + 2)
            taken.append(1000 * (time.perf_counter() - before))
        server.process.kill()
        server.process.communicate()
        return first, sorted(taken)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, nargs="+", default=[300, 2000, 10000])
    parser.add_argument("--edits", type=int, default=60)
    options = parser.parse_args()
    for lines in options.lines:
        text = "import sqlite3\nfrom flask import request\n"
        for number in range(lines // FUNCTION.count("\n")):
            text += FUNCTION.format(n=number)
        for name, command in SERVERS.items():
            first, taken = measure(command, text, options.edits)
            p95 = taken[int(0.95 * len(taken))]
            middle = statistics.median(taken)
            print(
                f"{lines:6,} lines  {name:12} start {first:6.0f} ms  edit median {middle:6.1f}  95th percentile {p95:6.1f}"
            )


if __name__ == "__main__":
    main()
