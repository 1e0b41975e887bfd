"""Programs for tests of the engine: texts by path, and what their marks promise.

A program is one text; a line `# file: name.py` starts a further file (the first is `app.py`). A line that must be
reported ends in `# finding`; `# missed` says that it should be and is not, `# spurious` that it should not be and is.
`PRELUDE` goes before every file, so that a case is no longer than what it is about: `source()` is what a client
sent, `sink(x)` a shell.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Any

import pytest

from closeread_analyzers.finding import FileResult, Finding
from closeread_analyzers.pipeline import Project, merged

RULE = "command-injection"
PRELUDE = "import os, flask\n"
_FILE = re.compile(r"^(?:#|//) file: (\S+)\n", re.MULTILINE)
_MARK = re.compile(r"(?:#|//) (finding|missed|spurious)\b")


class Texts(dict[str, str]):
    """Files in memory, as `pipeline.Files` wants them."""

    def read(self, path: str) -> bytes | None:
        text = self.get(path)
        return None if text is None else text.encode("utf-8", "surrogateescape")

    def exists(self, path: str) -> bool:
        return path in self


def files(program: str, prelude: str = PRELUDE) -> Texts:
    """The files of a program. `source()` and `sink(` are written out in place, so no wrapper is in the way."""
    pieces = _FILE.split(program.lstrip("\n"))
    named = {"app.py": pieces[0]} if pieces[0].strip() else {}
    named.update(zip(pieces[1::2], pieces[2::2], strict=True))
    texts = Texts()
    for path, text in named.items():
        text = re.sub(r"\bsource\(\)", 'flask.request.args["q"]', text)
        text = re.sub(r"(?<!def )\bsink\(", "os.system(", text)
        texts[path] = prelude + text if path.endswith(".py") else text
    return texts


def results(texts: Texts, order: Iterable[str] | None = None) -> list[FileResult]:
    """All files analysed in one project, in the given order."""
    project = Project(texts)
    return [project.analyze(path) for path in (order if order is not None else texts)]


def findings(program: str, rule: str = RULE) -> list[Finding]:
    """What a rule finds in a program."""
    return [finding for finding in merged(results(files(program))) if finding.rule == rule]


def check(program: str, rules: Collection[str] = (RULE,)) -> None:
    """The marked lines are reported, and no others; nothing crashes."""
    texts = files(program)
    found = results(texts)
    crashes = [problem.message for result in found for problem in result.problems]
    assert not crashes
    expected = {
        (path, number)
        for path, text in texts.items()
        for number, line in enumerate(text.split("\n"), 1)
        if (mark := _MARK.search(line)) and mark[1] != "missed"
    }
    reported = {(f.location.path, f.location.start_line) for f in merged(found) if f.rule in rules}

    def shown(places: set[tuple[str, int]]) -> list[str]:
        return sorted(f"{path}:{line}: {texts[path].splitlines()[line - 1].strip()}" for path, line in places)

    assert shown(expected) == shown(reported)


def cases(programs: str) -> list[Any]:
    """The parameters for a table: programs under `### name` lines."""
    pieces = re.split(r"^### (.+)\n", programs, flags=re.MULTILINE)
    return [pytest.param(text, id=name) for name, text in zip(pieces[1::2], pieces[2::2], strict=True)]
