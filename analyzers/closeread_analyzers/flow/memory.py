"""What is remembered of the answers to big questions, and when a memory still holds.

Big questions are what a function does (`("function", ref)`) and what a module's body leaves behind
(`("module", path)`). While one is worked out, all it asks is noted in its record with the answer; when a text
changes, a memory holds as long as its own text and all the answers it rested on are the same *by value*. So an
edit inside one function's body stops there.

Circles (recursion, modules that import each other): what is asked while it is being worked out is answered by a
guess, at first that nothing is known. All that rests on the guess is provisional until the question that the
circle was entered by is answered; then the answers become the guesses, and the circle is gone round again until
they stay the same. Its members are then remembered together and hold together. So an answer does not depend on
where the circle was entered.

Chains: a question that comes too deep is put off, everything above it is dropped, and asked again after it.

Deliberately absent: what the questions mean (engine.py). Trap: `_low[-1]` is the lowest place in progress that
the answer being worked out has looked at; whoever answers from something in progress must lower it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Final

from .frame import Record
from .summaries import Summary, describe, gist, signature, without_constant
from .touched import INSIDE, Key, Users
from .values import Value

MAX_CHAIN: Final = 30
"""Questions being worked out at once; a deeper one is put off and asked first."""

MAX_VERIFIED: Final = 300
"""Memories being verified at once; a deeper one is worked out again."""

MAX_ROUNDS: Final = 4
"""Times a circle is gone round; what still changes then (trails, mostly) is taken as it is."""

LARGE: Final = 16
"""Members above which a circle is gone round twice only: that finds nearly all, and more costs much."""

FREE: Final = 1 << 30
"""Deeper than any place: rests on nothing in progress."""


@dataclass(slots=True, eq=False)
class Grounds:
    """What a memory rests on, or all memories of a circle: answers by question, and when they were last the same."""

    needs: dict[Key, Any]
    verified: int
    place: int = -1
    """Where it is being verified now; -1 where it is not."""
    doubted: bool = False


@dataclass(slots=True, eq=False)
class Memory:
    """An answer, what was found on the way, and what it rests on."""

    answer: Any
    record: Record
    text: bytes
    grounds: Grounds


class Interrupted(Exception):
    """Nobody waits for the answer any more."""


class Memories:
    """The memory. An engine derives from it and says how questions are worked out."""

    def __init__(self) -> None:
        self.revision = 0
        self._memories: dict[Key, Memory] = {}
        self._answers: dict[Key, tuple[Any, set[str]]] = {}
        self._file_sets: dict[frozenset[str], set[str]] = {}
        self._built_on: dict[Key, list[Key]] = {}
        self._users: Users | None = None
        self._records: list[Record] = []
        self._forget_progress()

    def _forget_progress(self) -> None:
        """Drop all that is in progress, after an interruption or a failure."""
        self._provisional: dict[Key, tuple[Memory, int]] = {}
        self._stack: dict[Key, int] = {}
        self._low: list[int] = []
        self._records.clear()
        self._asking: dict[Key, int] = {}
        self._circles: set[Key] = set()
        self._guesses: dict[Key, Any] = {}
        self._guessed: set[Key] = set()
        self._moved = False
        self._deep: list[Key] = []
        self._patient = True

    # --- What an engine says ----------------------------------------------------------------------

    outlines: ClassVar[frozenset[str]]
    """The kinds of small questions whose answers rest on no text inside a function but what they are noted to need."""

    def _text(self, key: Key) -> bytes:
        """The digest of the text that a big question is about."""
        raise NotImplementedError

    def _work(self, key: Key, record: Record) -> Any:
        """The answer to a big question, interpreted; what is found goes into the record."""
        raise NotImplementedError

    def _nothing(self, key: Key) -> Any:
        """The answer to a big question of which nothing is known."""
        raise NotImplementedError

    def _work_small(self, need: Key) -> Any:
        """The answer to a small question."""
        raise NotImplementedError

    # --- Big questions ----------------------------------------------------------------------------

    def _first(self, key: Key) -> Memory:
        """The memory for a question that nothing else waits for."""
        pending = [key]
        tried: set[Key] = set()
        while True:
            at = pending[-1]
            self._deep = []
            self._patient = at not in tried
            memory = self._ask(at)
            put_off = [deep for deep in dict.fromkeys(self._deep) if deep not in tried and deep != at]
            if put_off and self._patient:
                tried.add(at)
                pending += put_off
                continue
            if self._deep and self._patient:  # only its own circle is deeper: what is known will have to do
                tried.add(at)
                continue
            pending.pop()
            if not pending:
                return memory

    def _ask(self, key: Key) -> Memory:
        memory = self._memories.get(key)
        if memory is not None and memory.grounds.verified == self.revision:
            return memory
        provisional = self._provisional.get(key)
        if provisional is not None:
            self._look(provisional[1])
            return provisional[0]
        place = self._stack.get(key)
        if place is not None:
            self._look(place)
            return self._guess(key)
        if memory is not None:
            grounds = memory.grounds
            if grounds.place >= 0:
                # A memory speaks for itself while it is verified, but not to what is worked out anew: that could
                # be the only reason for what it says.
                if self._stack and next(reversed(self._stack.values())) > grounds.place:
                    grounds.doubted = True
                self._look(grounds.place)
                return memory
            if self._holds(key, memory):
                return memory
        if len(self._stack) >= MAX_CHAIN:
            self._deep.append(key)
            self._look(0)
            return self._guess(key)
        return self._compute(key)

    def _look(self, place: int) -> None:
        if self._low and place < self._low[-1]:
            self._low[-1] = place

    def _guess(self, key: Key) -> Memory:
        self._guessed.add(key)
        answer = self._guesses.get(key)
        return Memory(self._nothing(key) if answer is None else answer, Record(), self._text(key), Grounds({}, -1))

    def _compute(self, key: Key) -> Memory:
        place = len(self._low)
        self._stack[key] = place
        try:
            for turn in range(MAX_ROUNDS):
                memory, low = self._round(key)
                circle = {key: memory, **self._resting(place)}
                if low != place or (self._deep and self._patient) or self._settled(circle):
                    break
                if turn and len(circle) > LARGE:
                    break
                self._guesses.update({member: one.answer for member, one in circle.items()})
                for member in circle:
                    self._provisional.pop(member, None)
        finally:
            del self._stack[key]
        if low < place:
            self._provisional[key] = (memory, low)
            self._lower(place, low)
            self._look(low)
            return memory
        self._drop(place)
        if low == place == 0 and self._deep and self._patient:
            return memory  # not what it will be: it is asked again after what was put off
        if low == place:
            self._join(circle)
        self._remember(key, memory)
        return memory

    def _remember(self, key: Key, memory: Memory) -> None:
        self._memories[key] = memory
        if self._users is not None:
            self._users.add(key, memory.grounds.needs)

    def _round(self, key: Key) -> tuple[Memory, int]:
        record = Record()
        self._low.append(FREE)
        self._records.append(record)
        try:
            answer = self._work(key, record)
        except (Interrupted, MemoryError):
            raise
        except Exception as error:  # whatever it is, it costs this one answer, and whoever asked for it is told
            answer, record.failure = self._nothing(key), f"{type(error).__name__}: {error}"
        finally:
            self._records.pop()
            low = self._low.pop()
        record.files = self._one_of(record.files)
        if low != FREE and isinstance(answer, Summary):
            # A guess knows no constant. Not to know any in the whole circle is to know the same wherever it was entered.
            answer = answer._replace(returns=without_constant(answer.returns))
        return Memory(answer, record, self._text(key), Grounds(record.needs, self.revision)), low

    def _one_of(self, files: set[str]) -> set[str]:
        """The first of all equal sets: files that import each other rest on the very same ones, thousands of times."""
        return self._file_sets.setdefault(frozenset(files), files)

    def _settled(self, circle: dict[Key, Memory]) -> bool:
        """Whether the guesses that were given were right."""
        moved, self._moved = self._moved, False
        return not moved and all(
            means_same(self._guesses.get(member, self._nothing(member)), circle[member].answer)
            for member in circle
            if member in self._guessed
        )

    def _join(self, circle: dict[Key, Memory]) -> None:
        """The members of a circle are remembered, and hold, together."""
        needs: dict[Key, Any] = {}
        files: set[str] = set()
        for member, memory in circle.items():
            needs.update(memory.grounds.needs)
            needs["text", member] = memory.text
            files |= memory.record.files
        for member in circle:
            needs.pop(member, None)
        if self._deep:
            needs["never",] = None
        grounds = Grounds(needs, self.revision)
        for member, memory in circle.items():
            memory.grounds = grounds
            memory.record.files = files
            self._remember(member, memory)

    def _resting(self, place: int) -> dict[Key, Memory]:
        return {key: memory for key, (memory, low) in self._provisional.items() if low >= place}

    def _drop(self, place: int) -> None:
        """Nothing is in progress from this place on."""
        for key in self._resting(place) if self._provisional else ():
            del self._provisional[key]
        if place <= 0 and self._guessed:
            self._guesses.clear()
            self._guessed.clear()

    def _lower(self, place: int, low: int) -> None:
        """What rests on a place that is itself provisional rests on what that rests on."""
        for key, memory in self._resting(place).items():
            self._provisional[key] = (memory, low)

    # --- Whether a memory holds -------------------------------------------------------------------

    def _doubt_all(self) -> None:
        """Every memory is verified before it is used again."""
        self.revision += 1
        self._answers.clear()

    def _doubt(self, altered: list[Key]) -> bool:
        """Doubt what rests on these needs alone. False if that cannot be told: a module's body has another outcome.

        Other small answers stay: they rest on what stands in modules, and on what the modules' bodies leave behind.
        """
        if self._users is None:
            self._users = Users(self._built_on)
            for key, memory in self._memories.items():
                self._users.add(key, memory.grounds.needs)
        bodies: list[Key] = []
        for key in {*altered, *self._users.of(altered)}:
            if key not in self._memories:
                self._answers.pop(key, None)
                continue
            self._memories[key].grounds.verified = -1
            if key[0] == "module":
                bodies.append(key)
        for key in bodies:
            before = self._memories[key].answer
            if not _same_names(self._first(key).answer, before, trails=True):
                return False
        return True

    def _holds(self, key: Key, memory: Memory) -> bool:
        grounds = memory.grounds
        if memory.text != self._text(key) or len(self._low) >= MAX_VERIFIED:
            return False
        place = len(self._low)
        grounds.place, grounds.doubted = place, False
        self._low.append(FREE)
        now = Record()
        self._records.append(now)
        try:
            held = all(self._is_still(need, answer) for need, answer in grounds.needs.items()) and not grounds.doubted
        finally:
            self._records.pop()
            low = self._low.pop()
            grounds.place = -1
        if not held or self._deep:
            self._drop(place)
            return False
        if not now.files <= memory.record.files:  # the same answers may come from other files
            memory.record.files = self._one_of(memory.record.files | now.files)
        if low < place:
            self._lower(place, low)
            self._provisional[key] = (memory, low)
            self._look(low)
            return True
        self._drop(place)
        grounds.verified = self.revision
        if self._users is not None:
            self._users.add(key, grounds.needs)
        return True

    def _is_still(self, need: Key, answer: Any) -> bool:
        now = self._answer(need)
        return now is answer or same(now, answer)

    def _answer(self, need: Key) -> Any:
        """The answer now to something that was once asked."""
        kind = need[0]
        if kind == "text":
            return self._text(need[1])
        if kind == "function":
            memory = self._ask(need) if self._low else self._first(need)
            if self._records:
                self._records[-1].files |= memory.record.files
            return memory.answer
        if kind == "never":
            return self
        return self._noted(need)

    # --- Small questions --------------------------------------------------------------------------

    def _noted(self, need: Key) -> Any:
        """The answer to a small question, noted; remembered until a text changes unless it is provisional.

        A question that leads back to itself is answered by None, or by a guess if a big one is in between.
        """
        known = self._answers.get(need)
        if known is None:
            asked_at = self._asking.get(need)
            if asked_at is None:
                known = self._work_out(need)
                if self._deep and not self._low:
                    for key in dict.fromkeys(self._deep):
                        self._first(key)
                    self._deep = []
                    known = self._work_out(need)
            elif asked_at == len(self._low):
                self._circles.add(need)
                return None
            else:
                self._guessed.add(need)
                self._look(asked_at - 1)
                return self._guesses.get(need)
        value, files = known
        if self._records:
            record = self._records[-1]
            noted = record.needs
            if noted.get(need, noted) is not value:  # else it was noted before, and its files with it
                noted[need] = value
                if files:
                    record.files |= files
        return value

    def _work_out(self, need: Key) -> tuple[Any, set[str]]:
        record = Record()
        self._asking[need] = len(self._low)
        self._records.append(record)
        if self._low:
            outer, self._low[-1] = self._low[-1], FREE
        provisional = False
        try:
            value = self._work_small(need)
        finally:
            self._records.pop()
            del self._asking[need]
            self._circles.discard(need)
            if self._low:
                provisional = self._low[-1] != FREE
                self._look(outer)
        if need in self._guessed:
            provisional = True
            self._moved = self._moved or not same(value, self._guesses.get(need))
            self._guesses[need] = value
        if not self._low:
            self._drop(-1)
        known = (value, self._one_of(record.files))
        if not provisional and not self._circles and not (self._deep and not self._low):
            self._answers[need] = known
        self._note_below(need, record)
        return known

    def _note_below(self, need: Key, record: Record) -> None:
        below = [one for one in record.needs if one[0] in INSIDE or one in self._built_on]
        if need[0] not in self.outlines:
            below += [("content", path) for path in record.files]
        if below:
            self._built_on[need] = below
            if self._users is not None:
                self._users.add(need, below)

    def _asked(self, key: Key) -> Any:
        """`_ask`, noted. A provisional answer is not: it is remembered together with what asks."""
        memory = self._ask(key)
        record = self._records[-1] if self._records else None
        if record is None:
            return memory.answer
        if key[0] == "function" and self._memories.get(key) is memory:
            record.needs[key] = memory.answer
        record.files.add(key[1] if key[0] == "module" else key[1].path)
        record.files |= memory.record.files
        return memory.answer


def same(now: Any, before: Any) -> bool:
    """Whether two answers are the same, to the last step of a trace."""
    if isinstance(now, Summary) and isinstance(before, Summary):
        return signature(now) == signature(before)
    if isinstance(now, Value) and isinstance(before, Value):
        return describe(now) == describe(before)
    return bool(now == before)


def means_same(now: Any, before: Any) -> bool:
    """Whether two answers say the same; how data came to where it is does not count."""
    if isinstance(now, Summary) and isinstance(before, Summary):
        return gist(now) == gist(before)
    if isinstance(now, tuple) and isinstance(before, tuple):
        return _same_names(now, before, trails=False)
    return same(now, before)


def _same_names(now: Any, before: Any, trails: bool) -> bool:
    """For what a module leaves behind: values by name, perhaps by name once more, in several parts."""
    if now is before:
        return True
    if isinstance(now, Value) and isinstance(before, Value):
        return describe(now, trails) == describe(before, trails)
    if isinstance(now, dict) and isinstance(before, dict):
        return now.keys() == before.keys() and all(_same_names(one, before[name], trails) for name, one in now.items())
    if isinstance(now, tuple) and isinstance(before, tuple):
        return len(now) == len(before) and all(map(lambda one, other: _same_names(one, other, trails), now, before))
    return bool(now == before)


__all__ = ["MAX_CHAIN", "Interrupted", "Key", "Memories", "Memory", "same"]
