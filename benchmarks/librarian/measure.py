"""How good is the librarian? On apis.tsv, which no prompt was made with: the area under the ROC curve, and what is concluded.

    nice .venv/bin/python benchmarks/librarian/measure.py            # the model in use
    nice .venv/bin/python benchmarks/librarian/measure.py MODEL.gguf

Answers are remembered like any others, so that a second run only counts. CPU seconds are those of the model's process.
"""

from __future__ import annotations

import re
import resource
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from closeread.model import librarian
from closeread.model.assistant import Assistant
from closeread.model.question import Chosen
from closeread.model.shelf import Model, Shelf
from closeread_analyzers.catalogue import builtin

LIST = Path(__file__).with_name("apis.tsv")


def main() -> None:
    if sys.argv[1:]:
        model = Shelf().look(sys.argv[1])
    else:
        model = in_use()
    rows = [line.split("\t") for line in LIST.read_text("utf-8").splitlines() if not line.startswith("#")]
    sinks = [(kind, call) for word, kind, call, _ in rows if word == "sink"]
    sources = [(kind, call) for word, kind, call, _ in rows if word == "source"]
    assistant = Assistant(model)
    print(f"{model.name}: {len(sinks)} arguments, {len(sources)} expressions, all different from the prompts' examples")
    told_sinks = most(assistant, [call for _, call in sinks])
    rows_sinks = [(kind != "none", score) for (kind, _), score in zip(sinks, told_sinks, strict=True)]
    report("sink", rows_sinks)
    described = builtin().models("python").known_modules
    unknown = [row for row, (_, call) in zip(rows_sinks, sinks, strict=True) if call.partition(".")[0] not in described]
    print(f"         AUC {auc(unknown):.3f} for the {len(unknown)} of modules that no model file describes")
    told_sources = scores(assistant, "source", [call for _, call in sources])
    report("source", [(kind == "remote", score) for (kind, _), score in zip(sources, told_sources, strict=True)])
    found = [(kind, call) for kind, call in sinks if kind != "none"]
    questions = [librarian.question("kind", call) for _, call in found]
    kinds = [librarian.kind_of(answer) for answer in assistant.answer_all(questions, librarian.version())]
    right = Counter(kind for (kind, _), told in zip(found, kinds, strict=True) if kind == told)
    total = Counter(kind for kind, _ in found)
    print(
        f"kind     {sum(right.values())} of {len(found)} right: "
        + ", ".join(f"{k} {right[k]}/{total[k]}" for k in total)
    )
    asked = assistant.asked
    assistant.close()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    if asked:
        cpu = used.ru_utime + used.ru_stime
        print(f"{asked} questions computed, {cpu:.0f} CPU seconds, {cpu / asked:.2f} each (loading included)")
    if "--all" in sys.argv:
        for (kind, call), score in sorted(zip(sinks, told_sinks, strict=True), key=lambda row: -row[1]):
            print(f"{score:6.2f} {kind:14} {call}")


def in_use() -> Model:
    model = Shelf().ready()
    if model is None:
        sys.exit("no model is in use: closeread model pull")
    return model


def scores(assistant: Assistant, name: str, calls: list[str]) -> list[float]:
    questions = [librarian.question(name, call) for call in calls]
    told = []
    for answer in assistant.answer_all(questions, librarian.version()):
        assert isinstance(answer, Chosen)
        told.append(answer.logs[0] - answer.logs[1])
    return told


def views(call: str) -> list[str]:
    """A call as it stands on the list, and as the product asks about it too: the library with the call's first words."""
    found = re.fullmatch(r"(\w+)(?:\..*)?\.(\w+)(\([^()]*\))", call)
    return [call, *(f"{found[1]}.{name}{found[3]}" for name in librarian.fewer(found[2]))] if found else [call]


def most(assistant: Assistant, calls: list[str]) -> list[float]:
    """How far the answers lean to harm, of each call the one that does most."""
    pairs = [(call, view) for call in calls for view in views(call)]
    told: dict[str, float] = {}
    for (call, _), score in zip(pairs, scores(assistant, "sink", [view for _, view in pairs]), strict=True):
        told[call] = max(score, told.get(call, score))
    return [told[call] for call in calls]


def report(name: str, rows: list[tuple[bool, float]]) -> None:
    least = librarian.least(name)
    concluded = [truth for truth, score in rows if score >= least]
    positives = sum(truth for truth, _ in rows)
    precision = sum(concluded) / len(concluded) if concluded else 1.0
    print(
        f"{name:8} AUC {auc(rows):.3f}; above the line of {least}: {sum(concluded)} of {positives} true ones, "
        f"{len(concluded) - sum(concluded)} of {len(rows) - positives} false ones (precision {precision:.2f})"
    )


def auc(rows: Iterable[tuple[bool, float]]) -> float:
    """The area under the ROC curve: how often a true one scores higher than a false one; ties count half."""
    true = [score for truth, score in rows if truth]
    false = [score for truth, score in rows if not truth]
    won = sum((one > other) + 0.5 * (one == other) for one in true for other in false)
    return won / (len(true) * len(false))


if __name__ == "__main__":
    main()
