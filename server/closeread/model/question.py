"""What a model is asked and what it answers, as plain data that travels as JSON.

A prompt has a part that is the same for every question of a task (`system` and `shared`), which the model's process
keeps computed, and a part of its own. What comes from a user's code stands in `shared`, `own` or `lead` and is always
taken as text: no sign in it is ever read as one of the model's control tokens.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Prompt:
    """A conversation up to the point where the model goes on; without `system`, a text that goes on where it ends.

    `lead` is how the model's answer begins.
    """

    system: str
    shared: str
    own: str
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of `options` comes next? One token is computed; options are told apart by their first token."""

    prompt: Prompt
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Writing:
    """A text of at most `most` tokens, up to the first of `stops`.

    `grammar` is in llama.cpp's GBNF, with the rule `root`; "" for none. With `temperature` 0 the likeliest token is taken.
    """

    prompt: Prompt
    most: int
    grammar: str = ""
    stops: tuple[str, ...] = ()
    temperature: float = 0.0
    seed: int = 0


Question = Choice | Writing


@dataclass(frozen=True, slots=True)
class Chosen:
    """The logarithm of each option's probability, in the order of the options."""

    logs: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Written:
    """A text; `whole` is false where it was cut at `most` tokens. `tokens` is how many were written."""

    text: str
    whole: bool
    tokens: int


Answer = Chosen | Written


def question_as_json(question: Question) -> dict[str, Any]:
    """The question as JSON-ready data."""
    return {"kind": type(question).__name__, **asdict(question)}


def question_from_json(data: dict[str, Any]) -> Question:
    """The question that `question_as_json` wrote. Raises KeyError or TypeError on anything else."""
    rest = {key: value for key, value in data.items() if key not in ("kind", "prompt")}
    prompt = Prompt(**data["prompt"])
    if data["kind"] == "Choice":
        return Choice(prompt, tuple(rest["options"]))
    return Writing(prompt, **{**rest, "stops": tuple(rest["stops"])})


def answer_as_json(answer: Answer) -> dict[str, Any]:
    """The answer as JSON-ready data."""
    return asdict(answer)


def answer_from_json(data: dict[str, Any]) -> Answer:
    """The answer that `answer_as_json` wrote. Raises KeyError, TypeError or ValueError on anything else."""
    if "logs" in data:
        return Chosen(tuple(float(value) for value in data["logs"]))
    return Written(str(data["text"]), bool(data["whole"]), int(data["tokens"]))
