"""Standard input with a thread of its own: messages are read and understood there, and the event loop only acts on them.

A message of megabytes takes many milliseconds to become objects, and the first of each kind too. The library reads each line
of a header by a turn through a pool of threads; one thread that reads on is sooner, and cannot overtake itself.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from .protocol import Protocol

_ENOUGH = 1000
"""Messages that may wait for the loop, before the client waits too."""


class Inbox:
    """Reads messages until there are no more, or until `ended` is set."""

    def __init__(self, stream: BinaryIO, protocol: Protocol, ended: threading.Event) -> None:
        self._stream = stream
        self._protocol = protocol
        self._ended = ended
        self._room = threading.Semaphore(_ENOUGH)

    async def serve(self, first: Callable[[], Any], failed: Callable[[Exception], Any]) -> None:
        """Hand every message to the protocol, on this loop; `first` runs on the reader's thread before any.

        `failed` is told, on this loop, of what could not be read or handled.
        """
        loop = asyncio.get_running_loop()
        finished = asyncio.Event()

        def deliver(act: Callable[[], None]) -> None:
            self._room.release()
            try:
                if not self._ended.is_set():
                    act()
            except Exception as error:
                failed(error)
            if self._ended.is_set():
                finished.set()

        def read() -> None:
            try:
                first()
                while (body := self._body()) is not None:
                    self._room.acquire()
                    loop.call_soon_threadsafe(deliver, self._understood(body))
                loop.call_soon_threadsafe(finished.set)
            except RuntimeError:
                return  # the loop has ended

        threading.Thread(target=read, name="closeread-input", daemon=True).start()
        await finished.wait()

    def _body(self) -> bytes | None:
        """The bytes of the next message; None at the end. What is no header is passed over."""
        length = 0
        try:
            while line := self._stream.readline():
                name, _, value = line.partition(b":")
                if name.strip().lower() == b"content-length" and value.strip().isdigit():
                    length = int(value)
                elif not line.strip() and length:
                    body = self._stream.read(length)
                    return body if len(body) == length else None
        except (OSError, ValueError):
            pass  # it was closed
        return None

    def _understood(self, body: bytes) -> Callable[[], None]:
        """What the loop has to do about a message."""
        message: Any = None
        try:
            message = json.loads(body)
            if isinstance(message, dict):
                message = self._protocol.typed(message)
        except Exception as error:
            cause = error  # the name above ends with this block
            return lambda: self._protocol.misunderstood(cause, message)
        return lambda: self._protocol.handle_message(message)
