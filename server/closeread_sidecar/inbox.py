"""The one way in for whatever is said: may they ask, what do they mean, is there room; then it is committed, or not accepted.

Whoever brings a message (a platform, the gateway) acknowledges it to its own other side after `offer` has returned, and not before.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from . import audit, handlers
from .message import GATEWAY, Message
from .policy import Decision, Policy
from .queue import entries
from .queue.entries import Bounds, Busy, Entry, New
from .queue.ledger import Ledger
from .routes import Routes, Target

Instant = Callable[[Message, Target], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message. `events` are for whoever asked; `ended` if no more of them will come.

    `silent`: nothing at all may be told, not even that it was read.
    """

    events: tuple[dict[str, Any], ...] = ()
    ended: bool = False
    silent: bool = False
    kept: bool = True
    """False if the platform's own server should keep it, because there is no room here."""

    accepted: Entry | None = None


class Inbox:
    """Decides on messages, in this order: sender, rate, words, room."""

    def __init__(
        self, ledger: Ledger, policy: Policy, routes: Routes, bounds: Bounds, instant: Instant,
        cancel: Callable[[str], Awaitable[bool]],
    ) -> None:  # fmt: skip
        self._ledger, self._policy, self._routes, self._bounds = ledger, policy, routes, bounds
        self._instant, self.cancel = instant, cancel

    async def offer(self, message: Message) -> Receipt:
        """Take a message in. Raises sqlite3.Error if it cannot be committed: then it was not accepted."""
        if message.platform != GATEWAY:
            decision: Decision = await self._ledger.run(lambda db: self._policy.decide(db, message))
            if decision.paired:
                return Receipt(
                    (_answer("You are paired. Ask `status`, or anything else for what there is."),), ended=True
                )
            if not decision.allowed:
                return Receipt(ended=True, silent=True)
            pause, told = self._policy.pause(message)
            if pause:
                if not told:  # a flood of them must not fill the disk
                    await self._note(message, "too many")
                slow = _error("slow-down", f"Too many messages; again in {pause:.0f} s.", round(pause, 1))
                return Receipt((slow,), ended=True, silent=told)
        target = self._routes.find(message.content, message.platform)
        if target is None:
            if message.group:  # people talk among themselves there
                return Receipt(ended=True, silent=True)
            usages = ", ".join(f"`{usage}`" for usage in self._routes.usages(message.platform))
            await self._note(message, "unknown words")
            return Receipt((_error("unknown", f"There is {usages}."),), ended=True)
        # In a conversation it waits its turn: an answer must not overtake those of what was asked before it.
        at_once = message.platform == GATEWAY and not message.conversation and target.file is None
        if at_once and handlers.is_instant(target.name):
            text = await self._instant(message, target)
            await self._note(message, "answered at once", target.name)
            return Receipt((_answer(text),), ended=True)
        return await self._ledger.run(lambda db: self._accept(db, message, target))

    async def _note(self, message: Message, decision: str, handler: str = "") -> None:
        def operation(db: sqlite3.Connection) -> None:
            audit.append(db, time.time(), "asked", **_who(message), decision=decision, handler=handler)

        await self._ledger.run(operation)

    def _accept(self, db: sqlite3.Connection, message: Message, target: Target) -> Receipt:
        now = time.time()
        body = {"message": message.as_json(), "handler": target.name}
        try:
            entry, new = entries.accept(db, now, New(message.key, "task", message.lane, body), self._bounds)
        except Busy as error:
            audit.append(db, now, "asked", **_who(message), decision="busy", handler=target.name)
            return Receipt((_error("busy", f"Busy: {error}; ask again later.", 10.0),), ended=True, kept=False)
        if new and entry is not None:
            audit.append(db, now, "asked", **_who(message), decision="accepted", handler=target.name, entry=entry.id)
            return Receipt(({"type": "accepted", "duplicate": False},), accepted=entry)
        events: list[dict[str, Any]] = [{"type": "accepted", "duplicate": True}]
        ended = entry is None or entry.state not in entries.OPEN
        if ended:
            events.append(
                ending(entry.state if entry else "purged", (entry and entry.result) or {}, entry.error if entry else "")
            )
        return Receipt(tuple(events), ended)


def ending(state: str, result: dict[str, Any], error: str) -> dict[str, Any]:
    """The last event of a task in that state."""
    if state in ("done", "completed"):
        return {"type": "answer", "text": result.get("text", ""), "files": result.get("files", [])}
    if state == "cancelled":
        return {"type": "cancelled"}
    return _error("failed", error or "It was done long ago; its answer is not kept any more.")


def _answer(text: str) -> dict[str, Any]:
    return {"type": "answer", "text": text, "files": []}


def _error(code: str, text: str, after: float | None = None) -> dict[str, Any]:
    return {"type": "error", "code": code, "text": text} | ({} if after is None else {"after": after})


def _who(message: Message) -> dict[str, Any]:
    return {
        "platform": message.platform,
        "sender": str(message.sender_id)[:100],
        "conversation": message.conversation[:200],
    }
