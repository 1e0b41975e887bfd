"""What is said, whoever's protocol it came by, and what is said back.

Deliberately absent: any platform's own words. Those are known in `platforms/` alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

GATEWAY, COLLECTOR = "gateway", "collector"
"""The channels that are no chat platform. Who asks by the gateway has shown the token: they are this machine's user."""

SenderId = int | str
"""As the platform has it: Telegram's are numbers, a Matrix user is `@ann:example.org`."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message. `ref` is what the platform needs to fetch it; it is fetched only if a handler runs."""

    kind: str
    """file, image, voice or video."""

    name: str = ""
    size: int = 0
    """Bytes, as the sender claims; 0 is unknown."""

    ref: str = ""


def words(said: str, attachments: Sequence[Attachment]) -> str:
    """What a message asks. Files without a word are asked about by kind and name (`file a.log`), so that a route can take them."""
    if said.strip() or not attachments:
        return said.strip()
    return f"{attachments[0].kind} {attachments[0].name}".strip()


@dataclass(frozen=True, slots=True)
class Message:
    """One message that came in. `key` makes a second copy of it harmless."""

    platform: str
    sender_id: SenderId
    content: str
    attachments: tuple[Attachment, ...] = ()
    conversation: str = ""
    """Where the answer goes, in the platform's own words. "" has no order with anything."""

    message_id: str = ""
    reply_to: str = ""
    time: float = 0.0
    """Seconds since 1970, as the platform says; 0 is unknown."""

    edited: bool = False
    group: bool = False
    """Whether others than the sender read the answer."""

    unique: str = ""
    """What the platform promises to be the same for the same message: an update's number, a message's id."""

    context: dict[str, Any] = field(default_factory=dict)
    """What the platform needs to answer, and nobody else looks at."""

    def __post_init__(self) -> None:
        # JSON can say halves of characters, which neither a database nor anybody's protocol takes.
        for name in ("sender_id", "content", "conversation", "message_id", "reply_to", "unique"):
            text = getattr(self, name)
            if isinstance(text, str) and not text.isascii():
                object.__setattr__(self, name, text.encode("utf-8", "replace").decode())

    @property
    def key(self) -> str:
        """The idempotency key."""
        return f"{self.platform}:{self.unique or f'{self.conversation}:{self.message_id}'}"

    @property
    def lane(self) -> str:
        """What keeps order with what."""
        return f"{self.platform}:{self.conversation}" if self.conversation else self.key

    def as_json(self) -> dict[str, Any]:
        """For the queue."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Message:
        """Back from the queue."""
        attachments = tuple(Attachment(**item) for item in data["attachments"])
        return cls(**{**data, "attachments": attachments})


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes out with an answer."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back, in plain Markdown (`**bold**`, `` `code` ``, fences, lists); each platform has its own dialect for it."""

    conversation: str
    text: str
    key: str
    """The same for a repeated attempt; platforms that can, send it along."""

    reply_to: str = ""
    edits: str = ""
    """The id of an earlier answer of ours that this one replaces."""

    files: tuple[File, ...] = ()
    context: dict[str, Any] = field(default_factory=dict)
    """`Message.context` of what is answered."""
