"""Make server/closeread/model/shipped.tsv: what the model in use concludes of the APIs of benchmarks/librarian/apis.tsv.

    nice .venv/bin/python benchmarks/librarian/ship.py

Of each call in that list as code would write it, the access path and the argument are asked about as the product does;
what has no path of its own there (an argument inside another call, a constant) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from measure import LIST, in_use

from closeread.model import librarian
from closeread.model.assistant import Assistant
from closeread.model.librarian import Api

OUT = Path(librarian.__file__).with_name("shipped.tsv")
HEAD = """\
# What the default model concludes of APIs of Python packages that no model file describes: language, path, argument, kind ("-": harmless),
# and how far the answer leant. Made by benchmarks/librarian/ship.py with {model}, questions {version}. Nobody has confirmed any of it.
"""


def apis() -> Iterator[Api]:
    for line in LIST.read_text("utf-8").splitlines():
        if line.startswith("#"):
            continue
        word, _, call, _ = line.split("\t")
        if word == "sink":
            found = re.fullmatch(r"(.+?)\(((?:[^()]*, )?)(\w+=)?x(?:, [^()]*)?\)", call)
            if found is None:
                continue
            path = _path(found[1])
            argument = found[3][:-1] if found[3] else str(found[2].count(", "))
        elif call.endswith(")"):
            path, argument = _path(re.sub(r"\([^()]*\)$", "", call)), "return"
        else:
            continue
        yield Api("python", path, argument)


def _path(call: str) -> str:
    """The access path of a call: no arguments, and a class and its instances are one."""
    return re.sub(r"((?:^|\.)[A-Z]\w*)\(\)", r"\1", re.sub(r"\([^()]*\)", "()", call))


def main() -> None:
    model = in_use()
    assistant = Assistant(model)
    verdicts = librarian.judge(apis(), assistant)
    assistant.close()
    rows = sorted("\t".join((*verdict.api, verdict.kind or "-", f"{verdict.score:.3f}")) for verdict in verdicts)
    OUT.write_text(HEAD.format(model=model.name, version=librarian.version()) + "\n".join(rows) + "\n", "utf-8")
    print(f"{len(rows)} verdicts, {sum(bool(verdict.kind) for verdict in verdicts)} of them with a kind: {OUT}")


if __name__ == "__main__":
    main()
