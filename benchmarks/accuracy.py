"""Scores Closeread against labelled code: one report per application, then the corpus' own scorer.

    python benchmarks/accuracy.py owasp FOLDER --truth FOLDER/expected.csv --scorer SCORE.py
    python benchmarks/accuracy.py realvuln FOLDER --scorer SCORE.py

`owasp` scans FOLDER as one application. `realvuln` scans each folder in FOLDER that has a NAME.truth.json beside it.
The scorer is called as `SCORE.py owasp REPORT TRUTH` and `SCORE.py realvuln-all REPORTS FOLDER`; without --scorer,
a score.py beside or above FOLDER is taken. Reports are kept in --reports, for reading what was missed.

Absent on purpose: any knowledge of a corpus. What is scored is the report that everybody else gets.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

CLOSEREAD = str(Path(sysconfig.get_path("scripts")) / "closeread")


def analyze(folder: Path, report: Path, options: list[str]) -> None:
    """Scan `folder` as a user would, from inside it, into `report`."""
    print(f"scanning {folder.name} ...", end=" ", flush=True)
    started = time.perf_counter()
    command = [CLOSEREAD, "analyze", "--path", ".", "--output", str(report.resolve()), *options]
    outcome = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    print(f"{time.perf_counter() - started:.1f} s")
    if outcome.returncode not in (0, 3):
        sys.exit(f"the scan of {folder} failed with {outcome.returncode}:\n{outcome.stderr[-2000:]}")


def scorer_of(folder: Path, given: Path | None) -> Path:
    """The scorer, given or found near the corpus."""
    candidates = [given] if given else [folder / "score.py", folder.parent / "score.py"]
    for candidate in candidates:
        if candidate.is_file():
            return candidate
    sys.exit(f"no scorer at {', '.join(map(str, candidates))}; name it with --scorer")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", choices=("owasp", "realvuln"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scorer", type=Path)
    parser.add_argument("--truth", type=Path, help="owasp only; default: expected.csv in FOLDER")
    parser.add_argument("--reports", type=Path, default=Path(".cache/accuracy"))
    parser.add_argument(
        "--inferred", action="store_true", help="with what the model in use infers of unknown libraries"
    )
    options = parser.parse_args()
    more = ["--inferred"] if options.inferred else []
    folder: Path = options.folder.resolve()
    if not folder.is_dir():
        sys.exit(f"{folder} is no folder")
    scorer = scorer_of(folder, options.scorer)
    reports: Path = options.reports / options.corpus
    reports.mkdir(parents=True, exist_ok=True)

    if options.corpus == "owasp":
        report = reports / f"{folder.name}.json"
        analyze(folder, report, more)
        arguments = ["owasp", str(report), str(options.truth or folder / "expected.csv")]
    else:
        applications = [at.name.removesuffix(".truth.json") for at in sorted(folder.glob("*.truth.json"))]
        if not applications:
            sys.exit(f"{folder} holds no NAME.truth.json")
        for number, name in enumerate(applications, 1):
            print(f"[{number}/{len(applications)}]", end=" ")
            analyze(folder / name, reports / f"{name}.json", more)
        arguments = ["realvuln-all", str(reports), str(folder)]
    sys.exit(subprocess.run([sys.executable, str(scorer), *arguments], check=False).returncode)


if __name__ == "__main__":
    main()
