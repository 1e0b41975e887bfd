"""Work-done progress: a bar in the client that its user can cancel. Where a client shows none, nothing is said."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from .server import Server

_BETWEEN_REPORTS = 0.1
_PATIENCE = 5.0
"""Seconds for the client to create the bar; the work does not depend on it."""


class Progress:
    """One bar."""

    def __init__(self, server: Server, token: int | str | None) -> None:
        self._server = server
        self._token = token
        self._last = 0.0
        self.was_cancelled = False
        """Whether the user stopped it."""

    def report(self, message: str, done: int, total: int) -> None:
        """Move the bar, at most ten times a second."""
        now = time.monotonic()
        if self._token is None or now - self._last < _BETWEEN_REPORTS:
            return
        self._last = now
        percentage = done * 100 // total if total else 100
        self._server.work_done_progress.report(
            self._token, types.WorkDoneProgressReport(message=message, percentage=percentage, cancellable=True)
        )

    def end(self, message: str) -> None:
        """Take the bar away, with a last word."""
        if self._token is not None:
            self._server.work_done_progress.end(self._token, types.WorkDoneProgressEnd(message=message))
            self._token = None


@asynccontextmanager
async def progress(server: Server, title: str, token: int | str | None) -> AsyncIterator[Progress]:
    """A bar while the body runs; the client's "cancel" cancels the running task.

    `token` is the one the client sent with its request; without one, the client is asked to create a bar.
    """
    if token is None:
        token = await _created(server)
    bar = Progress(server, token)
    task = asyncio.current_task()
    if token is not None:
        begin = types.WorkDoneProgressBegin(title=title, cancellable=True, percentage=0)
        server.work_done_progress.begin(token, begin)

        def cancel(future: Future[None]) -> None:
            if future.cancelled() and task is not None:
                bar.was_cancelled = True
                task.cancel()

        server.work_done_progress.tokens[token].add_done_callback(cancel)
    try:
        yield bar
    finally:
        bar.end("Stopped.")
        if token is not None:
            # The library keeps every token; one that is done must also not cancel whatever comes later.
            server.work_done_progress.tokens.pop(token, None)


async def _created(server: Server) -> str | None:
    window = server.client_capabilities.window
    if window is None or not window.work_done_progress:
        return None
    token = str(uuid.uuid4())
    try:
        async with asyncio.timeout(_PATIENCE):
            await server.work_done_progress.create_async(token)
    except asyncio.CancelledError:
        raise
    except Exception as error:
        server.log(f"The client shows no progress: {error}", types.MessageType.Warning)
        return None
    return token
