"""`closeread/status`: what an editor shows in its corner, sent whenever it changes, and answered to `closeread.status`.

{version, findings, cache: {hits, misses, rate}, model, paused}; `model` is null where none is in use, else
{name, state, memory, answered, cached, problem}: `state` is stopped, starting, ready, busy or failed (`problem` says why).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from closeread import version

from .protocol import Encoded

if TYPE_CHECKING:
    from .server import Server

METHOD = "closeread/status"
_PAUSE = 0.25
"""Seconds in which several changes are one."""


class Status:
    """What was last said."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._said: dict[str, Any] | None = None
        self._task: asyncio.Task[None] | None = None
        self.paused = False
        """Whether a scan was stopped by the user and nothing works in the background."""

    def now(self) -> dict[str, Any]:
        """The status at this moment."""
        server = self._server
        hits, misses = server.cache_counts
        asked = hits + misses
        return {
            "version": version(),
            "findings": server.refresh.findings(),
            "cache": {"hits": hits, "misses": misses, "rate": round(hits / asked, 3) if asked else None},
            "model": server.assistance.facts(),
            "paused": self.paused,
        }

    def changed(self) -> None:
        """Something may be different; the client is told soon, if it is."""
        if self._task is None or self._task.done():
            self._task = self._server.spawn(self._tell())

    async def _tell(self) -> None:
        await asyncio.sleep(_PAUSE)
        now = self.now()
        if now != self._said:
            self._said = now
            self._server.protocol.send(Encoded.of(jsonrpc="2.0", method=METHOD, params=now))
