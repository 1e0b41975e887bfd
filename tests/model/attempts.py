"""The attempts of benchmarks/injection/attempts.txt."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

FILE = Path(__file__).parents[2] / "benchmarks" / "injection" / "attempts.txt"


class Attempt(NamedTuple):
    """`seen`: the detector is meant to know it."""

    text: str
    is_name: bool
    seen: bool


def attempts() -> list[Attempt]:
    made = []
    for line in FILE.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            *words, text = line.split("\t")
            made.append(Attempt(text, "name" in words, "unseen" not in words))
    return made
