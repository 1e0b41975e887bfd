"""What a busy model costs whoever types: an edit to its diagnostics while the server's own model explains, against one that is idle.

    nice .venv/bin/python benchmarks/busy.py [--lines 2000] [--rounds 20]    # with the model in use

In turns, in one server: a burst of five edits with nothing else going on, and a burst beside an explanation that the model began
to write two seconds earlier, of code that it never saw. "First" is the first edit of a burst, which the model is not prepared for;
from then on it rests while somebody types. Medians.
"""

from __future__ import annotations

import argparse
import queue
import statistics
import tempfile
import time
from pathlib import Path

from latency import CLOSEREAD, Server, started
from speed import FUNCTION

# The number stands in the line that is explained: a question that was asked before would be answered from memory.
EXPLAINED = "import os, flask\n\n\ndef ping():\n    os.system('ping -c{number} ' + flask.request.args['host'])\n"
EDITS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lines", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=20)
    options = parser.parse_args()
    text = "import os\n\n\n" + "\n\n".join(FUNCTION.format(n=number) for number in range(options.lines // 22))
    with (
        tempfile.TemporaryDirectory() as folder,
        tempfile.TemporaryDirectory() as cache,
        started(CLOSEREAD, Path(folder), Path(cache)) as server,
    ):
        measure(server, Path(folder), text, options.rounds)


def measure(server: Server, folder: Path, text: str, rounds: int) -> None:
    uri, other = (folder / "typed.py").as_uri(), (folder / "explained.py").as_uri()
    server.open(uri, text)
    server.diagnostics(uri, 1)
    server.open(other, EXPLAINED.format(number=0))
    server.diagnostics(other, 1)
    server.send("workspace/executeCommand", {"command": "closeread.restartModel", "arguments": []}, id=7)
    wait(server, lambda message: message.get("id") == 7, 120)
    version = 1
    first: dict[bool, list[float]] = {True: [], False: []}
    rest: dict[bool, list[float]] = {True: [], False: []}
    for number in range(2 * rounds):
        busy = number % 2 == 1
        if busy:
            changed = EXPLAINED.format(number=number)
            params = {"textDocument": {"uri": other, "version": number + 1}, "contentChanges": [{"text": changed}]}
            server.send("textDocument/didChange", params)
            wait(server, lambda message: message.get("method") == "textDocument/publishDiagnostics", 10)
            server.send(
                "workspace/executeCommand", {"command": "closeread.explain", "arguments": [other, 4]}, id=100 + number
            )
        time.sleep(2.0)
        for edit in range(EDITS):
            version += 1
            sent = time.perf_counter()
            server.change(uri, version, 5, 0, " " if version % 2 else "#")
            at, _ = server.diagnostics(uri, version)
            (first if edit == 0 else rest)[busy].append(at - sent)
            time.sleep(0.15)
        if busy:
            server.send("$/cancelRequest", {"id": 100 + number})
            time.sleep(0.5)
    for name, taken in (("first of a burst", first), ("those after it", rest)):
        idle, beside = (1000 * statistics.median(taken[busy]) for busy in (False, True))
        print(
            f"{name}: median {beside:.1f} ms beside a busy model, {idle:.1f} ms beside an idle one: {100 * beside / idle - 100:+.0f} %"
        )


def wait(server: Server, holds: object, seconds: float) -> None:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        try:
            if holds(server.receive(ends - time.monotonic())[1]):  # type: ignore[operator]
                return
        except queue.Empty:
            return


if __name__ == "__main__":
    main()
