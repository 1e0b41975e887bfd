"""What leaves a user's text before it becomes a prompt, and comes back into what was made of it: secrets, and words to a model.

Secrets are what the rules call one in the file, and every text in quotes that is given to a name that says it is one, or
that looks like a key; each stands as `SECRET_1` and so on meanwhile. Too much is taken rather than too little: a model
needs no values. Words to a model (`closeread_analyzers/addressed.py`) stand as `PASSAGE_1`, to the end of their line or
text, so that what they say is not read. What is left is data all the same, and stands between fences that it cannot end.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from closeread_analyzers.addressed import passages
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
_FENCE = re.compile(r"`{3,}")
_REST_OF_LINE = re.compile(r"[^\n]*")
_REST_OF_TEXT = re.compile(r"[^\"'`\n]*")
_REST_OF_NAME = re.compile(r"\w*")
_COMMENT = re.compile(r"#|//|^\s*\*")


@dataclass(frozen=True, slots=True)
class Redacted:
    """A text as a prompt may have it. `values` are its secrets, `spoken` its words to a model, by what stands for them."""

    text: str
    values: dict[str, str]
    spoken: dict[str, str]

    def restored(self, text: str) -> str | None:
        """`text` with all of it back; None where a secret has lost its place."""
        if not all(re.search(rf"\b{name}\b", text) for name in self.values):
            return None
        for name, value in {**self.spoken, **self.values}.items():
            text = re.sub(rf"\b{name}\b", lambda _, value=value: value, text)  # type: ignore[misc]
        return text


def fenced(text: str) -> tuple[str, str]:
    """A text between two fences, and the fence: backticks, more of them than the text has in a row anywhere."""
    fence = "`" * (max((len(found) for found in _FENCE.findall(text)), default=2) + 1)
    return f"{fence}\n{text}\n{fence}", fence


def redacted(text: str, findings: Iterable[Finding] = (), before: str = "") -> Redacted:
    """`text`, which follows `before` in its file, as a prompt may have it; `findings` are those of the file."""
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

    unspoken, spoken = _unspoken(_QUOTED.sub(hide, text))
    return Redacted(unspoken, values, spoken)


def _unspoken(text: str) -> tuple[str, dict[str, str]]:
    """A text without words to a model. A name loses all of itself, a sentence the rest of its line or text too."""
    spoken: dict[str, str] = {}
    parts: list[str] = []
    done = 0
    for start, end in passages(text):
        if start < done:
            continue
        while start > done and (text[start - 1].isalnum() or text[start - 1] == "_"):
            start -= 1
        if re.fullmatch(r"\w+", text[start:end]):
            rest = _REST_OF_NAME
        else:
            line = text[text.rfind("\n", 0, start) + 1 : start]
            rest = _REST_OF_LINE if _COMMENT.search(line) else _REST_OF_TEXT
        found = rest.match(text, end)
        end = found.end() if found is not None else end
        name = f"PASSAGE_{len(spoken) + 1}"
        spoken[name] = text[start:end]
        parts += [text[done:start], name]
        done = end
    return "".join([*parts, text[done:]]), spoken


def _looks(value: str) -> bool:
    """Whether a text looks like a key: long, without words, and as mixed as chance makes it."""
    if _ADDRESS.search(value) or _BLOCK.search(value):
        return True
    return any(_bits(part) >= _LEAST_BITS and re.search(r"\d", part) is not None for part in _KEY.findall(value))


def _bits(text: str) -> float:
    """Shannon's entropy of a text's characters, in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())
