"""How quiet Closeread is on good code: findings per 1,000 lines of code over eleven well-kept libraries.

    python benchmarks/quiet.py [--packages FOLDER] [--with-bandit]

The libraries are installed from the package index into FOLDER (once; default .cache/quiet), without their
dependencies, and scanned there in one run. Lines of code are lines that are neither blank nor only a comment.
Findings of high severity are listed one by one, to be looked at; --with-bandit scans the same tree with Bandit.

The three that were listed last, looked at:
  django/views/static.py path-traversal         false: the path is normalised and joined by `safe_join`, which raises outside the root
  werkzeug/serving.py cross-site-scripting      false: it is the error page, whose text is escaped
  jquery.js cross-site-scripting                true of jquery: it makes markup of what it is given, and is there to do so
Of the medium ones, the nine of second-order-sql-injection are drivers that read names of tables back from the
database's own catalogue (false where nobody else may create tables), `hashers.py` keeps MD5 for old passwords (true),
and httpx's two are its own `verify=False` (true).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import sysconfig
import time
from collections import Counter
from pathlib import Path

CLOSEREAD = str(Path(sysconfig.get_path("scripts")) / "closeread")
LIBRARIES = (
    *("flask", "requests", "httpx", "attrs", "django", "starlette", "click", "rich", "sqlalchemy", "jinja2"),
    "werkzeug",
)
LEVELS = ("critical", "high", "medium", "low", "info")
LOUD = LEVELS[:3]


def install(folder: Path) -> None:
    """Every library into a folder of its own, unless it is there."""
    for number, library in enumerate(LIBRARIES, 1):
        target = folder / library
        if target.is_dir():
            continue
        print(f"[{number}/{len(LIBRARIES)}] installing {library}", flush=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        subprocess.run([*command, "--target", str(target), library], check=True)


def versions(folder: Path) -> str:
    """What is installed: "flask 3.1.2, ..."."""
    names = [at.name.removesuffix(".dist-info").replace("-", " ", 1) for at in sorted(folder.glob("*/*.dist-info"))]
    return ", ".join(names)


def lines_of(folder: Path) -> tuple[int, int]:
    """All lines, and lines of code."""
    total = code = 0
    for file in folder.rglob("*.py"):
        for line in file.read_bytes().splitlines():
            total += 1
            code += bool(line.strip()) and not line.lstrip().startswith(b"#")
    return total, code


def run(command: list[str], what: str, folder: Path) -> int:
    """Run a command in `folder`, and say how long it took."""
    print(f"{what} ...", end=" ", flush=True)
    started = time.perf_counter()
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    print(f"{time.perf_counter() - started:.0f} s")
    if outcome.returncode > 1 and outcome.returncode != 3:
        sys.exit(f"{what} failed with {outcome.returncode}:\n{outcome.stderr[-2000:]}")
    return outcome.returncode


def closeread(folder: Path, report: Path) -> None:
    """Scan and print."""
    command = [CLOSEREAD, "analyze", "--path", ".", "--output", str(report)]
    run(command, "closeread", folder)
    found = json.loads(report.read_text(encoding="utf-8"))["vulnerabilities"]
    total, code = lines_of(folder)
    print(f"\n{total:,} lines, {code:,} of code\n")

    rows: Counter[tuple[str, str]] = Counter(
        (item["identifiers"][0]["value"], item["severity"].lower()) for item in found
    )
    print(f"{'rule':40} {'severity':9} {'count':>6} {'per 1,000':>10}")
    for (rule, severity), count in sorted(rows.items(), key=lambda row: (LEVELS.index(row[0][1]), -row[1])):
        print(f"{rule:40} {severity:9} {count:6} {1000 * count / code:10.4f}")
    loud = sum(count for (_, severity), count in rows.items() if severity in LOUD)
    print(f"{'medium and higher':50} {loud:6} {1000 * loud / code:10.4f}\n")

    print("high and critical, to be looked at:")
    for item in found:
        if item["severity"].lower() in LEVELS[:2]:
            at = item["location"]
            print(f"  {at['file']}:{at['start_line']} {item['identifiers'][0]['value']}: {item.get('description', '')}")


def bandit(folder: Path, report: Path) -> None:
    """The peer, on the same tree."""
    command = [sys.executable, "-m", "bandit", "-q", "-r", ".", "-f", "json", "-o", str(report)]
    run(command, "bandit", folder)
    data = json.loads(report.read_text(encoding="utf-8"))
    _, code = lines_of(folder)
    counts = Counter(item["issue_severity"].lower() for item in data["results"])
    loud = counts["high"] + counts["medium"]
    print(f"bandit: medium and higher {loud}, {1000 * loud / code:.4f} per 1,000; high {counts['high']}")
    if data["errors"]:
        print(f"bandit could not read {len(data['errors'])} files")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", type=Path, default=Path(".cache/quiet"))
    parser.add_argument("--with-bandit", action="store_true")
    options = parser.parse_args()
    folder: Path = options.packages.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    reports = folder.parent / f"{folder.name}-reports"
    reports.mkdir(exist_ok=True)

    install(folder)
    print(versions(folder))
    closeread(folder, reports / "closeread.json")
    if options.with_bandit:
        bandit(folder, reports / "bandit.json")


if __name__ == "__main__":
    main()
