"""An analyser that obeys words in the text, so that everything around the real one can be tested by itself.

BUG, REMARK and IGNORED are findings, `import x` is a dependency, HANG, STUCK, DIE and RAISE do what they say; EAT takes
memory until there is none, HOARD takes some, and THIRD dies if it is the third file.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from closeread.scan import Tools
from closeread.work import Snapshot
from closeread.workspace.files import digest
from closeread_analyzers.finding import (
    Confidence,
    FileResult,
    Finding,
    Location,
    Problem,
    Severity,
    Step,
    Suppression,
)

RULE = "sql-injection"
REMARK = "broad-except"


class Marker:
    """See the module. `analysed` are the paths it was asked for, in order."""

    analysed: list[str]

    def __init__(self, files: Snapshot, analysed: list[str] | None = None) -> None:
        self.files = files
        self.analysed = [] if analysed is None else analysed
        self.hoard: list[bytearray] = []

    def analyze(self, path: str, cancelled: Callable[[], bool]) -> FileResult:
        self.analysed.append(path)
        text = (self.files.read(path) or b"").decode()
        if "DIE" in text:
            os._exit(7)
        while "EAT" in text:
            self.hoard.append(bytearray(10_000_000))
        if "THIRD" in text and len(self.analysed) == 3:
            os._exit(7)
        if "HOARD" in text:
            self.hoard.append(bytearray(30_000_000))
        if "RAISE" in text:
            raise RuntimeError("as asked")
        while "HANG" in text:
            time.sleep(0.01)
            if cancelled():
                raise RuntimeError("cancelled")
        while "STUCK" in text:
            time.sleep(0.01)
        if "SLOW" in text:
            time.sleep(0.05)
        found: list[Finding] = []
        dependencies: list[tuple[str, str]] = []
        problems: list[Problem] = []
        for number, line in enumerate(text.split("\n"), 1):
            if match := re.match(r"import (\w+)$", line):
                other = f"{match[1]}.py"
                data = self.files.read(other) if self.files.exists(other) else None
                dependencies.append((other, "" if data is None else digest(data)))
            if "SYNTAX" in line:
                problems.append(Problem(path, number, "Cannot be parsed from here.", "syntax"))
            for word in re.findall(r"BUG|CRITICAL|REMARK|IGNORED", line):
                found.append(_finding(path, number, line, word))
        return FileResult(path, tuple(found), tuple(problems), tuple(dependencies), text.count("\n"))


def _finding(path: str, number: int, line: str, word: str) -> Finding:
    at = Location(path, number, line.index(word), number, line.index(word) + len(word))
    return Finding(
        rule=REMARK if word == "REMARK" else RULE,
        location=at,
        message=f"There is a {word}.",
        severity={"CRITICAL": Severity.CRITICAL, "REMARK": Severity.LOW}.get(word, Severity.HIGH),
        confidence=Confidence.MEDIUM,
        cwe=None if word == "REMARK" else 89,
        kind="remark" if word == "REMARK" else "vulnerability",
        fingerprint=blake2b(
            f"{path}\0{number}\0{line}\0{word}".encode("utf-8", "surrogateescape"), digest_size=16
        ).hexdigest(),
        function="view",
        trace=()
        if word == "REMARK"
        else (Step(Location(path, 1, 0, 1, 3), "a request parameter", "source"), Step(at, "into the query", "sink")),
        suppression=Suppression("known", number) if word == "IGNORED" else None,
    )


def tools(folder: Path, analysed: list[str] | None = None) -> Tools:
    """A scan with this analyser, and a cache in `folder`."""
    return Tools(make=lambda files: Marker(files, analysed), cache_folder=folder / "cache")
