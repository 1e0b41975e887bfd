"""Who wants to know how a task goes on: events by the task's key, to whoever listens now. Nothing is kept here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Listener = Callable[[dict[str, Any]], None]


class Progress:
    """Events are objects with a `type`: progress, partial, answer, error, cancelled."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Listener]] = {}

    def listen(self, key: str, listener: Listener) -> Callable[[], None]:
        """Call `listener` with each event of that task, until what is returned is called."""
        self._listeners.setdefault(key, []).append(listener)

        def stop() -> None:
            listeners = self._listeners.get(key, [])
            if listener in listeners:
                listeners.remove(listener)
            if not listeners:
                self._listeners.pop(key, None)

        return stop

    def tell(self, key: str, event: dict[str, Any]) -> None:
        """Something happened to that task."""
        for listener in tuple(self._listeners.get(key, ())):
            listener(event)
