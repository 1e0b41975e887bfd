"""What an adapter sees of the sidecar, without one: keeps what it was handed, and says yes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from closeread_sidecar.inbox import Receipt
from closeread_sidecar.message import Message


class Recorder:
    """`received` is what came. With `full` nothing is kept, as when the queue has no room."""

    def __init__(self) -> None:
        self.received: list[Message] = []
        self.notes: dict[str, str] = {}
        self.refusals: list[str] = []
        self.full = False

    async def receive(self, message: Message) -> Receipt:
        if self.full:
            return Receipt(({"type": "error", "code": "busy", "text": "Busy."},), ended=True, kept=False)
        self.received.append(message)
        return Receipt(({"type": "accepted", "duplicate": False},))

    async def refused(self, platform: str, why: str) -> None:
        self.refusals.append(why)

    async def remember(self, name: str, value: str) -> None:
        self.notes[name] = value

    async def recall(self, name: str) -> str:
        return self.notes.get(name, "")

    @property
    def said(self) -> list[str]:
        return [message.content for message in self.received]


@contextlib.asynccontextmanager
async def adapting(adapter: Any) -> AsyncIterator[Any]:
    """The adapter runs for the time of the `with`."""
    task = asyncio.create_task(adapter.run())
    try:
        yield adapter
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
