"""Answers, kept for ever: by the model's identity (its bytes, where these are known), the version of what is asked with, and
the question's own content.

They lie in a store of their own, from which nothing is dropped to make room. Deliberately absent: trust in what the
store gives; what does not read as an answer is a miss.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

from ..store import Store
from .question import Answer, Question, answer_as_json, answer_from_json, question_as_json

FOLDER = "answers"


class Answers:
    """What a model answered before. `warning` is the one thing that went wrong with the store, or ""."""

    def __init__(self, identity: str, folder: Path | None = None) -> None:
        self._identity = identity
        self._store = Store(folder, name=FOLDER, keep=True)

    @property
    def warning(self) -> str:
        """See `Store`."""
        return self._store.warning

    def get(self, question: Question, version: str) -> Answer | None:
        """The answer to this very question; `version` is the prompt's."""
        key = self._key(question, version)
        value = self._store.get_many([key]).get(key)
        if value is None:
            return None
        try:
            return answer_from_json(json.loads(value))
        except (KeyError, TypeError, ValueError):
            return None

    def put(self, question: Question, version: str, answer: Answer) -> None:
        """Keep an answer."""
        self._store.put_many({self._key(question, version): json.dumps(answer_as_json(answer)).encode()})

    def close(self) -> None:
        """Let go of the store."""
        self._store.close()

    def _key(self, question: Question, version: str) -> bytes:
        content = json.dumps([self._identity, version, question_as_json(question)], sort_keys=True)
        return blake2b(content.encode("utf-8", "surrogatepass"), digest_size=20).digest()
