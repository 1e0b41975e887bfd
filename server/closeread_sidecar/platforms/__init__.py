"""One module a chat platform; the folder is the registry. A module is imported only if the settings name it.

A module has `Settings`, a `Channel` with what else it needs, and `Adapter(settings, host)`:

    run()        receive until cancelled; connects again by itself. Every message goes to `host.receive`, and is acknowledged to the
                 platform only after that has returned. Raises only if it can never work (a wrong token)
    send(...)    deliver an answer; raises `Failed`, `Refused` or `Unreachable` (dispatcher.py), which say whether to try again
    progress()   show how far a task is, where the platform can; losing it loses nothing
    fetch()      the bytes of an attachment
    state        one word or two for `status`

Libraries are imported inside functions: the gateway is up before the first of them is loaded.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from types import ModuleType
from typing import Any, Protocol, cast

from pydantic import SecretStr

from ..configuration import Model
from ..inbox import Receipt
from ..message import Answer, Attachment, File, Message
from ..settings import Channel, Home, of_platform
from ..settings import Settings as All

LARGEST_ATTACHMENT = 20 * 1024 * 1024


class Host(Protocol):
    """What the sidecar gives its platforms."""

    async def receive(self, message: Message) -> Receipt:
        """Hand in a message. When it returns, it is committed, denied, or not kept (`kept` is false: the platform keeps it)."""

    async def refused(self, platform: str, why: str) -> None:
        """Note in the audit log that a call was turned away before it was a message. `why` is one of a few fixed sentences."""

    async def remember(self, name: str, value: str) -> None:
        """Keep a note over restarts: where in the stream of updates we are."""

    async def recall(self, name: str) -> str:
        """The note, or ""."""


class Platform(Protocol):
    """An adapter that runs."""

    state: str

    async def run(self) -> None:
        """Receive until cancelled."""

    async def send(self, answer: Answer) -> str:
        """Deliver. Gives the platform's id of what was sent."""

    async def progress(self, message: Message, text: str, previous: str) -> str:
        """Show how far it is, in place of what `previous` showed. Gives the id for the next call, or ""."""

    async def fetch(self, message: Message, attachment: Attachment) -> File:
        """The attachment's bytes, LARGEST_ATTACHMENT at most."""


@functools.cache
def names() -> tuple[str, ...]:
    """The platforms there are."""
    return tuple(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))


def module(name: str) -> ModuleType:
    """The module of a platform. Raises LookupError."""
    if name not in names():
        raise LookupError(f"there are {', '.join(names())}")
    return importlib.import_module(f"{__name__}.{name}")


def settings(home: Home, everything: All, name: str) -> Channel:
    """What the user set for a platform. Raises ConfigurationError or LookupError."""
    return cast(Channel, of_platform(home, everything, name, module(name).Settings))


def adapter(name: str, channel: Channel, host: Host) -> Platform:
    """The adapter of a platform."""
    return cast(Platform, module(name).Adapter(channel, host))


def secrets(model: Model) -> list[str]:
    """The secrets among settings, so that they can be hidden wherever they turn up."""
    values: list[Any] = [getattr(model, name) for name in type(model).model_fields]
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


def pieces(text: str, most: int) -> list[str]:
    """`text` in pieces of at most `most` characters, cut between lines where it can be."""
    found: list[str] = []
    while len(text) > most:
        cut = text.rfind("\n", 1, most + 1)
        cut = cut if cut > most // 2 else most
        found.append(text[:cut])
        text = text[cut:].removeprefix("\n")
    return [*found, text] if text or not found else found
