"""What doubles that speak HTTP have in common: an address of their own on loopback, from `start` to `stop`."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web


class Web:
    """A server on a free port. Who derives from it says what it answers."""

    port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def routes(self) -> Sequence[web.RouteDef]:
        """What is answered."""
        raise NotImplementedError

    async def start(self) -> None:
        application = web.Application()
        application.add_routes(self.routes())
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        await self._runner.cleanup()
