from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from server.lsp.client import FAKE_COMMAND, Client

Start = Callable[..., Awaitable[Client]]


@pytest_asyncio.fixture
async def start(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Start]:
    """Starts servers; whatever is left of them is ended."""
    clients: list[Client] = []

    async def started(
        command: tuple[str, ...] = FAKE_COMMAND,
        folder: Path | None = None,
        data: Path | None = None,
        cache: Path | None = None,
    ) -> Client:
        clients.append(await Client.start(command, cache or tmp_path_factory.mktemp("cache"), folder, data))
        return clients[-1]

    yield started
    for client in clients:
        await client.kill()


@pytest_asyncio.fixture
async def client(start: Start) -> Client:
    return await start()


@pytest.fixture
def bad() -> str:
    return 'import os\nos.system("x")\n'
