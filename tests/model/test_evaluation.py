"""The built-in evaluation, the gate it makes, and files made smaller; the figures of real models are measurements.

With SmolLM2 the machinery is tested, on a few of the questions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from closeread.commands import application
from closeread.model import evaluation, gguf, librarian
from closeread.model.evaluation import Result
from closeread.model.quantisation import KINDS, quantize
from closeread.model.shelf import Model, ModelProblem, Shelf
from closeread_analyzers.languages import language_of
from model.smollm2 import smollm2

RESULT = Result(
    sink=0.9, source=0.9, review=0.9, kinds=1, of_kinds=2, right=3, asked=4, written=5.0, seconds=0.1, cpu=1.0,
    memory=10, answers=(0, 1, 1),
)  # fmt: skip
MODEL = Model("m", Path("m.gguf"), "a" * 64, 1, 1)
HELD_OUT = Path(__file__).parents[2] / "benchmarks" / "librarian" / "apis.tsv"


def invoke(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(application(), ["model", *arguments])
    return done.exit_code, done.output


# --- The questions ---------------------------------------------------------------------------------


def test_the_questions_are_of_kinds_that_exist_and_as_many_are_yes_as_no() -> None:
    sinks, sources = evaluation.words()["sink"], evaluation.words()["source"]

    assert {*librarian.sink_kinds(), "none"} == set(sinks)
    assert len(sinks["none"]) <= sum(len(calls) for kind, calls in sinks.items() if kind != "none") <= 50
    assert len(sources["remote"]) == len(sources["local"])
    assert len(evaluation.words()["review"]) >= 20


def test_no_question_stands_in_a_prompt_or_in_the_held_out_list() -> None:
    held_out = HELD_OUT.read_text("utf-8")
    prompts = "".join(str(librarian.words()[name]["text"]) for name in ("sink", "kind", "source"))
    calls = [call for word in ("sink", "source") for calls in evaluation.words()[word].values() for call in calls]

    assert len(set(calls)) == len(calls)
    assert [] == [call for call in calls if f"\t{call}\t" in held_out or f"\n{call}  #" in prompts]


def test_every_function_parses_and_differs_from_its_twin() -> None:
    python = language_of("x.py")
    assert python is not None
    for one in evaluation.words()["review"]:
        assert one["yes"] != one["no"]
        for text in (one["yes"].encode(), one["no"].encode()):
            assert [] == python.lower("x.py", text, python.parse(text)).problems


@pytest.mark.parametrize(
    ("rows", "area"),
    [([(True, 2.0), (False, 1.0)], 1.0), ([(True, 1.0), (False, 1.0)], 0.5), ([(True, 0.0), (False, 1.0)], 0.0)],
)
def test_the_area_under_the_curve(rows: list[tuple[bool, float]], area: float) -> None:
    assert area == evaluation.auc(rows)


# --- The gate --------------------------------------------------------------------------------------


def test_a_model_passes_by_its_bytes_and_the_questions_of_now(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = Shelf(tmp_path)
    assert not evaluation.passed(MODEL, shelf)

    evaluation.keep(MODEL, RESULT, shelf)
    assert RESULT == evaluation.kept(MODEL, shelf)
    assert evaluation.passed(MODEL, shelf)
    assert not evaluation.passed(replace(MODEL, sha256="b" * 64), shelf)

    monkeypatch.setattr(evaluation, "version", lambda: "other questions")
    assert not evaluation.passed(MODEL, shelf)


def test_a_model_that_is_near_chance_does_not_pass(tmp_path: Path) -> None:
    evaluation.keep(MODEL, replace(RESULT, review=0.6), Shelf(tmp_path))

    assert not evaluation.passed(MODEL, Shelf(tmp_path))


@pytest.mark.parametrize("text", ["", "{", "[]", '{"questions": 1}', '{"questions": "?", "models": []}'])
def test_a_damaged_file_of_results_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "evaluated.json").write_text(text.replace("?", evaluation.version()))

    assert evaluation.kept(MODEL, Shelf(tmp_path)) is None


# --- With a real model -----------------------------------------------------------------------------


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, Any]:
    whole = evaluation.words()
    words = {
        **whole,
        "sink": {"sql": whole["sink"]["sql"][:2], "none": whole["sink"]["none"][:2]},
        "source": {kind: calls[:2] for kind, calls in whole["source"].items()},
        "review": whole["review"][:1],
        "speed": {**whole["speed"], "tokens": 8},
    }
    monkeypatch.setattr(evaluation, "words", lambda: words)
    return words


def test_a_model_is_measured_and_what_was_measured_is_kept(
    few: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = smollm2()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    code, output = invoke("bench", str(model.path))

    assert 0 == code, output
    assert "defects in code, AUC" in output
    result = evaluation.kept(model)
    assert result is not None
    assert (10, 2, 12) == (result.asked, result.of_kinds, len(result.answers))
    assert result.written > 0
    assert result.passed == evaluation.passed(model)


def test_a_file_is_made_anew_with_other_numbers_and_without_a_layer(
    few: Mapping[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = smollm2()
    shelf = Shelf(tmp_path / "closeread" / "models")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))

    code, output = invoke("quantize", str(model.path), "--to", "q8_0")
    assert 0 == code, output
    assert "same answers as the first" in output
    made = shelf.look(str(next(shelf.folder.glob("*.gguf"))))
    assert ("Q8_0", gguf.read(model.path).layers) == (
        gguf.read(made.path).quantisation,
        gguf.read(made.path).layers,
    )
    assert made.size > model.size

    pruned = quantize(shelf, model, "Q4_0", [14])
    assert gguf.read(model.path).layers - 1 == gguf.read(pruned.path).layers
    assert evaluation.measure(pruned).asked == 10
    assert [] == list(shelf.folder.glob("*.partial"))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "q9"], "there is no Q9; known are F32"),
        (["--without-layers", "99"], "has the layers 0 to 29, and no layer 99"),
        (["--without-layers", "a"], "layers are numbers"),
    ],
)
def test_what_cannot_be_made_is_said(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = smollm2()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    code, output = invoke("quantize", str(model.path), *arguments)

    assert 2 == code
    assert said in " ".join(output.split())


def test_a_file_that_llama_cannot_read_costs_a_message_and_leaves_nothing(tmp_path: Path) -> None:
    whole = smollm2()
    damaged = tmp_path / "damaged.gguf"
    data = bytearray(whole.path.read_bytes())
    at = data.index(b"general.architecture") + len(b"general.architecture") + 12
    data[at : at + 5] = b"lhama"  # none that llama.cpp knows
    damaged.write_bytes(data)
    shelf = Shelf(tmp_path / "shelf")

    with pytest.raises(ModelProblem, match=r"llama\.cpp cannot make Q8_0 of"):
        quantize(shelf, replace(whole, path=damaged), "Q8_0")
    assert [] == list(shelf.folder.glob("*"))


def test_the_kinds_are_those_that_a_file_can_say_of_itself() -> None:
    assert set(KINDS) <= set(gguf._FILE_TYPES.values())
    assert KINDS == {kind: number for number, kind in gguf._FILE_TYPES.items() if kind in KINDS}


def test_bench_without_a_model_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    code, output = invoke("bench")

    assert 2 == code
    assert "no model is in use" in output
