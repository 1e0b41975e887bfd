"""Standard output with a thread of its own: a client that is slow to read must not hold up the event loop."""

from __future__ import annotations

import io
import queue
import threading
from typing import BinaryIO


class Outbox(io.RawIOBase):
    """Takes bytes at once and writes them in order, later."""

    def __init__(self, output: BinaryIO) -> None:
        super().__init__()
        self._output = output
        self._queue: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="closeread-output", daemon=True)
        self._thread.start()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        """Take `data`."""
        self._queue.put(data)
        return len(data)

    def drain(self, timeout: float) -> None:
        """Wait for what was taken to be written, and write no more."""
        self._queue.put(None)
        self._thread.join(timeout)

    def _write(self) -> None:
        while (data := self._queue.get()) is not None:
            try:
                self._output.write(data)
                self._output.flush()
            except (OSError, ValueError):
                return  # nobody reads any more; the end of input will tell the rest
