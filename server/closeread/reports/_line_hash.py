"""The hash of a line by which GitHub's code scanning knows an alert again: `primaryLocationLineHash`.

A rolling polynomial over the hundred characters (UTF-16 units, blanks and tabs left out) from the line's start, modulo
2^64, and how often it came up before in the file. As `fingerprints.ts` of github/codeql-action computes it for results
that bring none; bringing the same makes alerts agree with those of uploads that leave it to GitHub.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

_WINDOW = 100
_BASE = 37
_MASK = (1 << 64) - 1
_FIRST = pow(_BASE, _WINDOW, 1 << 64)
_END_OF_FILE = 0xFFFF


def line_hashes(lines: Sequence[str]) -> list[str]:
    """The hash of every line of a file, given without their ends: "a1b2c3:1"."""
    characters: list[int] = []
    starts: list[int] = []
    for number, line in enumerate(lines):
        text = line.replace(" ", "").replace("\t", "")
        units = text.encode("utf-16-le", "surrogatepass")
        starts.append(len(characters))
        characters += memoryview(units).cast("H") if units else ()
        if number < len(lines) - 1:
            characters.append(10)
    characters.append(_END_OF_FILE)
    characters += [0] * _WINDOW
    wanted = set(starts)
    seen: Counter[int] = Counter()
    hashes: list[str] = []
    value = 0
    # The hash at a line's start is over the window that begins there, so it is known a window later.
    for place, character in enumerate(characters):
        begin = place - _WINDOW
        if begin in wanted:
            seen[value] += 1
            hashes.append(f"{value:x}:{seen[value]}")
        leaving = characters[begin] if begin >= 0 else 0
        value = (_BASE * value + character - _FIRST * leaving) & _MASK
    if len(characters) - _WINDOW in wanted:
        seen[value] += 1
        hashes.append(f"{value:x}:{seen[value]}")
    return hashes
