"""The reviewer: what is asked of a changed function, and that only remarks which stand on something are told."""

from __future__ import annotations

import asyncio
import json
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from closeread import review
from closeread.commands import application
from closeread.model import evaluation, reviewer
from closeread.model.answers import Answers
from closeread.model.evaluation import Result
from closeread.model.question import Writing, Written
from closeread.model.reviewer import Changed, Remark
from closeread.model.shelf import Shelf
from model.test_server import chosen, command
from model.tiny import gguf
from server.lsp.client import Client
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND

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


def in_use(data: Path, cache: Path, folder: Path, *functions: Changed, passes: bool) -> None:
    """A model that nothing can run, with what `bench` measured of it and what it once answered of these functions."""
    (folder / "tiny.gguf").write_bytes(gguf())
    chosen(data, folder / "tiny.gguf")
    shelf = Shelf(data / "closeread" / "models")
    model = shelf.ready()
    assert model is not None
    least = evaluation.review_least()
    review = least if passes else least - 0.01
    evaluation.keep(model, Result(1.0, 1.0, review, 1, 1, 1, 1, 1.0, 1.0, 1.0, 0, (0,)), shelf)
    answers = Answers(model.identity, cache)
    for function in functions:
        answers.put(reviewer.question(function), reviewer.VERSION, Written(json.dumps([GOOD]), True, 1))
    answers.close()


@pytest.mark.parametrize("arguments", [(), ("HEAD",), ("--staged",)])
@pytest.mark.parametrize("passes", [True, False])
def test_a_review_has_a_models_remarks_only_if_it_passed_the_evaluation(
    repository: Path, tmp_path: Path, passes: bool, arguments: tuple[str, ...]
) -> None:
    function = replace(FUNCTION, text=FUNCTION.text.rstrip("\n"))
    in_use(tmp_path / "data", tmp_path / "cache" / "closeread", tmp_path, function, passes=passes)
    if arguments == ("--staged",):
        subprocess.run(["git", "reset", "-q", "--soft", "HEAD~1"], check=True)
        (repository / "app.py").write_text("not what is staged")
    text = CliRunner().invoke(application(), ["review", *arguments]).output
    data = json.loads(CliRunner().invoke(application(), ["review", *arguments, "--format", "json"]).stdout)

    assert passes == ("app.py:7: `items`: a bound that is off by one: `items` has no element" in text)
    assert passes == ("(remarked by tiny, a model that may be wrong)" in text)
    expected = [
        {"path": "app.py", "line": 7, "severity": "info", **{k: GOOD[k] for k in ("identifier", "kind", "words")}}
    ]
    assert (expected if passes else []) == data["model"]["remarks"]
    assert ("tiny" if passes else "") == data["model"]["name"]
    assert (arguments == ("--staged",)) == ("what is staged: 1 introduced" in text)


def test_a_commit_and_what_is_staged_exclude_each_other(repository: Path) -> None:
    told = CliRunner().invoke(application(), ["review", "HEAD", "--staged"])

    assert told.exit_code
    assert "a commit and --staged exclude each other." in told.output


@pytest.mark.parametrize("passes", [True, False])
async def test_a_commit_in_the_editor_is_remarked_on_at_its_lines(
    start: Start, repository: Path, tmp_path: Path, passes: bool
) -> None:
    function = replace(FUNCTION, text=FUNCTION.text.rstrip("\n"))
    in_use(tmp_path / "data", tmp_path / "cache" / "closeread", tmp_path, function, passes=passes)
    client = await start(COMMAND, data=tmp_path / "data", cache=tmp_path / "cache")
    await client.initialize(repository)
    moved = "import os\n\n" + NEW
    uri = client.open(repository / "app.py", moved)
    before = await client.diagnostics(uri, 1)
    await command(client, "reviewCommit")
    if not passes:
        await asyncio.sleep(1.0)
        assert [] == remarks(client, uri)
        return
    (remark,) = await client.until(lambda: remarks(client, uri))
    client.change(uri, 2, {"text": moved.replace("len(items)]", "-1]")})
    await client.until(lambda: not remarks(client, uri))

    assert [] == [one for one in before if one["code"] == "model-remark"]
    assert (3, "closeread") == (remark["severity"], remark["source"])
    assert {"start": {"line": 8, "character": 11}, "end": {"line": 8, "character": 16}} == remark["range"]
    assert remark["message"].startswith("`items`: a bound that is off by one: `items` has no element at")
    assert remark["message"].endswith("(remarked by tiny, a model that may be wrong)")


def remarks(client: Client, uri: str) -> list[dict[str, Any]]:
    """Those of the model that are shown now."""
    said = [one for one in client.said("textDocument/publishDiagnostics") if one["uri"] == uri]
    return [one for one in said[-1]["diagnostics"] if one["code"] == "model-remark"] if said else []
