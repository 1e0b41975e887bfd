"""A memory of what code said by itself, keyed by the code: entries last as long as somebody asks for them.

An edit makes new code, and nobody asks for the old again. Deliberately absent: how often it ages, which is its owner's business.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")

STALE: Final = 200
"""Edits, or files, after which most of what is remembered and was not asked for since is about earlier texts."""


class Aging(Generic[K, V]):
    """Two generations: what is asked for is young again, and what is old when the next one begins is gone."""

    def __init__(self) -> None:
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        """What was put there, or None."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self._young[key] = found
        return found

    def put(self, key: K, value: V) -> V:
        """Remember `value`, and give it back."""
        self._young[key] = value
        return value

    def age(self) -> None:
        """Begin a generation."""
        self._old, self._young = self._young, {}
