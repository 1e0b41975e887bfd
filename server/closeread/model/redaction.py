"""Secrets leave a text before it becomes a prompt, and come back into what was made of it.

What the rules call a secret in the file, and every text in quotes that is given to a name that says it is one, or that
looks like a key. Each stands as `SECRET_1` and so on meanwhile. Too much is taken rather than too little: a model needs no
values.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from closeread_analyzers.finding import Finding

SECRET_WEAKNESSES = frozenset({259, 321, 522, 540, 798})
"""CWEs of findings whose place is a secret."""

_QUOTED = re.compile(r"(?P<quote>\"\"\"|'''|[\"'`])(?P<text>(?:\\.|(?!(?P=quote)).)+)(?P=quote)", re.DOTALL)
_NAMED = re.compile(
    r"(?:password|passwd|pwd|passphrase|secret|token|api_?key|private_?key|credential|auth|bearer|dsn|connection_?string)"
    r"\w*[\"'\]]*\s*(?::\s*\w+\s*)?(?:[=:(,]|=>)\s*[rbfu]{0,2}$",
    re.IGNORECASE,
)
_KEY = re.compile(r"[A-Za-z0-9+/_=.-]{20,}")
_ADDRESS = re.compile(r"://[^/\s:@]+:[^/\s@]+@")
_BLOCK = re.compile(r"-----BEGIN [A-Z ]+-----")
_LEAST_BITS = 3.5


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text without its secrets; `values` are they, by what stands for them."""

    text: str
    values: dict[str, str]

    def restored(self, text: str) -> str | None:
        """`text` with the secrets back in it; None where one has lost its place."""
        for name, value in self.values.items():
            if not re.search(rf"{name}\b", text):
                return None
            text = re.sub(rf"{name}\b", lambda _, value=value: value, text)  # type: ignore[misc]
        return text


def redacted(text: str, findings: Iterable[Finding] = (), before: str = "") -> Redacted:
    """`text`, which follows `before` in its file, without secrets; `findings` are those of the file."""
    first = before.count("\n") + 1
    lines = {
        line
        for finding in findings
        if finding.cwe in SECRET_WEAKNESSES
        for line in range(finding.location.start_line, finding.location.end_line + 1)
    }
    values: dict[str, str] = {}

    def hide(found: re.Match[str]) -> str:
        value = found["text"]
        line = first + text.count("\n", 0, found.start())
        if (
            line not in lines
            and not _NAMED.search(text[max(0, found.start() - 80) : found.start()])
            and not _looks(value)
        ):
            return found[0]
        name = next((name for name, known in values.items() if known == value), f"SECRET_{len(values) + 1}")
        values[name] = value
        return f"{found['quote']}{name}{found['quote']}"

    return Redacted(_QUOTED.sub(hide, text), values)


def _looks(value: str) -> bool:
    """Whether a text looks like a key: long, without words, and as mixed as chance makes it."""
    if _ADDRESS.search(value) or _BLOCK.search(value):
        return True
    return any(_bits(part) >= _LEAST_BITS and re.search(r"\d", part) is not None for part in _KEY.findall(value))


def _bits(text: str) -> float:
    """Shannon's entropy of a text's characters, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
