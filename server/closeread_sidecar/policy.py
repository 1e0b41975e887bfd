"""Who may ask, and how often. Asked before anything is said, shown, logged or even read of a message.

Deny by default: an empty allow-list is nobody. Somebody who is not on it gets no answer at all, but by pairing: `closeread sidecar pair
PLATFORM` shows a code on the host, which whoever types it to the bot within ten minutes is let in by, once. Codes are kept as digests,
and burn after twenty wrong ones.

Deliberately absent: what is asked for (`routes.py`), and rights that differ between senders.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import sqlite3
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from . import audit
from .message import Message, SenderId
from .settings import Channel

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE = re.compile(rf"\s*([{_ALPHABET}]{{4}})-?([{_ALPHABET}]{{4}})\s*", re.IGNORECASE)
PAIRING_LASTS = 600.0
"""Seconds."""

_TRIES = 20
_LINE_EVERY = 60.0
"""Seconds between two audit lines about the same stranger: a flood of them must not fill the disk."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to go on, and why not. `paired` if the message was a pairing code and is answered by a welcome alone."""

    allowed: bool
    why: str = ""
    paired: bool = False


class Rate:
    """So many a minute for each sender, in a bucket that fills evenly. Remembers the last ten thousand senders."""

    def __init__(self, per_minute: int) -> None:
        self._size, self._speed = float(per_minute), per_minute / 60
        self._buckets: OrderedDict[object, tuple[float, float]] = OrderedDict()

    def spend(self, sender: object, now: float) -> float:
        """0 if one more is within the rate, else the seconds to wait. `now` from a clock that only goes on."""
        level, at = self._buckets.pop(sender, (self._size, now))
        level = min(self._size, level + (now - at) * self._speed)
        self._buckets[sender] = (max(0.0, level - 1) if level >= 1 else level, now)
        if len(self._buckets) > 10_000:
            self._buckets.popitem(last=False)
        return 0.0 if level >= 1 else (1 - level) / self._speed


class Policy:
    """The allow-lists of the settings, and those who were paired."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)
        self._rates = {name: Rate(channel.per_minute) for name, channel in channels.items()}
        self._strangers: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._slowed: OrderedDict[tuple[str, SenderId], float] = OrderedDict()

    def decide(self, db: sqlite3.Connection, message: Message) -> Decision:
        """May this sender ask here? Writes the audit line of a refusal; of what was said nothing is kept."""
        now = time.time()
        channel = self._channels.get(message.platform)
        if channel is None:
            return self._deny(db, now, message, "the platform is not set up")
        if not listed(message.sender_id, channel.allow) and not is_paired(db, message.platform, message.sender_id):
            if not message.group and self._pair(db, now, message):
                return Decision(True, paired=True)
            return self._deny(db, now, message, "the sender is not on the allow-list")
        if message.group and not listed(message.conversation, channel.conversations):
            return self._deny(db, now, message, "the group is not on the allow-list")
        return Decision(True)

    def pause(self, message: Message) -> tuple[float, bool]:
        """0 if the sender is within the rate, else the seconds to wait; and whether they were told so a moment ago."""
        now, sender = time.monotonic(), (message.platform, message.sender_id)
        pause = self._rates[message.platform].spend(message.sender_id, now)
        if not pause:
            return 0.0, False
        told = now - self._slowed.pop(sender, -_LINE_EVERY) < pause + 1
        self._slowed[sender] = now
        if len(self._slowed) > 10_000:
            self._slowed.popitem(last=False)
        return pause, told

    def _deny(self, db: sqlite3.Connection, now: float, message: Message, why: str) -> Decision:
        stranger = (message.platform, str(message.sender_id))
        if now - self._strangers.get(stranger, 0.0) >= _LINE_EVERY:
            audit.append(db, now, "denied", platform=message.platform, sender=str(message.sender_id)[:100], why=why)
            self._strangers[stranger] = now
        if len(self._strangers) > 10_000:
            self._strangers.popitem(last=False)
        return Decision(False, why)

    def _pair(self, db: sqlite3.Connection, now: float, message: Message) -> bool:
        row = db.execute("SELECT * FROM pairing WHERE platform = ? AND expires > ?", (message.platform, now)).fetchone()
        typed = _CODE.fullmatch(message.content) if row is not None else None
        if typed is None:
            return False
        if not hmac.compare_digest(_digest(message.platform, typed[1] + typed[2]), row["digest"]):
            db.execute("UPDATE pairing SET tries = tries + 1 WHERE platform = ?", (message.platform,))
            db.execute("DELETE FROM pairing WHERE tries >= ?", (_TRIES,))
            return False
        db.execute("DELETE FROM pairing WHERE platform = ?", (message.platform,))
        db.execute("INSERT OR REPLACE INTO known VALUES (?, ?, ?)", (message.platform, str(message.sender_id), now))
        audit.append(db, now, "paired", platform=message.platform, sender=str(message.sender_id)[:100])
        return True


def listed(who: SenderId, names: tuple[int | str, ...]) -> bool:
    """Whether somebody is on a list, be they a number or text there. Exactly: no patterns, no letters' case."""
    return str(who) in {str(name) for name in names} and str(who) != ""


def is_paired(db: sqlite3.Connection, platform: str, sender: SenderId) -> bool:
    """Whether somebody was let in by a code."""
    return bool(db.execute("SELECT 1 FROM known WHERE platform = ? AND sender = ?", (platform, str(sender))).fetchone())


def new_code(db: sqlite3.Connection, platform: str) -> str:
    """A code that lets one sender in, for ten minutes. An earlier one is no longer valid."""
    now = time.time()
    code = "".join(secrets.choice(_ALPHABET) for _ in range(8))
    db.execute(
        "INSERT OR REPLACE INTO pairing VALUES (?, ?, ?, 0)", (platform, _digest(platform, code), now + PAIRING_LASTS)
    )
    audit.append(db, now, "pairing offered", platform=platform)
    return f"{code[:4]}-{code[4:]}"


def forget(db: sqlite3.Connection, platform: str, sender: str) -> bool:
    """Let somebody who was paired in no longer. Whether they were."""
    gone = db.execute("DELETE FROM known WHERE platform = ? AND sender = ?", (platform, sender)).rowcount > 0
    if gone:
        audit.append(db, time.time(), "unpaired", platform=platform, sender=sender[:100])
    return gone


def _digest(platform: str, code: str) -> str:
    return hashlib.sha256(f"{platform}:{code.upper()}".encode()).hexdigest()
