"""A reference collector: keeps every result by its key and every audit line by its number, and counts what came twice.

What it does is what a real one has to do: 2xx only once everything of a batch is kept; a result or a line it has already is no error.
"""

from __future__ import annotations

import ssl
from collections import Counter
from typing import Any

from aiohttp import web

from closeread_sidecar import audit


class Collector:
    """`results` in the order in which they came first; `changed` are keys that came again with another result.

    `fail` is the next answers' statuses; `refuse` are keys that are answered 422.
    """

    def __init__(self, key: str = "collector-key") -> None:
        self.key = key
        self.results: dict[str, dict[str, Any]] = {}
        self.deliveries: Counter[str] = Counter()
        self.changed: set[str] = set()
        self.lines: dict[int, dict[str, Any]] = {}
        self.disorder: list[str] = []
        self.fail: list[int] = []
        self.refuse: set[str] = set()
        self.requests = 0
        self.port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/batch"

    async def start(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        application = web.Application(client_max_size=64 << 20)
        application.router.add_post("/batch", self._receive)
        self._runner = web.AppRunner(application, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, self.port, ssl_context=tls)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _receive(self, request: web.Request) -> web.Response:
        self.requests += 1
        if request.headers.get("Authorization") != f"Bearer {self.key}":
            return web.Response(status=401)
        if self.fail:
            return web.Response(status=self.fail.pop(0))
        batch = await request.json()
        if any(result["key"] in self.refuse for result in batch["results"]):
            return web.Response(status=422)
        for result in batch["results"]:
            self.deliveries[result["key"]] += 1
            if self.results.setdefault(result["key"], result) != result:
                self.changed.add(result["key"])
        for line in batch["audit"]:
            if line["sequence"] not in self.lines and line["sequence"] != len(self.lines) + 1:
                self.disorder.append(f"line {line['sequence']} came after line {len(self.lines)}")
            self.lines.setdefault(line["sequence"], line)
        return web.Response(status=204)

    def chain_holds(self) -> bool:
        """Whether the audit lines that came are the whole chain from the first one on."""
        digest = audit.GENESIS
        for number in range(1, len(self.lines) + 1):
            line = self.lines.get(number)
            if line is None:
                return False
            facts = audit.canonical(line["facts"])
            digest = audit.digest_of(digest, number, line["time"], line["event"], facts)
            if digest != line["digest"]:
                return False
        return True
