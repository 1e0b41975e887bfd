"""A small editor: speaks JSON-RPC to a server process and remembers everything it says."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ATTACH = 30.0
"""Seconds for anything to happen: test machines are slow and busy."""

FAKE = Path(__file__).with_name("fake_server.py")
FAKE_COMMAND = (sys.executable, "-I", str(FAKE))


class ResponseError(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(f"{error['code']}: {error['message']}")
        self.code = error["code"]
        self.message = error["message"]


class Client:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.messages: list[dict[str, Any]] = []
        self.settings: Callable[[str | None], Any] = lambda scope: None
        self.answers: dict[str, Callable[[Any], Any]] = {}
        self._waiting: dict[Any, asyncio.Future[Any]] = {}
        self._count = 0
        self._news = asyncio.Condition()
        self._reader = asyncio.create_task(self._read())

    @classmethod
    async def start(
        cls, command: tuple[str, ...], cache: Path, folder: Path | None = None, data: Path | None = None
    ) -> Client:
        pipe = asyncio.subprocess.PIPE
        # The user's own cache and model are none of a test's business.
        environment = {"XDG_DATA_HOME": str(cache / "data"), **os.environ, "XDG_CACHE_HOME": str(cache)}
        if data is not None:
            environment["XDG_DATA_HOME"] = str(data)
        process = await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=None, env=environment, cwd=folder
        )
        return cls(process)

    # --- Out --------------------------------------------------------------------------------------

    def raw(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    def send(self, message: Any) -> None:
        self.raw(json.dumps(message).encode())

    def notify(self, method: str, params: Any = None) -> None:
        self.send({"jsonrpc": "2.0", "method": method, **({} if params is None else {"params": params})})

    def start_request(self, method: str, params: Any = None) -> tuple[int, asyncio.Future[Any]]:
        self._count += 1
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._count] = future
        message = {"jsonrpc": "2.0", "id": self._count, "method": method}
        self.send(message if params is None else {**message, "params": params})
        return self._count, future

    async def request(self, method: str, params: Any = None) -> Any:
        _, future = self.start_request(method, params)
        async with asyncio.timeout(ATTACH):
            return await future

    async def initialize(
        self,
        *folders: Path,
        capabilities: dict[str, Any] | None = None,
        options: Any = None,
        encodings: tuple[str, ...] = (),
        process_id: int | None = None,
    ) -> dict[str, Any]:
        capabilities = capabilities or {}
        if encodings:
            capabilities = {**capabilities, "general": {"positionEncodings": list(encodings)}}
        result = await self.request(
            "initialize",
            {
                "processId": process_id,
                "rootUri": None,
                "capabilities": capabilities,
                "initializationOptions": options,
                "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name} for folder in folders],
            },
        )
        self.notify("initialized", {})
        return result  # type: ignore[no-any-return]

    def open(self, path: Path | str, text: str, version: int = 1, language: str = "python") -> str:
        uri = path if isinstance(path, str) else path.as_uri()
        item = {"uri": uri, "languageId": language, "version": version, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return uri

    def change(self, uri: str, version: int, *changes: dict[str, Any]) -> None:
        params = {"textDocument": {"uri": uri, "version": version}, "contentChanges": list(changes)}
        self.notify("textDocument/didChange", params)

    def close(self, uri: str) -> None:
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    async def stop(self) -> int:
        """The polite end."""
        await self.request("shutdown")
        self.notify("exit")
        return await self.ended()

    async def ended(self) -> int:
        async with asyncio.timeout(ATTACH):
            code = await self.process.wait()
            await self._reader
        return code

    async def kill(self) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reader
        assert self.process.stdin is not None
        self.process.stdin.close()

    # --- In ---------------------------------------------------------------------------------------

    def said(self, method: str) -> list[Any]:
        """The params of every message of a method so far."""
        return [message.get("params") for message in self.messages if message.get("method") == method]

    async def until(self, found: Callable[[], Any]) -> Any:
        """Wait until `found` gives something, looking at every message."""
        try:
            async with asyncio.timeout(ATTACH), self._news:
                while True:
                    if result := found():
                        return result
                    await self._news.wait()
        except TimeoutError:
            heard = [str(message)[:300] for message in self.messages[-20:]]
            raise AssertionError("Waited in vain. The last messages:\n" + "\n".join(heard)) from None

    async def hears(self, method: str, holds: Callable[[Any], bool] = lambda params: True) -> Any:
        """The first message of `method` whose params are as wanted."""
        return await self.until(lambda: next((params for params in self.said(method) if holds(params)), None))

    def published(self, uri: str) -> list[dict[str, Any]]:
        return [params for params in self.said("textDocument/publishDiagnostics") if params["uri"] == uri]

    async def diagnostics(self, uri: str, version: int | None = None) -> list[dict[str, Any]]:
        """The diagnostics sent for a version of a document."""
        params = await self.hears(
            "textDocument/publishDiagnostics",
            lambda params: params["uri"] == uri and params.get("version") == version,
        )
        return params["diagnostics"]  # type: ignore[no-any-return]

    async def _read(self) -> None:
        assert self.process.stdout is not None
        while True:
            length = 0
            while (line := await self.process.stdout.readline()).strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            if not line:
                break
            message = json.loads(await self.process.stdout.readexactly(length))
            self._handle(message)
            async with self._news:
                self.messages.append(message)
                self._news.notify_all()
        for future in self._waiting.values():
            if not future.done():
                future.cancel()

    def _handle(self, message: dict[str, Any]) -> None:
        if "method" not in message:
            future = self._waiting.pop(message.get("id"), None)
            if future is None or future.done():
                return
            if "error" in message:
                future.set_exception(ResponseError(message["error"]))
            else:
                future.set_result(message.get("result"))
        elif "id" in message:
            answer = self.answers.get(message["method"], self._answer)(message)
            self.send({"jsonrpc": "2.0", "id": message["id"], "result": answer})

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] != "workspace/configuration":
            return None
        return [self.settings(item.get("scopeUri")) for item in message["params"]["items"]]


def apply_edit(text: str, edit: dict[str, Any]) -> str:
    """`text` after one edit in UTF-16 positions."""
    lines = text.split("\n")

    def offset(position: dict[str, int]) -> int:
        line = lines[position["line"]]
        column = len(line.encode("utf-16-le")[: 2 * position["character"]].decode("utf-16-le"))
        return sum(len(before) + 1 for before in lines[: position["line"]]) + column

    start, end = offset(edit["range"]["start"]), offset(edit["range"]["end"])
    return text[:start] + edit["newText"] + text[end:]
