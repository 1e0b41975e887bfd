"""Whether the server grows: 100,000 edits, each waited for, and what it has in memory on the way.

    .venv/bin/python benchmarks/growth.py [--edits 100000] [--lines 300]

Text is typed inside functions of one file, new text all the time, and taken away again, so that the file stays as it was.
Resident memory settles after some thousand edits: compare the figures after that.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from pathlib import Path

from latency import CLOSEREAD, program, started

LENGTH = 40
"""Characters typed at one place."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--edits", type=int, default=100_000)
    parser.add_argument("--lines", type=int, default=300)
    options = parser.parse_args()
    text = program(options.lines)
    places = [number for number, line in enumerate(text.split("\n")) if line == "    rows = []"]
    dice = random.Random(4)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary).resolve()
        uri = (folder / "app.py").as_uri()
        with started(CLOSEREAD, folder, folder / "cache") as server:
            server.open(uri, text)
            server.diagnostics(uri, 1)
            begun = time.perf_counter()
            line = 0
            for number in range(options.edits):
                turn = number % LENGTH
                if number % (options.edits // 20) == 0:
                    minutes = (time.perf_counter() - begun) / 60
                    print(f"{number:8,} edits {server.memory():6.1f} MB, {minutes:.1f} minutes", flush=True)
                if turn == 0:
                    line = dice.choice(places)
                    server.change(uri, number + 2, line, len("    rows = []"), f"\n    extra = {number}")
                elif turn < LENGTH - 1:
                    server.change(uri, number + 2, line + 1, len(f"    extra = {number - turn}"), str(turn % 10))
                else:
                    server.remove(uri, number + 2, line + 1)
                server.diagnostics(uri, number + 2)
            print(f"{options.edits:8,} edits {server.memory():6.1f} MB", flush=True)


if __name__ == "__main__":
    main()
