"""How long the language server's event loop is held, at most, while it does all that it can do.

    python benchmarks/loop.py [--files 400] [--lines 10000] [--json]

Drives the real server over stdio: a workspace scan, edits, a thousand edits at once, questions of every kind, settings,
files changed on disk, documents by the hundred, a cleared cache. In the server, each callback of the event loop is timed:
*held* is the CPU that the loop's own thread spent in one (which a busy machine does not change much), *late* is by how
much a heartbeat came after its time (which the analysis, in its own thread, adds to: Python runs one thread at a time).
The promise is 16 ms, a frame, for what is held.

Deliberately absent: how long answers take (`latency.py`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from speed import FUNCTION

FRAME = 16.0
"""Milliseconds."""

_BEAT = 0.005
_WORTH_TELLING = 1.0
"""Milliseconds."""

SMALL = """\
import os
import sqlite3

from flask import Flask, request

from app.m{other} import find as find_{other}

app = Flask(__name__)


@app.route("/page/{n}")
def page(a):
    name = request.args["name"]
    if a == None:
        os.system("ping " + name)
    return str(find(name)) + str(find_{other}(name))


def find(name):
    return sqlite3.connect("x").execute("SELECT a FROM b WHERE c = '" + name + "'").fetchall()
"""


# --- In the server's process -----------------------------------------------------------------------


def serve(record: Path) -> None:
    """The real server, with a watch on its loop that writes what it saw, a line each: when, how much, of what."""
    from closeread.lsp.protocol import Protocol
    from closeread.lsp.server import run

    plain_run, plain_handle = asyncio.events.Handle._run, Protocol.handle_message
    out = record.open("w", buffering=1)
    last = ""

    def note(kind: str, milliseconds: float, what: str) -> None:
        if milliseconds >= _WORTH_TELLING:
            out.write(json.dumps([time.monotonic(), kind, round(milliseconds, 2), what]) + "\n")

    def watched_run(handle: Any) -> None:
        callback = handle._callback
        began = time.thread_time()
        plain_run(handle)
        spent = 1000 * (time.thread_time() - began)
        if spent >= _WORTH_TELLING:
            task = getattr(callback, "__self__", None)
            what = task.get_coro().__qualname__ if isinstance(task, asyncio.Task) else str(callback)
            note("held", spent, last if "Inbox" in what else what)

    def watched_message(self: Protocol, message: Any) -> None:
        nonlocal last
        last = str(getattr(message, "method", "") or "an answer")
        plain_handle(self, message)

    def beat(loop: asyncio.AbstractEventLoop, due: float) -> None:
        note("late", 1000 * (loop.time() - due), "")
        due = loop.time() + _BEAT
        loop.call_at(due, beat, loop, due)

    def started(loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon(beat, loop, loop.time())

    class Policy(asyncio.DefaultEventLoopPolicy):
        def new_event_loop(self) -> asyncio.AbstractEventLoop:
            loop = super().new_event_loop()
            started(loop)
            return loop

    asyncio.events.Handle._run = watched_run  # type: ignore[method-assign]
    Protocol.handle_message = watched_message  # type: ignore[method-assign]
    asyncio.set_event_loop_policy(Policy())
    run()


# --- In the client's -------------------------------------------------------------------------------


class Client:
    """Speaks to the server; a thread reads."""

    def __init__(self, folder: Path, record: Path, cache: Path) -> None:
        command = [sys.executable, __file__, "--serve", str(record)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=folder, env={"XDG_CACHE_HOME": str(cache)}
        )
        self.folder = folder
        self.messages: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self.count = 0
        threading.Thread(target=self._read, daemon=True).start()

    def send(self, method: str, params: Any, **members: Any) -> None:
        self._write({"method": method, "params": params, **members})

    def _write(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def ask(self, method: str, params: Any) -> Any:
        self.count += 1
        self.send(method, params, id=self.count)
        message = self.until(lambda message: message.get("id") == self.count and "method" not in message)
        if "error" in message:
            sys.exit(f"{method}: {message['error']}")
        return message["result"]

    def command(self, name: str, *arguments: Any) -> Any:
        return self.ask("workspace/executeCommand", {"command": f"closeread.{name}", "arguments": arguments})

    def until(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        while (message := self.messages.get(timeout=300)) is not None:
            if "method" in message and "id" in message:
                self._write({"id": message["id"], "result": None})
            if holds(message):
                return message
        sys.exit("the server ended")

    def diagnostics(self, uri: str) -> Any:
        return self.ask("textDocument/diagnostic", {"textDocument": {"uri": uri}})

    def open(self, path: Path, text: str) -> str:
        item = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": text}
        self.send("textDocument/didOpen", {"textDocument": item})
        return path.as_uri()

    def change(self, uri: str, version: int, changes: list[dict[str, Any]]) -> None:
        self.send(
            "textDocument/didChange", {"textDocument": {"uri": uri, "version": version}, "contentChanges": changes}
        )

    def _read(self) -> None:
        stream = self.process.stdout
        assert stream is not None
        while True:
            length = 0
            while (line := stream.readline()).strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            if not line:
                self.messages.put(None)
                return
            self.messages.put(json.loads(stream.read(length)))


def scenario(client: Client, files: int, lines: int, step: Callable[[str], None]) -> None:
    """Everything once; `step` names what comes next."""
    folder = client.folder
    (folder / "app").mkdir()
    paths = [folder / "app" / f"m{number}.py" for number in range(files)]
    for number, path in enumerate(paths):
        path.write_text(SMALL.format(n=number, other=(number + 1) % files))
    step("start")
    capabilities = {
        "textDocument": {"diagnostic": {}},
        "workspace": {"diagnostics": {"refreshSupport": True}, "workspaceEdit": {"documentChanges": True}},
        "window": {"workDoneProgress": True},
    }
    root = {"uri": folder.as_uri(), "name": "x"}
    client.ask(
        "initialize", {"processId": None, "rootUri": None, "capabilities": capabilities, "workspaceFolders": [root]}
    )
    client.send("initialized", {})
    small = client.open(paths[0], paths[0].read_text())
    client.diagnostics(small)
    step("scan")
    client.command("scanWorkspace")
    step("a large file opened")
    text = "import sqlite3\nfrom flask import request\n"
    for number in range(lines // FUNCTION.count("\n")):
        text += FUNCTION.format(n=number)
    large = client.open(folder / "large.py", text)
    client.diagnostics(large)
    step("edits in it")
    line = text[: text.index("rows = []", len(text) // 2)].count("\n")
    place = {"line": line, "character": len("    rows = []")}
    version = 1
    for turn in range(40):
        version += 1
        insert = "\n    extra = 1" if turn % 10 == 0 else " "
        client.change(large, version, [{"range": {"start": place, "end": place}, "text": insert}])
        client.diagnostics(large)
        time.sleep(0.4 if turn % 20 == 0 else 0.02)
    step("a thousand edits at once")
    begin = {"line": 0, "character": 0}
    changes = [{"range": {"start": begin, "end": begin}, "text": "#\n"} for _ in range(1000)]
    client.change(large, version + 1, changes)
    client.diagnostics(large)
    step("the whole text anew")
    client.change(large, version + 2, [{"text": text}])
    client.diagnostics(large)
    step("questions")
    for uri, at in ((large, {"line": line, "character": 6}), (small, {"line": 13, "character": 8})):
        document, whole = {"uri": uri}, {"start": begin, "end": {"line": 2 * lines, "character": 0}}
        client.ask("textDocument/hover", {"textDocument": document, "position": at})
        client.ask("textDocument/codeLens", {"textDocument": document})
        client.ask("textDocument/inlayHint", {"textDocument": document, "range": whole})
        for only in (["quickfix"], ["source.fixAll"]):
            asked = {"textDocument": document, "range": whole, "context": {"diagnostics": [], "only": only}}
            client.ask("textDocument/codeAction", asked)
        for item in client.ask("textDocument/prepareCallHierarchy", {"textDocument": document, "position": at}) or ():
            client.ask("callHierarchy/incomingCalls", {"item": item})
            client.ask("callHierarchy/outgoingCalls", {"item": item})
    client.command("explain", "sql-injection")
    client.command("why", small, 13)
    client.command("showRoutes")
    step("files that are not open")
    for known in (False, True):
        client.ask("workspace/diagnostic", {"previousResultIds": [], **({"partialResultToken": "t"} if known else {})})
    step("settings")
    for settings in ({"minSeverity": "low"}, {}):
        client.send("workspace/didChangeConfiguration", {"settings": {"closeread": settings}})
        client.diagnostics(small)
    step("files changed on disk")
    events = [{"uri": path.as_uri(), "type": 2} for path in paths]
    client.send("workspace/didChangeWatchedFiles", {"changes": events})
    client.diagnostics(small)
    step("documents by the hundred")
    for path in paths[1:]:
        client.open(path, path.read_text())
    client.diagnostics(paths[-1].as_uri())
    for path in paths[1:]:
        client.send("textDocument/didClose", {"textDocument": {"uri": path.as_uri()}})
    client.diagnostics(small)
    step("a document that is too large")
    client.open(folder / "huge.py", "x = 1\n" * 1_000_000)
    client.diagnostics(small)
    step("clear cache")
    client.command("clearCache")
    client.diagnostics(large)
    step("end")
    client.ask("shutdown", None)
    client.send("exit", None)
    client.process.wait(30)


def measure(files: int, lines: int) -> dict[str, dict[str, Any]]:
    """By step: the longest that the loop was held and in what, and the latest heartbeat, in milliseconds."""
    steps: list[tuple[float, str]] = []
    with tempfile.TemporaryDirectory() as name:
        top = Path(name).resolve()
        folder, record = top / "workspace", top / "record"
        folder.mkdir()
        client = Client(folder, record, top / "cache")
        try:
            scenario(client, files, lines, lambda what: steps.append((time.monotonic(), what)))
        finally:
            client.process.kill()
            client.process.wait()
        seen = [json.loads(line) for line in record.read_text().splitlines()]
    found = {}
    ends = [began for began, _ in steps[1:]] + [float("inf")]
    for (began, what), end in zip(steps, ends, strict=True):
        here = [row for row in seen if began <= row[0] < end]
        held = max((row for row in here if row[1] == "held"), key=lambda row: row[2], default=[0, "", 0.0, ""])
        late = max((row[2] for row in here if row[1] == "late"), default=0.0)
        found[what] = {"held": held[2], "in": held[3], "late": late}
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=400)
    parser.add_argument("--lines", type=int, default=10000)
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve is not None:
        serve(options.serve)
        return
    found = measure(options.files, options.lines)
    if options.json:
        print(json.dumps(found, indent=2))
        return
    for what, row in found.items():
        over = "  over a frame" if row["held"] > FRAME else ""
        print(f"{what:32} held {row['held']:7.1f} ms{over}  late {row['late']:7.1f} ms  {row['in'][:80]}")


if __name__ == "__main__":
    main()
