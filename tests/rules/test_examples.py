"""Every code block of every rule is a test: the rule reports the marked lines, and no others.

A line marked `missed` is not reported yet, one marked `spurious` still is: the test fails on the day either
becomes right, so that the mark goes with it.
"""

from __future__ import annotations

import pytest

from closeread_analyzers.catalogue import Example, builtin
from closeread_analyzers.languages import language_of
from closeread_analyzers.pipeline import Project, merged

TODAY = "2026-07-01"
EXAMPLES = [example for rule in builtin().rules.values() for example in rule.examples]


class Block:
    """The files of one code block."""

    def __init__(self, example: Example) -> None:
        self.texts = {path: text.encode() for path, text in example.files.items()}

    def read(self, path: str) -> bytes | None:
        return self.texts.get(path)

    def exists(self, path: str) -> bool:
        return path in self.texts


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.id)
def test_example(example: Example) -> None:
    project = Project(Block(example))
    paths = [path for path in example.files if language_of(path) is not None]
    assert paths, f"{example.document.name}:{example.line}: no language is known for any of {sorted(example.files)}"

    results = [project.analyze(path) for path in paths]

    crashes = [problem for result in results for problem in result.problems if problem.kind == "crash"]
    assert not crashes
    reported = {
        (finding.location.path, finding.location.start_line)
        for finding in merged(results, TODAY, whole=True)
        if finding.rule == example.rule and finding.suppression is None
    }
    expected = {(mark.path, mark.line) for mark in example.marks if mark.kind != "missed"}
    assert expected == reported, f"{example.document.name}, the block at line {example.line}"


def test_there_are_enough() -> None:
    """The floor that the project set itself, counted on what the rules really carry."""
    rules = builtin().rules.values()
    security = [rule for rule in rules if rule.kind == "vulnerability"]
    remarks = [rule for rule in rules if rule.kind == "remark"]

    def speaking(language: str, kind: str) -> set[str]:
        return {
            rule.id
            for rule in rules
            if rule.kind == kind and any(example.flagged and example.language == language for example in rule.examples)
        }

    assert len(remarks) >= 35
    assert len(security) >= 35
    assert len(speaking("javascript", "vulnerability")) >= 10
    assert len(speaking("javascript", "remark")) >= 8
