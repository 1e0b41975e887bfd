"""The real server over an analysis of twenty lines, so that the protocol's tests say where a fault is.

It finds `os.system(...)` calls, follows `# from NAME` to another file for the trace, honours the suppressing comment,
takes its time over `# slow SECONDS`, and fails over `# crash`.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence

from closeread.lsp.server import run
from closeread_analyzers.finding import Confidence, FileResult, Finding, Location, Severity, Step
from closeread_analyzers.pipeline import Cancelled, Files


class FakeProject:
    def __init__(self, files: Files) -> None:
        self.files = files
        self.rests_on: dict[str, set[str]] = {}

    def change(self, path: str, edits: Iterable[tuple[int, int, int]] = ()) -> None:
        pass

    def dependents(self, path: str) -> frozenset[str]:
        return frozenset(other for other, used in self.rests_on.items() if path in used)

    def analyze(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileResult:
        source = (self.files.read(path) or b"").decode()
        self.rests_on[path] = set(re.findall(r"# from (\S+)", source))
        if slow := re.search(r"# slow ([\d.]+)", source):
            end = time.monotonic() + float(slow[1])
            while time.monotonic() < end:
                if cancelled():
                    raise Cancelled
                time.sleep(0.001)
        if "# crash" in source:
            raise RuntimeError("the analysis broke")
        if "# print" in source:
            print("a stray word on standard output")
        lines = source.split("\n")
        return FileResult(
            path,
            tuple(
                self._finding(path, number, match, lines)
                for number, line in enumerate(lines, 1)
                for match in re.finditer(r"os\.(system|popen)\(.*?\)", line)
                if "closeread: ignore[" not in line and "closeread: ignore[" not in lines[number - 2]
            ),
            lines=len(lines),
        )

    glance = analyze

    def fix(self, finding: Finding, cancelled: Callable[[], bool] = lambda: False) -> None:
        return None

    def fix_all(
        self, findings: Sequence[Finding], cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[None, tuple[Finding, ...]]:
        return None, ()

    def _finding(self, path: str, number: int, match: re.Match[str], lines: list[str]) -> Finding:
        here = Location(path, number, match.start(), number, match.end())
        steps = []
        for name in sorted(self.rests_on[path]):
            other = (self.files.read(name) or b"").decode().split("\n")[0]
            steps.append(Step(Location(name, 1, 0, 1, len(other)), f"comes from `{other}`", "source"))
        return Finding(
            rule="command-injection",
            location=here,
            message=f"`{match[0]}` reaches a shell.",
            severity=Severity.CRITICAL if match[1] == "system" else Severity.LOW,
            confidence=Confidence.HIGH,
            cwe=78,
            kind="vulnerability",
            fingerprint=f"{number:016x}{match.start():016x}",
            trace=(*steps, Step(here, "reaches the shell", "sink")),
        )


if __name__ == "__main__":
    run(project_factory=FakeProject)
