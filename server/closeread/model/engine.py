"""What answers questions in the model's process: one interface, and the two that have it.

    scheduler.py    llama.cpp with a model's file, computed in this process
    endpoint.py     a server that speaks OpenAI's protocol: llama.cpp's own, Ollama, vLLM

Whoever asks knows neither: questions and answers (`question.py`), urgency, cancelling and refusals are the same.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from .question import Answer, Question

Tell = Callable[[int, dict[str, Any] | Answer], None]
"""Called with a question's number, and a piece of its answer ({"piece": text}), a refusal ({"refused": reason, ...}), or
its answer. On any thread."""


class Unusable(Exception):
    """There is nothing to ask; the message says what and why."""


class Engine(Protocol):
    """Every method is called on one thread, but for the two attributes that are only read."""

    @property
    def facts(self) -> dict[str, Any]:
        """What it says of itself when it is ready: `room` in tokens, whether a GPU helps (`gpu`), and its own."""
        ...

    @property
    def decoding(self) -> tuple[frozenset[int], int]:
        """The questions that `step` computes right now, and the highest of their priorities."""
        ...

    @property
    def has_work(self) -> bool:
        """Whether `step` has anything to do."""
        ...

    def ask(self, key: int, question: Question, priority: int) -> None:
        """Take a question, or refuse it at once."""
        ...

    def cancel(self, key: int) -> None:
        """Drop a question, wherever it is, and say so."""
        ...

    def prioritise(self, key: int, priority: int) -> None:
        """A question is more urgent now, or less."""
        ...

    def step(self) -> None:
        """Compute a little."""
        ...
