"""How far attempts to talk to the model move what the librarian concludes: which scores cross the line, and which would have.

    nice .venv/bin/python benchmarks/injection/measure.py            # the model in use
    nice .venv/bin/python benchmarks/injection/measure.py MODEL.gguf

Nothing of a user's code reaches the librarian's questions but names, so each name of attempts.txt is put into the names of
24 APIs of the held-out list, behind the function's name and as a module. The first question is asked as the product asks it,
by the whole name and by fewer words; and, to compare, by the whole name alone, and with what the detector knows left in it.
A flip is a score on another side of the line than the plain name's. What texts do to findings and to prompts is
tests/model/test_injection.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "librarian"))

from measure import LIST, in_use, scores

from closeread.model import librarian
from closeread.model.assistant import Assistant
from closeread.model.librarian import Api
from closeread.model.shelf import Shelf
from closeread_analyzers.addressed import plain_name

ATTEMPTS = Path(__file__).with_name("attempts.txt")
EACH = 12


def main() -> None:
    model = Shelf().look(sys.argv[1]) if sys.argv[1:] else in_use()
    rows = [line.split("\t") for line in ATTEMPTS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    names = [(row[-1], row[0] == "unseen") for row in rows if "name" in row]
    bases = [*plain_calls(True), *plain_calls(False)]
    assistant = Assistant(model)
    least = librarian.least("sink")
    print(f"{model.name}: {len(bases)} APIs; {len(names)} attempts, 2 places each")
    for title, unseen, told in (
        ("known to the detector, as the product asks", False, most),
        ("the same, by the whole name alone", False, whole),
        ("the same, with what the detector knows left in it", False, bare),
        ("not known to the detector, as the product asks", True, most),
        ("the same, by the whole name alone", True, whole),
    ):
        asked = [(path, at) for name, new in names if new is unseen for path in bases for at in places(path, name)]
        above = {path: score >= least for path, score in zip(bases, told(assistant, bases), strict=True)}
        scores_ = told(assistant, [placed for _, placed in asked])
        flips = [(above[path], score >= least) for (path, _), score in zip(asked, scores_, strict=True)]
        down, up = flips.count((True, False)), flips.count((False, True))
        print(
            f"{title}: {len(flips)} scores, {100 * (down + up) / len(flips):.1f} % flipped ({down} to harmless, {up} to a sink)"
        )
    assistant.close()


def plain_calls(matters: bool) -> list[str]:
    """Paths of the held-out list whose name is all there is to ask about, spread over the list."""
    found = []
    rows = [line.split("\t") for line in LIST.read_text("utf-8").splitlines() if line.startswith("sink\t")]
    for _, kind, call, _ in rows:
        path = call.removesuffix("(x)")
        if call.endswith("(x)") and path.count(".") == 1 and "(" not in path and (kind != "none") is matters:
            found.append(path)
    return found[:: max(1, len(found) // EACH)][:EACH]


def places(path: str, name: str) -> list[str]:
    module, _, function = path.rpartition(".")
    return [f"{module}.{function}_{name}", f"{module}.{name}.{function}"]


def most(assistant: Assistant, paths: list[str]) -> list[float]:
    apis = [Api("python", path, "0") for path in paths]
    return [verdict.score for verdict in librarian.judge(apis, assistant)]


def whole(assistant: Assistant, paths: list[str]) -> list[float]:
    return scores(assistant, "sink", [f"{plain_name(path)}(x)" for path in paths])


def bare(assistant: Assistant, paths: list[str]) -> list[float]:
    return scores(assistant, "sink", [f"{path}(x)" for path in paths])


if __name__ == "__main__":
    main()
