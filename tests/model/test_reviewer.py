"""The reviewer: what is asked of a changed function, and that only remarks which stand on something are told."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from closeread import review
from closeread.commands import application
from closeread.model import assistant, reviewer
from closeread.model.question import Writing, Written
from closeread.model.reviewer import Changed, Remark

OLD = "def same(a):\n    return a\n\n\ndef last(items):\n    return items[-1]\n"
NEW = (
    "def same(a):\n    return a\n\n\ndef last(items):\n    password = 'hunter2hunter2'\n    return items[len(items)]\n"
)
FUNCTION = Changed("app.py", "last", 5, NEW.split("\n\n\n")[1])
GOOD = {"line": 7, "identifier": "items", "kind": "bound", "words": "`items` has no element at `len(items)`."}


class Scripted:
    """Says the same of every function."""

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.text = json.dumps(rows)
        self.asked: list[Writing] = []

    def answer_all(self, questions: list[Writing], version: str) -> list[Written]:
        self.asked += questions
        return [Written(self.text, True, 1) for _ in questions]


def test_a_remark_is_anchored_to_a_line_and_an_identifier() -> None:
    model = Scripted(GOOD)

    assert (Remark("app.py", 7, "items", "bound", GOOD["words"]),) == reviewer.remarks([FUNCTION], model)
    assert "7|     return items[len(items)]" in model.asked[0].prompt.own
    assert "hunter2" not in model.asked[0].prompt.own


@pytest.mark.parametrize(
    "changes",
    [
        {"line": 4},
        {"line": 9},
        {"identifier": "values"},
        {"line": 6},
        {"kind": "style"},
        {"words": "Call `checked_last` instead."},
        {"words": "Use safe_index() here."},
        {"words": " "},
    ],
)
def test_a_remark_that_stands_on_nothing_is_dropped(changes: dict[str, Any]) -> None:
    assert () == reviewer.remarks([FUNCTION], Scripted({**GOOD, **changes}))


@pytest.mark.parametrize("text", ["no JSON", "7", "null", '{"line": 1}', '[{"line": "x"}]', "[[1, 2]]", "[" * 100_000])
def test_an_answer_that_no_grammar_held_is_no_remark(text: str) -> None:
    assert () == tuple(reviewer.checked(FUNCTION, Written(text, True, 1)))


def test_remarks_are_few() -> None:
    many = [Changed("app.py", f"f{n}", 5, FUNCTION.text) for n in range(9)]

    assert reviewer.MOST == len(reviewer.remarks(many, Scripted(GOOD, GOOD)))


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for text in (OLD, NEW):
        (folder / "app.py").write_text(text)
        for arguments in (
            ["init", "-q"],
            ["add", "."],
            ["-c", "user.name=x", "-c", "user.email=x@x", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", *arguments], check=True)
    return folder


def test_only_functions_that_a_commit_changed_are_asked_about(repository: Path) -> None:
    opened = review.repository_of(repository)
    touched = review.touched(opened, "HEAD")
    opened.close()

    assert [Changed("app.py", "last", 5, FUNCTION.text.rstrip("\n"))] == touched


@pytest.mark.parametrize("passes", [True, False])
def test_a_review_has_a_models_remarks_only_if_it_passed_the_evaluation(
    repository: Path, monkeypatch: pytest.MonkeyPatch, passes: bool
) -> None:
    model = Scripted(GOOD)
    model.model = type("Model", (), {"name": "scripted"})  # type: ignore[attr-defined]

    @contextmanager
    def lent() -> Iterator[Scripted]:
        yield model

    monkeypatch.setattr(assistant, "assistant", lent)
    monkeypatch.setattr("closeread.model.evaluation.passed", lambda model: passes)
    text = CliRunner().invoke(application(), ["review"]).output
    data = json.loads(CliRunner().invoke(application(), ["review", "--format", "json"]).stdout)

    assert passes == ("app.py:7: `items`: a bound that is off by one" in text)
    assert passes == ("remarked by scripted" in text)
    expected = [
        {"path": "app.py", "line": 7, "severity": "info", **{k: GOOD[k] for k in ("identifier", "kind", "words")}}
    ]
    assert (expected if passes else []) == data["model"]["remarks"]
