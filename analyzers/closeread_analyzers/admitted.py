"""What texts a regular expression lets through: nothing but letters, digits and signs that no parser minds, or anything.

Asked of the characters alone, in whatever order and number. Absent on purpose: words (`a|b` lets through letters), and
flags, which change no answer here but that of `.` and of patterns that are unreadable anyway.
"""

from __future__ import annotations

import re
from functools import lru_cache

from .regex import ASSERTION, DIGITS, LETTERS, MAX_LENGTH, OTHER, Automaton, Unreadable, mask_of

_NARROW = DIGITS | LETTERS | mask_of("_-.,:@+= ") | OTHER
"""No quote, bracket, slash, backslash, `$`, `;`, `&`, `|`, `<` or `>`, no line break."""
_TELLING = mask_of(";'<`$")
"""Signs that are all let through only by what was not meant to check anything: `.`, `\\S`, `[^/]`."""
_ENDS = re.compile(r"(?<!\\)(?:\\\\)*(\$|\\[Zz])$")
_ONE_CLASS = re.compile(r"\[\^(?:[^\]\\]|\\.)+\][+*]?|\\[WD][+*]?")


def is_narrow(pattern: str) -> bool:
    """Whether a text that matches from its start is, to its end, harmless characters (and a last line break)."""
    end = _ENDS.search(pattern)
    body = pattern[: end.start(1)].removeprefix("^").removeprefix("\\A") if end is not None else ""
    return bool(body) and not _has_alternatives(body) and finds_narrow(body)  # `^a|b$` is anchored on one side of each


@lru_cache(maxsize=1024)
def finds_narrow(pattern: str) -> bool:
    """Whether what a pattern matches, wherever it is found, is harmless characters."""
    automaton = _read(pattern)
    return automaton is not None and all(not mask & ~_NARROW for mask in automaton.masks if mask != ASSERTION)


@lru_cache(maxsize=1024)
def captures_narrow(pattern: str) -> bool:
    """Whether each group of a pattern that has some holds harmless characters; without groups, what it matches."""
    automaton = _read(pattern)
    if automaton is None or not automaton.groups:
        return automaton is not None and finds_narrow(pattern)
    return all(not mask & ~_NARROW for mask in automaton.groups)


@lru_cache(maxsize=1024)
def admits_anything(pattern: str) -> bool:
    """Whether there is a place in a pattern where any character may stand, so that to match it says little."""
    automaton = _read(pattern)
    return automaton is not None and any(mask & _TELLING == _TELLING for mask in automaton.masks)


@lru_cache(maxsize=1024)
def is_every_sign(pattern: str) -> bool:
    """Whether a pattern is every character that is not harmless: taken out, nothing else is left."""
    if not _ONE_CLASS.fullmatch(pattern):
        return False
    automaton = _read(pattern)
    return (
        automaton is not None and bool(automaton.masks) and all(not ~mask & ~_NARROW & _ALL for mask in automaton.masks)
    )


_ALL = (1 << 129) - 1


def is_harmless_text(text: str) -> bool:
    """Whether a text, and so each part of it, is harmless characters."""
    return not mask_of(text) & ~_NARROW


def _read(pattern: str) -> Automaton | None:
    if not pattern or len(pattern) > MAX_LENGTH:
        return None
    try:
        automaton = Automaton(pattern)
    except Unreadable:
        return None
    return automaton if automaton.masks else None


def _has_alternatives(body: str) -> bool:
    """Whether the whole of a pattern, and not only a group of it, is one thing or another."""
    depth = at = 0
    while at < len(body):
        character = body[at]
        if character == "\\":
            at += 1
        elif character == "[":
            at = body.find("]", at + 2)  # a bracket right behind the first is one of the class
            if at < 0:
                return True
        elif character in "()":
            depth += 1 if character == "(" else -1
        elif character == "|" and depth == 0:
            return True
        at += 1
    return False
