"""A model as the rest of Closeread sees it: questions in, answers out, from memory where they were answered before.

Deliberately absent: what is asked (`librarian.py`...), and any decision about findings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from .answers import Answers
from .process import ModelProcess
from .question import Answer, Question, Writing, Written
from .shelf import Model, Served, Shelf


class Assistant:
    """The model in use. `version` names the prompts that a question is made of: other prompts, other answers."""

    def __init__(self, model: Model | Served, folder: Path | None = None, process: ModelProcess | None = None) -> None:
        self.model = model
        self.process = process or ModelProcess(model)
        self.asked = 0
        """How many questions the process answered."""
        self.remembered = 0
        """How many were answered from memory."""
        self._answers = Answers(model.identity, folder)

    @property
    def warning(self) -> str:
        """What went wrong with the memory of answers, or ""."""
        return self._answers.warning

    def known(self, question: Question, version: str) -> Answer | None:
        """The answer, if it was given before."""
        answer = self._answers.get(question, version)
        self.remembered += answer is not None
        return answer

    def keep(self, question: Question, version: str, answer: Answer) -> None:
        """Remember what the process answered."""
        self.asked += 1
        self._answers.put(question, version, answer)

    def answer_all(
        self,
        questions: Sequence[Question],
        version: str,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> list[Answer]:
        """The answers, in order; those not known are computed together. Raises `ModelProblem`.

        What was answered before something went wrong is kept.
        """
        answers = [self.known(question, version) for question in questions]
        done = sum(answer is not None for answer in answers)
        progress(done, len(questions))
        asked = {
            index: self.process.ask(question)
            for index, (question, answer) in enumerate(zip(questions, answers, strict=True))
            if answer is None
        }
        try:
            for index, pending in asked.items():
                answer = answers[index] = pending.result()
                self.keep(questions[index], version, answer)
                done += 1
                progress(done, len(questions))
        except BaseException:
            for pending in asked.values():
                pending.cancel()
            raise
        return [answer for answer in answers if answer is not None]

    def answer(self, question: Writing, version: str, piece: Callable[[str], None] = lambda text: None) -> Written:
        """The text that the model writes; `piece` is called, on another thread, with each piece of it as it is written.

        Raises `ModelProblem`.
        """
        answer = self.known(question, version)
        if answer is None:
            answer = self.process.ask(question, 0, piece).result()
            self.keep(question, version, answer)
        assert isinstance(answer, Written)
        return answer

    def close(self) -> None:
        """End the process and let go of the memory."""
        self.process.close()
        self._answers.close()


@contextmanager
def assistant() -> Iterator[Assistant | None]:
    """The user's model, or None where none is in use. Raises `ModelProblem` where its file is not what it was."""
    model = Shelf().ready()
    if model is None:
        yield None
        return
    made = Assistant(model)
    try:
        yield made
    finally:
        made.close()
