"""How fast Closeread is: a cold scan against Bandit, a warm scan against a cold one, and an edit in process.

    python benchmarks/speed.py FOLDER [--repeat 3] [--jobs 1] [--without-bandit]
    python benchmarks/speed.py --edit [--lines 2000] [--edits 100] [--routes]

A scan is measured in CPU seconds of the whole process tree (user and system, `getrusage` of the children), so that
neither cores nor a busy machine flatter anybody. Both tools read the same tree in the same run, in turns, and the
median of the turns counts. "Cold" has an empty cache of its own; "warm" is the same scan again.

The edit is measured in process, wall clock, through the same façade that the language server uses: a character
typed inside one function of a file made of many, then the whole file's findings.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path

CLOSEREAD = str(Path(sysconfig.get_path("scripts")) / "closeread")
FUNCTION = '''
def handler_{n}(request, connection):
    """Answer one of many requests."""
    name = request.args.get("name", "")
    limit = int(request.args.get("limit", "10"))
    rows = []
    for number in range(limit):
        row = {{"number": number, "name": name, "total": number * {n}}}
        if number % 3 == 0 and name:
            row["label"] = f"{{name}}-{{number}}"
        elif number % 5 == 0:
            row["label"] = ", ".join(sorted([name, "other", str(number)]))
        rows.append(row)
    cursor = connection.cursor()
    cursor.execute("SELECT * FROM things WHERE name = ? LIMIT ?", (name, limit))
    found = [dict(row) for row in cursor.fetchall()]
    return {{"rows": rows, "found": found, "count": len(found) + helper_{n}(limit)}}


def helper_{n}(limit):
    return max(0, min(limit, {n}))
'''

ROUTE = '''
@app.route("/place/{n}", methods=["POST"])
def place_{n}():
    """Keep what one of many forms says."""
    name = request.form["name"]
    rows = []
    if not session.get("user"):
        return redirect("/login")
    connection = sqlite3.connect("places")
    connection.execute("INSERT INTO places VALUES (?)", (name,))
    connection.commit()
    return render_template("place.html", name=name, rows=rows)

'''


def measure(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """CPU seconds (with all children) and wall seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if outcome.returncode > 1 and outcome.returncode != 3:
        sys.exit(f"{' '.join(command)} failed with {outcome.returncode}:\n{outcome.stderr[-2000:]}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def scans(folder: Path, repeat: int, jobs: int, with_bandit: bool) -> None:
    """Cold, warm and the peer, in turns."""
    lines = sum(len(file.read_bytes().splitlines()) for file in folder.rglob("*.py"))
    print(f"{folder}: {lines:,} lines of Python")
    cold: list[float] = []
    warm: list[float] = []
    walls: list[tuple[float, float]] = []
    peer: list[float] = []
    for turn in range(1, repeat + 1):
        with tempfile.TemporaryDirectory() as home:
            # Where Linux, macOS and Windows look for a user's cache.
            places = {"HOME": home, "XDG_CACHE_HOME": home, "LOCALAPPDATA": home}
            environment = {**os.environ, **places}
            report = str(Path(home) / "report.json")
            scan = [CLOSEREAD, "analyze", "--path", str(folder), "--output", report]
            scan += ["--jobs", str(jobs)] if jobs else []
            first, first_wall = measure(scan, environment)
            second, second_wall = measure(scan, environment)
            cold.append(first)
            warm.append(second)
            walls.append((first_wall, second_wall))
            print(f"[{turn}/{repeat}] closeread cold {first:.2f} s, warm {second:.2f} s CPU", flush=True)
            if with_bandit:
                command = [sys.executable, "-m", "bandit", "-q", "-r", str(folder), "-f", "json", "-o", report]
                taken, _ = measure(command, environment)
                peer.append(taken)
                print(f"[{turn}/{repeat}] bandit {taken:.2f} s CPU", flush=True)

    middle = statistics.median(cold)
    print(f"\ncold  {lines / middle:10,.0f} lines per CPU second  ({middle:.2f} s CPU, wall {_wall(walls, 0):.2f} s)")
    again = statistics.median(warm)
    print(f"warm  {middle / again:10.1f} times less CPU than cold  ({again:.2f} s CPU, wall {_wall(walls, 1):.2f} s)")
    print(f"      {_wall(walls, 0) / _wall(walls, 1):10.1f} times faster by the wall clock")
    if peer:
        theirs = statistics.median(peer)
        print(f"bandit{lines / theirs:10,.0f} lines per CPU second  ({theirs:.2f} s CPU)")
        print(f"ratio {theirs / middle:10.2f} times Bandit's lines per CPU second")


def _wall(walls: list[tuple[float, float]], which: int) -> float:
    return statistics.median(pair[which] for pair in walls)


class OneFile:
    """A project of one file in memory."""

    def __init__(self, text: bytes) -> None:
        self.text = text

    def read(self, path: str) -> bytes | None:
        return self.text if path == "app.py" else None

    def exists(self, path: str) -> bool:
        return path == "app.py"


def edits(lines: int, count: int, *, routes: bool = False) -> None:
    """The median latency of an edit inside one function; with `routes` each is one."""
    from closeread_analyzers.pipeline import Project  # here: the scans must not pay for it

    text = (
        "import sqlite3\nfrom flask import Flask, redirect, render_template, request, session\napp = Flask(__name__)\n"
    )
    number = 0
    while text.count("\n") < lines:
        text += (ROUTE if routes else FUNCTION).format(n=number)
        number += 1
    files = OneFile(text.encode())
    project = Project(files)
    started = time.perf_counter()
    project.analyze("app.py")
    print(
        f"{text.count(chr(10)):,} lines, {number if routes else 2 * number} functions; first analysis {_ms(started):.0f} ms"
    )

    # Statements typed letter by letter near the middle: every text is a new one, as in an editor.
    mark = b"rows = []"
    at = files.text.index(mark, len(files.text) // 2) + len(mark)
    taken = []
    for turn in range(count):
        typed = b"abcdefghi"[turn % 10 - 1 : turn % 10] if turn % 10 else b"\n    extra = "
        files.text = files.text[:at] + typed + files.text[at:]
        started = time.perf_counter()
        project.change("app.py", [(at, at, at + len(typed))])
        project.analyze("app.py")
        taken.append(_ms(started))
        at += len(typed)
    taken.sort()
    print(f"edit to findings over {count} edits: median {statistics.median(taken):.1f} ms, ", end="")
    print(f"95th percentile {taken[int(0.95 * len(taken))]:.1f} ms, worst {taken[-1]:.1f} ms")


def _ms(started: float) -> float:
    return 1000 * (time.perf_counter() - started)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument(
        "--jobs", type=int, default=0, help="worker processes; 1 is as many as Bandit has (default: one a core)"
    )
    parser.add_argument("--without-bandit", action="store_true")
    parser.add_argument("--edit", action="store_true", help="measure an edit in process instead")
    parser.add_argument("--routes", action="store_true", help="an edit in a file of routes")
    parser.add_argument("--lines", type=int, default=2000)
    parser.add_argument("--edits", type=int, default=100)
    options = parser.parse_args()
    if options.edit:
        edits(options.lines, options.edits, routes=options.routes)
    elif options.folder is None:
        parser.error("name a folder to scan, or --edit")
    elif not options.folder.is_dir():
        parser.error(f"{options.folder} is no folder")
    else:
        scans(options.folder.resolve(), options.repeat, options.jobs, not options.without_bandit)


if __name__ == "__main__":
    main()
