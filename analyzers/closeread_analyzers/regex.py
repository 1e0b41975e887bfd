"""Whether a back-tracking engine can need exponential time for a regular expression.

The pattern becomes a Glushkov automaton: one state a character position, an edge where one may follow the
other. Time is exponential when some state can come back to itself in two ways over the same text, and
something after it can fail. Two ways are either one edge made by two loops (`(a+)+`) or two paths
(`(a|a)*`, `(\\w*\\d)*`), found as a cycle of the automaton's product with itself.

Absent on purpose: polynomial time, what look-arounds and back-references match (they may fail, that is
all), the order of alternatives. A large bound counts as none, a small one as no repetition. Patterns with
too many positions are said to be harmless.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

MAX_LENGTH = 2_000
_MAX_POSITIONS = 120
_MAX_EDGES = 60_000
_MAX_ATOMS = 4_000
_MAX_DEPTH = 50
_MANY = 12
"""A repetition that may happen so often is as good as endless: 2 to the twelfth is what an attacker pays for."""

OTHER = 1 << 128  # stands for all characters beyond ASCII
_ALL = (1 << 129) - 1
ASSERTION = 1 << 129  # an end, a word boundary, a look-around: takes nothing and may fail


def mask_of(characters: str) -> int:
    """A set of characters as bits: one for each of ASCII, and one for all others."""
    mask = 0
    for character in characters:
        mask |= 1 << min(ord(character), 128)
    return mask


DIGITS = mask_of("0123456789")
LETTERS = mask_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_SPACES = mask_of(" \t\n\r\f\v")
_CLASSES = {
    "d": DIGITS,
    "w": DIGITS | LETTERS | mask_of("_") | OTHER,
    "s": _SPACES,
    "D": _ALL & ~DIGITS,
    "W": _ALL & ~(DIGITS | LETTERS | mask_of("_")),
    "S": _ALL & ~_SPACES,
}
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}


class Unreadable(Exception):
    """The pattern has a construct that this page does not know, or is not valid."""


@dataclass(slots=True)
class _Part:
    """A piece of the automaton: which positions can be first and last in it, and whether it can be empty."""

    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    nullable: bool = True


class Automaton:
    """Parses a pattern straight into positions and edges."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._atoms = 0
        self._ignore_space = False
        self.masks: list[int] = []
        self.edges: dict[int, dict[int, int]] = {}
        """From, to, and by how many ways of the pattern."""
        self.groups: list[int] = []
        """What each group that captures may hold, as a set of characters."""

        self.whole = self._alternatives(0)
        if self._at < len(pattern):
            raise Unreadable

    # --- Parsing -----------------------------------------------------------------------------------

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _take(self) -> str:
        character = self._peek()
        if not character:
            raise Unreadable
        self._at += 1
        return character

    def _alternatives(self, depth: int) -> _Part:
        if depth > _MAX_DEPTH:
            raise Unreadable
        part = self._sequence(depth)
        while self._peek() == "|":
            self._at += 1
            other = self._sequence(depth)
            part = _Part(part.first + other.first, part.last + other.last, part.nullable or other.nullable)
        return part

    def _sequence(self, depth: int) -> _Part:
        whole = _Part()
        while (character := self._peek()) and character not in "|)":
            if self._ignore_space and character in " \t\n#":
                self._skip_space()
                continue
            whole = self._follow(whole, self._repeated(depth))
        return whole

    def _skip_space(self) -> None:
        if self._take() == "#":
            while self._peek() not in ("", "\n"):
                self._at += 1

    def _repeated(self, depth: int) -> _Part:
        before = self._at
        part = self._atom(depth)
        while (bounds := self._quantifier()) is not None:
            least, most = bounds
            if most >= _MANY:
                self._connect(part.last, part.first)
            elif least >= 2 or most >= 2:
                part = self._copies(before, depth, part, most)
            part = _Part(part.first, part.last, part.nullable or least == 0)
        return part

    def _copies(self, start: int, depth: int, part: _Part, most: int) -> _Part:
        """A few repetitions are written out, as long as there is room for them."""
        end = self._at
        for _ in range(min(most, 3) - 1):
            self._at = start
            part = self._follow(part, self._atom(depth))
        self._at = end
        return part

    def _quantifier(self) -> tuple[int, int] | None:
        character = self._peek()
        if character and character in "*+?":
            self._at += 1
            bounds = {"*": (0, _MANY), "+": (1, _MANY), "?": (0, 1)}[character]
        elif character == "{":
            end = self._pattern.find("}", self._at)
            low, comma, high = self._pattern[self._at + 1 : end].partition(",")
            if end < 0 or not (low.isdigit() or (comma and not low)) or not (high.isdigit() or not high):
                return None
            self._at = end + 1
            least = int(low or 0)
            bounds = (least, int(high) if high else _MANY if comma else least)
        else:
            return None
        if self._peek() == "?":
            self._at += 1
        elif self._peek() == "+":  # possessive: it does not go back
            raise Unreadable
        return bounds

    def _atom(self, depth: int) -> _Part:
        self._atoms += 1
        if self._atoms > _MAX_ATOMS:  # groups that are written out and hold no position would go on for ever
            raise Unreadable
        character = self._take()
        if character == "(":
            return self._group(depth)
        if character == "[":
            return self._position(self._class())
        if character == ".":
            return self._position(_ALL & ~mask_of("\n"))
        if character == "^":
            return _Part()
        if character == "$":
            return self._position(ASSERTION)
        if character == "\\":
            return self._escape()
        if character in "*+?":
            raise Unreadable
        return self._position(mask_of(character))

    def _group(self, depth: int) -> _Part:
        if self._peek() != "?":
            return self._captured(depth)
        self._at += 1
        kind = self._take()
        if kind == ":":
            return self._closed(self._alternatives(depth + 1))
        if kind in "=!":
            return self._look_around(depth)
        if kind == "<" and self._peek() in ("=", "!"):
            self._at += 1
            return self._look_around(depth)
        if kind in "P<" and (kind == "<" or self._peek() == "<"):
            end = self._pattern.find(">", self._at)
            if end < 0:
                raise Unreadable
            self._at = end + 1
            return self._captured(depth)
        if kind in "aiLmsux":
            return self._flags(kind, depth)
        raise Unreadable

    def _captured(self, depth: int) -> _Part:
        first = len(self.masks)
        part = self._closed(self._alternatives(depth + 1))
        held = 0
        for mask in self.masks[first:]:
            held |= mask if mask != ASSERTION else 0
        self.groups.append(held)
        return part

    def _flags(self, kind: str, depth: int) -> _Part:
        flags = kind
        while (character := self._take()) not in ":)":
            flags += character
        if "x" in flags.partition("-")[0]:
            self._ignore_space = True
        return _Part() if character == ")" else self._closed(self._alternatives(depth + 1))

    def _look_around(self, depth: int) -> _Part:
        masks, edges = self.masks, self.edges
        self.masks, self.edges = [], {}
        self._closed(self._alternatives(depth + 1))
        self.masks, self.edges = masks, edges
        return self._position(ASSERTION)

    def _closed(self, part: _Part) -> _Part:
        if self._take() != ")":
            raise Unreadable
        return part

    def _escape(self) -> _Part:
        character = self._take()
        if character in "AB":
            return _Part()
        if character in "bZz":
            return self._position(ASSERTION)
        if character.isdigit() and character != "0":
            return self._position(ASSERTION)
        return self._position(self._escaped(character))

    def _escaped(self, character: str) -> int:
        if character in _CLASSES:
            return _CLASSES[character]
        length = {"x": 2, "u": 4, "U": 8}.get(character, 0)
        if length:
            digits = self._pattern[self._at : self._at + length]
            try:
                code = int(digits, 16)
            except ValueError:
                raise Unreadable from None
            self._at += length
            return 1 << min(code, 128)
        if character in "pPkN":
            raise Unreadable
        return mask_of(_ESCAPED.get(character, character))

    def _class(self) -> int:
        negated = self._peek() == "^"
        if negated:
            self._at += 1
        mask, first = 0, True
        while (character := self._take()) != "]" or first:
            first = False
            low = self._escaped_in_class() if character == "\\" else mask_of(character)
            if self._peek() == "-" and self._pattern[self._at + 1 : self._at + 2] not in ("]", ""):
                self._at += 1
                character = self._take()
                high = self._escaped_in_class() if character == "\\" else mask_of(character)
                if low.bit_count() == 1 and high.bit_count() == 1:
                    mask |= max((high << 1) - low, 0)
                    continue
                low |= high | mask_of("-")
            mask |= low
        return _ALL & ~mask if negated else mask

    def _escaped_in_class(self) -> int:
        character = self._take()
        return 1 << 8 if character == "b" else self._escaped(character)

    # --- Building ----------------------------------------------------------------------------------

    def _position(self, mask: int) -> _Part:
        at = len(self.masks)
        if at >= _MAX_POSITIONS:
            raise Unreadable
        self.masks.append(mask)
        return _Part([at], [at], nullable=False)

    def _connect(self, sources: list[int], targets: list[int]) -> None:
        for source in sources:
            ways = self.edges.setdefault(source, {})
            for target in targets:
                ways[target] = ways.get(target, 0) + 1

    def _follow(self, left: _Part, right: _Part) -> _Part:
        self._connect(left.last, right.first)
        return _Part(
            left.first + right.first if left.nullable else left.first,
            left.last + right.last if right.nullable else right.last,
            left.nullable and right.nullable,
        )


def _reach(automaton: Automaton) -> list[int]:
    """For each position the set, as bits, of those that can come after it."""
    reach = [sum(1 << target for target in automaton.edges.get(at, ())) for at in range(len(automaton.masks))]
    for middle in range(len(reach)):
        beyond = reach[middle]
        for at, known in enumerate(reach):
            if known >> middle & 1:
                reach[at] = known | beyond
    return reach


def _doubled(automaton: Automaton, reach: list[int]) -> Iterator[int]:
    """Positions with an edge that two loops of the pattern make, on a cycle."""
    for source, ways in automaton.edges.items():
        for target, count in ways.items():
            back = target == source or reach[target] >> source & 1
            if count > 1 and back and automaton.masks[target] != ASSERTION:
                yield source
                break


def _forked(automaton: Automaton) -> Iterator[int]:
    """Positions from which two different paths over the same text lead back."""
    masks, edges = automaton.masks, automaton.edges
    budget = _MAX_EDGES
    for origin in range(len(masks)):
        # pairs reachable from (origin, origin), with whether the two have been apart
        seen = {(origin, origin, False)}
        pending = [(origin, origin, False)]
        while pending:
            left, right, apart = pending.pop()
            for a in edges.get(left, ()):
                for b in edges.get(right, ()):
                    budget -= 1
                    if budget < 0:
                        return
                    if not masks[a] & masks[b] or masks[a] == ASSERTION:
                        continue
                    state = (a, b, apart or a != b)
                    if a == b == origin and state[2]:
                        yield origin
                        pending.clear()
                        break
                    if state not in seen:
                        seen.add(state)
                        pending.append(state)
                else:
                    continue
                break


@lru_cache(maxsize=1024)
def is_exponential(pattern: str, anchored: bool = False) -> bool:
    """Whether some text makes the search for `pattern` take exponential time.

    `anchored` says that the whole text must match (`fullmatch`), so that the end may fail too.
    """
    if len(pattern) > MAX_LENGTH or not any(sign in pattern for sign in ("*", "+", "{")):
        return False
    try:
        automaton = Automaton(pattern)
    except Unreadable:
        return False
    reach = _reach(automaton)
    # where the pattern may stop within the cycle, the engine accepts there and never goes back
    accepting = 0 if anchored else sum(1 << at for at in automaton.whole.last)

    def can_fail(at: int) -> bool:
        cycle = sum(1 << other for other, beyond in enumerate(reach) if reach[at] >> other & 1 and beyond >> at & 1)
        return not accepting & (cycle | 1 << at)

    return any(map(can_fail, _doubled(automaton, reach))) or any(map(can_fail, _forked(automaton)))
