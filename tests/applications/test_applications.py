"""Small applications, one a page: what a careful reviewer would mark in them, and what is reported.

A page holds files, each a path in backticks on its own line and a block below it. A line that must be reported ends in
`finding: RULE, RULE`; `missed: RULE` says that it should be and is not, `spurious: RULE` that it should not be and is.
Remarks are not looked at. `python tests/applications/test_applications.py` prints a score instead.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from closeread_analyzers.pipeline import Project, merged

PAGES = sorted(Path(__file__).parent.glob("*.md"))
_FILE = re.compile(r"^`([^`\n]+)`\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MARK = re.compile(r"(?:#|//|<!--)\s*((?:finding|missed|spurious): .*)$")
_KIND = re.compile(r"(finding|missed|spurious): ([a-z-]+(?:, [a-z-]+)*)")

Place = tuple[str, int, str]
"""A file, a line and a rule."""


class Texts(dict[str, str]):
    """Files in memory, as `pipeline.Files` wants them."""

    def read(self, path: str) -> bytes | None:
        text = self.get(path)
        return None if text is None else text.encode()

    def exists(self, path: str) -> bool:
        return path in self or any(known.startswith(path) for known in self if path.endswith("/"))


def files(page: str) -> Texts:
    """The files of a page."""
    return Texts(_FILE.findall(page))


def marks(texts: Texts) -> dict[str, set[Place]]:
    """The marked places by mark: "finding", "missed" and "spurious"."""
    found: dict[str, set[Place]] = {"finding": set(), "missed": set(), "spurious": set()}
    for path, text in texts.items():
        for number, line in enumerate(text.split("\n"), 1):
            mark = _MARK.search(line)
            for kind, rules in _KIND.findall(mark[1]) if mark else ():
                found[kind] |= {(path, number, rule) for rule in rules.split(", ")}
    return found


def reported(texts: Texts) -> set[Place]:
    """The vulnerabilities that a scan of the page's files finds."""
    project = Project(texts)
    results = [project.analyze(path) for path in texts]
    assert not [problem.message for result in results for problem in result.problems]
    return {(f.location.path, f.location.start_line, f.rule) for f in merged(results) if f.kind == "vulnerability"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_applications(page: Path) -> None:
    texts = files(page.read_text(encoding="utf-8"))
    marked = marks(texts)

    assert sorted(marked["finding"] | marked["spurious"]) == sorted(reported(texts))


def score(pages: list[Path], quiet: bool) -> None:
    """Prints what is missed and what is reported too much, and the figures of each page."""
    total: Counter[str] = Counter()
    for page in pages:
        texts = files(page.read_text(encoding="utf-8"))
        marked = marks(texts)
        wanted, seen = marked["finding"] | marked["missed"], reported(texts)
        for word, places in (("missed", wanted - seen), ("spurious", seen - wanted)) if not quiet else ():
            for path, line, rule in sorted(places):
                print(f"{word:9} {path}:{line} {rule}: {texts[path].splitlines()[line - 1].strip()[:90]}")
        counts = Counter(tp=len(wanted & seen), fp=len(seen - wanted), fn=len(wanted - seen))
        print(f"{page.stem:20} right {counts['tp']:3}  wrong {counts['fp']:3}  missed {counts['fn']:3}")
        total += counts
    print(f"{'all':20} right {total['tp']:3}  wrong {total['fp']:3}  missed {total['fn']:3}", end="  ")
    print(
        f"precision {total['tp'] / (total['tp'] + total['fp']):.3f} recall {total['tp'] / (total['tp'] + total['fn']):.3f}"
    )


if __name__ == "__main__":
    score([page for page in PAGES if not sys.argv[1:] or page.stem in sys.argv[1:]], False)
