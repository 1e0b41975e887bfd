"""Which tokens are computed next: many questions at once, the urgent ones first, what they share only once.

Each question is a sequence of tokens; between two batches questions join and leave. What all questions of a task begin
with is computed once, in a sequence of its own, and every question starts as a copy of it. A batch takes one token of each
answer being written, then parts of prompts, most urgent first. A batch in the middle of which something more urgent
arrives, or one of whose questions is no longer wanted, is broken off and made again without it.

Room is counted before anything is computed: a question that can never fit is refused, one that does not fit now waits.
Deliberately absent: pipes and threads (`worker.py`).
"""

from __future__ import annotations

import codecs
import itertools
from dataclasses import dataclass, field
from typing import Any

from .engine import Tell
from .llama import BATCH, Llama, Portion, Sampler
from .question import Answer, Choice, Chosen, Prompt, Question, Writing, Written

PREFIXES = 4
"""Most beginnings that are kept computed."""


@dataclass(eq=False, slots=True)
class _Sequence:
    """Tokens to be computed, of which `done` are."""

    tokens: list[int]
    priority: int = 0
    number: int = -1
    done: int = 0

    @property
    def left(self) -> int:
        """How many tokens are to be computed."""
        return len(self.tokens) - self.done


@dataclass(eq=False, slots=True)
class _Prefix(_Sequence):
    """A beginning that questions share."""

    used: int = 0
    """When it was last used; the oldest makes room."""


@dataclass(eq=False, slots=True)
class _Job(_Sequence):
    """One question. `tokens` are all of it, the shared ones first, and the answer's as they are written."""

    key: int = 0
    order: int = 0
    question: Question | None = None
    shared: tuple[int, ...] = ()
    options: list[int] = field(default_factory=list)
    sampler: Sampler | None = None
    asked: int = 0
    """How many of `tokens` are the question."""
    text: str = ""
    decoder: Any = None

    @property
    def room(self) -> int:
        """How many tokens it may come to, without the shared ones."""
        most = self.question.most if isinstance(self.question, Writing) else 0
        return self.asked - len(self.shared) + most


class Scheduler:
    """The questions of one model: an `Engine` over llama.cpp. Not thread-safe."""

    def __init__(self, llama: Llama, slots: int, tell: Tell) -> None:
        self.llama = llama
        self.tell = tell
        self.waiting: list[_Job] = []
        self.running: list[_Job] = []
        self.prefixes: dict[tuple[int, ...], _Prefix] = {}
        self.free = list(range(slots))
        self.free_prefixes = list(range(slots, slots + PREFIXES))
        self.decoding: tuple[frozenset[int], int] = (frozenset(), 0)
        """Whose tokens are in the batch being computed, and the highest of their priorities. Read by another thread."""
        self._clock = itertools.count()
        self._begins: dict[tuple[str, str], tuple[list[int], str]] = {}

    @property
    def facts(self) -> dict[str, Any]:
        """See `Engine`."""
        return {"room": self.llama.room, "gpu": self.llama.gpu}

    @property
    def has_work(self) -> bool:
        """See `Engine`."""
        return bool(self.running or self.waiting)

    # --- Questions come and go --------------------------------------------------------------------

    def ask(self, key: int, question: Question, priority: int) -> None:
        """Take a question, or refuse it at once."""
        shared, own = self._tokens(question.prompt)
        job = _Job(shared + own, priority, key=key, order=next(self._clock), question=question, shared=tuple(shared))
        job.asked = len(job.tokens)
        if len(shared) + job.room > self.llama.room:
            self.tell(key, {"refused": "too-long", "tokens": len(shared) + job.room, "room": self.llama.room})
            return
        if isinstance(question, Choice):
            job.options = [(self.llama.tokens(option) or [0])[0] for option in question.options]
        else:
            job.decoder = codecs.getincrementaldecoder("utf-8")("replace")
            try:
                job.sampler = self.llama.sampler(question.grammar, question.temperature, question.seed)
            except ValueError as error:
                self.tell(key, {"refused": "grammar", "message": str(error)})
                return
        self.waiting.append(job)

    def cancel(self, key: int) -> None:
        """Drop a question, wherever it is."""
        for job in [job for job in (*self.waiting, *self.running) if job.key == key]:
            self._drop(job)
            self.tell(key, {"refused": "cancelled"})

    def prioritise(self, key: int, priority: int) -> None:
        """A question is more urgent now, or less."""
        for job in (*self.waiting, *self.running):
            if job.key == key:
                job.priority = priority

    def _drop(self, job: _Job) -> None:
        if job in self.running:
            self._give_back(job)
        else:
            self.waiting.remove(job)
        if job.sampler is not None:
            job.sampler.close()
            job.sampler = None

    def _give_back(self, job: _Job) -> None:
        self.running.remove(job)
        self.llama.forget(job.number)
        self.free.append(job.number)
        job.number = -1

    # --- One batch --------------------------------------------------------------------------------

    def step(self) -> None:
        """Compute one batch, if there is anything to do."""
        self._admit()
        plan = self._plan()
        if not plan:
            return
        jobs = [sequence for sequence, _ in plan if isinstance(sequence, _Job)]
        urgency = max(sequence.priority for sequence, _ in plan)
        self.decoding = (frozenset(job.key for job in jobs), urgency)
        portions = [
            Portion(
                sequence.number,
                sequence.done,
                sequence.tokens[sequence.done : sequence.done + count],
                isinstance(sequence, _Job) and count == sequence.left,
            )
            for sequence, count in plan
        ]
        whole = self.llama.decode(portions)
        self.decoding = (frozenset(), 0)
        if not whole:
            return
        index = -1
        for (sequence, count), portion in zip(plan, portions, strict=True):
            index += count
            sequence.done += count
            if isinstance(sequence, _Job) and portion.scored:
                self._advance(sequence, index)

    def _admit(self) -> None:
        """Start what waits, most urgent first, as long as there is room."""
        self.waiting.sort(key=lambda job: (-job.priority, job.order))
        while self.waiting:
            job = self.waiting[0]
            if not self.free and not self._make_way(job):
                return
            prefix = self._prefix(job)
            if prefix is None:
                return
            if prefix.left:
                prefix.priority = max(prefix.priority, job.priority)
                return  # its beginning is computed first, in the next batches
            self.waiting.pop(0)
            job.number = self.free.pop()
            self.llama.fork(prefix.number, job.number, len(prefix.tokens))
            job.done = len(prefix.tokens)
            self.running.append(job)

    def _make_way(self, job: _Job) -> bool:
        """Put back what is less urgent than `job`; it starts again later. What is being written stays: it is read."""
        others = [other for other in self.running if other.sampler is None and other.priority < job.priority]
        if not others:
            return False
        least = min(others, key=lambda other: (other.priority, -other.order))
        self._give_back(least)
        least.done = 0
        self.waiting.append(least)
        return True

    def _prefix(self, job: _Job) -> _Prefix | None:
        """The sequence of a job's beginning, made if there is room; None while there is none."""
        prefix = self.prefixes.get(job.shared)
        if prefix is None:
            while not self.free_prefixes or self._taken() + len(job.shared) + job.room > self.llama.room:
                if not self._forget_oldest():
                    return None
            prefix = _Prefix(list(job.shared), number=self.free_prefixes.pop())
            self.prefixes[job.shared] = prefix
        while self._taken() + job.room > self.llama.room:
            if not self._forget_oldest(but=prefix):
                return None
        prefix.used = next(self._clock)
        return prefix

    def _taken(self) -> int:
        return sum(len(prefix.tokens) for prefix in self.prefixes.values()) + sum(job.room for job in self.running)

    def _forget_oldest(self, but: _Prefix | None = None) -> bool:
        busy = {job.shared for job in self.running}
        idle = [prefix for shared, prefix in self.prefixes.items() if shared not in busy and prefix is not but]
        if not idle:
            return False
        oldest = min(idle, key=lambda prefix: prefix.used)
        del self.prefixes[tuple(oldest.tokens)]
        self.llama.forget(oldest.number)
        self.free_prefixes.append(oldest.number)
        return True

    def _plan(self) -> list[tuple[_Sequence, int]]:
        """Which sequences get how many tokens computed."""
        plan: list[tuple[_Sequence, int]] = []
        left = BATCH
        beginnings = [prefix for prefix in self.prefixes.values() if prefix.left]
        order: list[_Sequence] = [*self.running, *beginnings]
        # Answers being written first: one token each, and somebody reads along.
        order.sort(key=lambda sequence: (sequence.left > 1, -sequence.priority))
        for sequence in order:
            count = min(sequence.left, left)
            if count:
                plan.append((sequence, count))
                left -= count
        return plan

    def _advance(self, job: _Job, index: int) -> None:
        """A job's last token was computed: choose, or write one more."""
        question = job.question
        if isinstance(question, Choice):
            self._finish(job, Chosen(tuple(self.llama.logs(index, job.options))))
            return
        assert isinstance(question, Writing) and job.sampler is not None
        token = job.sampler.pick(index)
        written = len(job.tokens) - job.asked
        if self.llama.ends(token):
            self._finish(job, Written(job.text + job.decoder.decode(b"", True), True, written))
            return
        piece = job.decoder.decode(self.llama.piece(token))
        job.tokens.append(token)
        written += 1
        job.text += piece
        stop = min((at for at in (job.text.find(stop) for stop in question.stops) if at >= 0), default=-1)
        if stop >= 0:
            self._finish(job, Written(job.text[:stop], True, written))
        elif written >= question.most:
            self._finish(job, Written(job.text, False, written))
        elif piece:
            self.tell(job.key, {"piece": piece})

    def _finish(self, job: _Job, answer: Answer) -> None:
        self._drop(job)
        self.tell(job.key, answer)

    # --- Prompts ----------------------------------------------------------------------------------

    def _tokens(self, prompt: Prompt) -> tuple[list[int], list[int]]:
        """A prompt's tokens: the shared ones, and its own."""
        known = self._begins.get((prompt.system, prompt.shared))
        if known is None:
            before, after = self.llama.conversation(prompt.system) if prompt.system else ("", "")
            begin = self.llama.tokens(before, control=True, first=True) + self.llama.tokens(prompt.shared)
            if len(self._begins) >= 4 * PREFIXES:
                self._begins.clear()
            known = self._begins[prompt.system, prompt.shared] = (begin, after)
        begin, after = known
        own = self.llama.tokens(prompt.own) + self.llama.tokens(after, control=True) + self.llama.tokens(prompt.lead)
        return list(begin), own
