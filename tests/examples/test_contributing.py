"""What CONTRIBUTING.md walks through, done: its library and its rule are added to the built-in ones and work."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from closeread_analyzers.catalogue import Catalogue, builtin, load
from closeread_analyzers.pipeline import Project

ROOT = Path(__file__).parents[2]
PACKAGE = "analyzers/closeread_analyzers/"
FILE = re.compile(r"^`(analyzers/\S+)`\n\n(`{3,})\w+\n(.*?)^\2$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"under `## Flagged`\.\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")


class Memory(dict[str, str]):
    """Files by path."""

    def read(self, path: str) -> bytes | None:
        return self[path].encode() if path in self else None

    def exists(self, path: str) -> bool:
        return path in self


def reported(catalogue: Catalogue | None, files: dict[str, str], rule: str) -> set[tuple[str, int]]:
    """Where `rule` reports something."""
    project = Project(Memory(files), catalogue)
    return {
        (path, finding.location.start_line)
        for path in files
        for finding in project.analyze(path).findings
        if finding.rule == rule
    }


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    folder = tmp_path_factory.mktemp("grown")
    for part in ("rules", "models"):
        shutil.copytree(ROOT / PACKAGE / part, folder / part)
    for path, _, text in FILE.findall(GUIDE):
        (folder / path.removeprefix(PACKAGE)).write_text(text, encoding="utf-8")
    return load(folder / "rules", folder / "models")


def test_the_guide_adds_one_library_and_one_rule(grown: Catalogue) -> None:
    assert [path.rpartition("/")[2] for path, _, _ in FILE.findall(GUIDE)] == [
        "sarge.toml",
        "repeated-operand.md",
        "repeated_operand.py",
    ]
    assert grown.rules.keys() - builtin().rules.keys() == {"repeated-operand"}
    assert grown.models("python").calls.keys() - builtin().models("python").calls.keys() == {
        "sarge.run",
        "sarge.capture_stdout",
    }


def test_the_library_of_the_guide_is_understood(grown: Catalogue) -> None:
    (code,) = PYTHON.findall(GUIDE)
    line = next(number for number, text in enumerate(code.splitlines(), 1) if text.endswith("# finding"))

    assert reported(grown, {"app.py": code}, "command-injection") == {("app.py", line)}
    assert reported(None, {"app.py": code}, "command-injection") == set()


def test_the_rule_of_the_guide_does_what_its_examples_say(grown: Catalogue) -> None:
    examples = grown.rules["repeated-operand"].examples

    assert len(examples) == 3
    for example in examples:
        expected = {(mark.path, mark.line) for mark in example.marks}
        assert reported(grown, example.files, "repeated-operand") == expected, example.id
