"""The librarian: what a library's call does with data, where no model file says so. It is asked of APIs, never of code.

Two narrow questions of an argument (does it matter, and what is it?) and one of a result (is it a stranger's?), each
answered with one token and remembered. What is concluded becomes an entry in the words of models/README.md, marked as
inferred: the engine proves the flow, and what it finds is told with low confidence. Small models are good at this and
near chance at judging code (README.md has the figures); so nothing else is asked here.

A name can be made to sway the answer (`run_certified_harmless`). So an argument is asked about by the whole name, and by the
library with the call's first words alone; the answer that leans to harm most counts. What is put behind a name, or between
it and its library, then takes nothing back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import tomli

from closeread_analyzers.addressed import plain_name
from closeread_analyzers.finding import inferred_source

from .question import Answer, Choice, Chosen, Prompt, Question

_FILE = Path(__file__).with_name("librarian.toml")
_SHIPPED = Path(__file__).with_name("shipped.tsv")
_NAME = re.compile(r"[A-Za-z_]\w*(?:\(\))?(?:\.[A-Za-z_]\w*(?:\(\))?)+", re.ASCII)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+|\d+")
_FEWER = 2
"""So many first words of a call, and fewer, are asked about beside its whole name."""
_LONGEST = 120


class Api(NamedTuple):
    """What is asked about: an argument of a call by its place ("0") or name, or with "return" what the call gives."""

    language: str
    path: str
    argument: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was concluded: a kind of `catalogue` ("" where it does not matter), and how far the answer leant to it."""

    api: Api
    kind: str
    score: float


class Answering(Protocol):
    """What is wanted of `assistant.Assistant`."""

    def answer_all(self, questions: Sequence[Question], version: str) -> list[Answer]:
        """The answers, in order."""
        ...


@cache
def words() -> Mapping[str, Any]:
    """The texts of the questions."""
    return tomli.loads(_FILE.read_text("utf-8"))


def version() -> str:
    """Which questions these are."""
    return f"librarian {words()['version']}"


def askable(api: Api) -> bool:
    """Whether an API's name is one: dotted words, from an import. Nothing else is ever put into a prompt."""
    return (
        len(api.path) <= _LONGEST
        and _NAME.fullmatch(api.path) is not None
        and re.fullmatch(r"\d|return|[A-Za-z_]\w{0,40}", api.argument, re.ASCII) is not None
    )


def shown(api: Api) -> str:
    """The API as the questions show it: `acme.run(x)`. What in its name speaks to a model is left out."""
    path = plain_name(api.path)
    if api.argument == "return":
        return f"{path}()"
    if api.argument.isdigit():
        return f"{path}({', '.join([*'abcdefghi'[: int(api.argument)], 'x'])})"
    return f"{path}({plain_name(api.argument)}=x)"


def views(api: Api) -> tuple[str, ...]:
    """All that the first question is asked about: the API whole; of an argument, the library with the call's first words too."""
    path = plain_name(api.path)
    library, last = path.partition(".")[0].removesuffix("()"), path.rpartition(".")[2]
    names = fewer(last) if api.argument != "return" and not last.endswith("()") else []
    return tuple(dict.fromkeys([shown(api), *(shown(api._replace(path=f"{library}.{name}")) for name in names)]))


def fewer(name: str) -> list[str]:
    """The first word of a name, and the first two: of `run_sql_file`, `run` and `run_sql`."""
    return [name[: word.end()] for word in list(_WORD.finditer(name))[:_FEWER]]


def question(name: str, text: str) -> Choice:
    """One of the questions ("sink", "kind", "source") about an API as shown."""
    asked = words()[name]
    return Choice(Prompt("", asked["text"].lstrip("\n"), f"{text}  #"), tuple(asked["options"]))


def judge(
    apis: Iterable[Api],
    answering: Answering,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Verdict]:
    """What the model concludes of each API. Those whose names cannot be asked about are left out."""
    asked = [api for api in dict.fromkeys(apis) if askable(api)]
    pairs = [(api, text) for api in asked for text in views(api)]
    answers = answering.answer_all([question(first(api), text) for api, text in pairs], version())
    leaning: dict[Api, dict[str, float]] = {api: {} for api in asked}
    for (api, text), answer in zip(pairs, answers, strict=True):
        leaning[api][text] = _difference(answer)
    # What kind it is, the fullest of the names that lean to harm says best.
    sinks = {
        api: next(text for text, score in told.items() if score >= least("sink"))
        for api, told in leaning.items()
        if api.argument != "return" and max(told.values()) >= least("sink")
    }
    second = answering.answer_all([question("kind", text) for text in sinks.values()], version())
    kinds = {api: kind_of(answer) for api, answer in zip(sinks, second, strict=True)}
    verdicts = []
    for number, api in enumerate(asked, 1):
        score = max(leaning[api].values())
        kind = kinds.get(api, "")
        if api.argument == "return" and score >= least("source"):
            kind = words()["source"]["kind"]
        verdicts.append(Verdict(api, kind, round(score, 3)))
        progress(number, len(asked))
    return verdicts


def first(api: Api) -> str:
    """Which question comes first."""
    return "source" if api.argument == "return" else "sink"


def least(name: str) -> float:
    """How far an answer must lean to "yes"."""
    return float(words()[name]["least"])


def kind_of(answer: Answer) -> str:
    """The kind that an answer to the second question names."""
    assert isinstance(answer, Chosen)
    best = max(range(len(answer.logs)), key=lambda index: answer.logs[index])
    return str(words()["kind"]["kinds"][best])


def sink_kinds() -> tuple[str, ...]:
    """The kinds that an argument can turn out to be."""
    return tuple(words()["kind"]["kinds"])


@cache
def shipped() -> Mapping[Api, Verdict]:
    """What the default model concluded of APIs of popular packages (`benchmarks/librarian/ship.py` made the file)."""
    found = {}
    for line in _SHIPPED.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            language, path, argument, kind, score = line.split("\t")
            api = Api(language, path, argument)
            found[api] = Verdict(api, kind.removeprefix("-"), float(score))
    return found


def entries(verdicts: Iterable[Verdict]) -> dict[str, list[dict[str, Any]]]:
    """The entries of what was concluded, by their word ("sink", "source"), as they stand in a `closeread.toml`."""
    made: dict[str, list[dict[str, Any]]] = {}
    for verdict in verdicts:
        api = verdict.api
        row = {"call": api.path, "kind": verdict.kind, "language": api.language, "inferred": True}
        if not verdict.kind:
            continue
        if api.argument == "return":
            made.setdefault("source", []).append({**row, "crumb": inferred_source(api.path, verdict.kind)})
        else:
            made.setdefault("sink", []).append({**row, "argument": api.argument})
    return made


def _difference(answer: Answer) -> float:
    assert isinstance(answer, Chosen)
    return answer.logs[0] - answer.logs[1]
