"""What git and CI cost: a change against a whole scan, a warm scan against a cold one, the hook.

    .venv/bin/python benchmarks/commits.py [--files 1200] [--commits 1000]

Makes a repository of that many commits, and runs the real commands in it, each with a cache of its own. CPU seconds of
the processes and their children; the hook's are medians of nine runs. Another machine, other figures:
compare the ratios.
"""

from __future__ import annotations

import argparse
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MODULE = """import os
import flask
from pkg{near} import m{other}

app = flask.Flask(__name__)


class Store{n}:
    def __init__(self, root):
        self.root = root
        self.rows = {{}}

    def path(self, name):
        return os.path.join(self.root, os.path.basename(name))

    def find(self, key, default=None):
        for row in self.rows.get(key, []):
            if row.get("name") == key:
                return row
        return default


@app.route("/v{n}/<int:number>")
def view_{n}(number):
    value = flask.request.args.get("q", "{n}")
    rows = [row for row in range(number) if row % {k} == 0]
    if not rows:
        return m{other}.helper_{other}(value)
    total = sum(rows) + {n}
    return flask.jsonify(total=total, name=value.strip().lower())


def helper_{n}(value):
    parts = value.split(",")
    result = []
    for part in parts:
        if part.isdigit():
            result.append(int(part) * {k})
        elif part:
            result.append(len(part))
    return str(sum(result))
"""


def git(top: Path, *arguments: str, stdin: str | None = None) -> str:
    environment = {
        **os.environ,
        **{f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
    }
    return subprocess.run(
        ["git", *arguments], cwd=top, env=environment, input=stdin, capture_output=True, text=True, check=True
    ).stdout


def make(top: Path, files: int, commits: int) -> None:
    """Files in packages, then commits that change a line or two each, by `git fast-import`."""
    git(top, "init", "-q", "-b", "main")
    dice = random.Random(6)
    texts = {}
    for n in range(files):
        other = dice.randrange(files)
        texts[f"pkg{n // 20}/m{n}.py"] = MODULE.format(n=n, other=other, near=other // 20, k=dice.randrange(2, 9)) * 2
    stream = []
    for number in range(commits):
        changed = texts if number == 0 else {dice.choice(list(texts)): ""}
        for path in changed:
            if number:
                texts[path] = texts[path].replace(
                    "    total = sum(rows)", f"    step = {number}\n    total = sum(rows)", 1
                )
        stream.append(f"commit refs/heads/main\ncommitter x <x@y.z> {1_700_000_000 + number} +0000\ndata 1\nx")
        stream += [f"M 644 inline {path}\ndata {len(texts[path].encode())}\n{texts[path]}" for path in changed]
    git(top, "fast-import", "--quiet", stdin="\n".join(stream) + "\n")
    git(top, "reset", "-q", "--hard", "main")


def cost(top: Path, cache: Path, *arguments: str) -> tuple[float, float]:
    """CPU and clock seconds of one run."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-I", "-m", "closeread", *arguments],
        cwd=top,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    after, ended = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    if done.returncode > 1:
        raise SystemExit(done.stderr)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, ended - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=1200)
    parser.add_argument("--commits", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        top, cold, empty, fresh = (Path(folder) / name for name in ("repository", "cold", "empty", "fresh"))
        top.mkdir()
        make(top, options.files, options.commits)
        scan = ("analyze", "--path", ".", "--quiet")
        cost(top, fresh, "analyze", "--path", "pkg0/m0.py", "--quiet")  # what is imported is read from the disk once
        whole, whole_clock = cost(top, cold, *scan)
        warm, warm_clock = cost(top, cold, *scan)
        change, change_clock = cost(top, empty, *scan, "--diff", "HEAD~1")
        print(f"{options.files} files, {git(top, 'rev-list', '--count', 'HEAD').strip()} commits")
        print(f"whole scan, cold      {whole:7.2f} s CPU {whole_clock:7.2f} s")
        ratios = f"{whole / warm:.1f} times less CPU, {whole_clock / warm_clock:.1f} times faster"
        print(f"whole scan, warm      {warm:7.2f} s CPU {warm_clock:7.2f} s   {ratios}")
        print(
            f"--diff HEAD~1, cold   {change:7.2f} s CPU {change_clock:7.2f} s   {change / whole:.1%} of the whole scan's CPU"
        )
        hooks: dict[str, list[tuple[float, float]]] = {
            "content that was looked at before": [],
            "content nobody has seen": [],
        }
        file = top / "pkg0/m0.py"
        for number in range(9):
            file.write_text(file.read_text().replace("    parts = value", f"    step = {number}\n    parts = value", 1))
            git(top, "add", "-A")
            hooks["content nobody has seen"].append(cost(top, cold, "hook"))
            hooks["content that was looked at before"].append(cost(top, cold, "hook"))
        for what, seconds in hooks.items():
            cpu, clock = (statistics.median(column) * 1000 for column in zip(*seconds, strict=True))
            print(f"hook, one file, {what}: {cpu:.0f} ms CPU, {clock:.0f} ms")


if __name__ == "__main__":
    main()
