"""An editor by pytest-lsp: reads every message by the specification's types, and notes which methods were put to use."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.protocol import default_converter
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities
from pytest_lsp.client import register_lsp_features
from pytest_lsp.protocol import LanguageClientProtocol

COMMAND = [sys.executable, "-I", "-m", "closeread", "serve"]
PATIENCE = 30.0
"""Seconds for any answer: test machines are slow and busy."""


class Recording(LanguageClientProtocol):
    """Notes the methods of what was sent, and of requests, answered without an error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.used: set[str] = set()

    async def send_request_async(self, method: str, params: Any = None, msg_id: Any = None) -> Any:
        async with asyncio.timeout(PATIENCE):
            result = await super().send_request_async(method, params, msg_id)
        self.used.add(method)
        return result

    def notify(self, method: str, params: Any = None) -> None:
        self.used.add(method)
        super().notify(method, params)


class Editor:
    """pytest-lsp's client in a workspace, and what was said in it."""

    def __init__(self, client: LanguageClient, root: Path) -> None:
        self.client = client
        self.root = root
        self.advertised: types.ServerCapabilities
        self.registered: list[types.Registration] = []
        self.partial: list[Any] = []
        self.traced: list[types.LogTraceParams] = []
        self._count = 0
        client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda params: self.registered.extend(params.registrations))
        client.feature(types.LOG_TRACE)(lambda params: self.traced.append(params))
        client.feature(types.WORKSPACE_INLAY_HINT_REFRESH)(lambda params: None)
        client.feature(types.WORKSPACE_APPLY_EDIT)(lambda params: types.ApplyWorkspaceEditResult(applied=True))
        client.feature("closeread/status")(lambda params: None)
        bars = client.protocol.fm.features[types.PROGRESS]

        def progress(params: types.ProgressParams) -> None:
            """pytest-lsp knows bars only."""
            bars(params) if "kind" in params.value else self.partial.append(params.value)

        client.protocol.fm.features.pop(types.PROGRESS)
        client.feature(types.PROGRESS)(progress)

    @property
    def protocol(self) -> Recording:
        """The client's."""
        assert isinstance(self.client.protocol, Recording)
        return self.client.protocol

    def write(self, name: str, text: str) -> Path:
        """A file of the workspace."""
        path = self.root / name
        path.write_text(text)
        return path

    def open(self, text: str, name: str = "") -> str:
        """A document, by its URI."""
        self._count += 1
        uri = self.write(name or f"file{self._count}.py", text).as_uri()
        item = types.TextDocumentItem(uri, "python", 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    async def diagnostics(self, uri: str, known: str | None = None) -> Any:
        """What the server says of a document when it is asked."""
        identity = types.TextDocumentIdentifier(uri)
        return await self.client.text_document_diagnostic_async(
            types.DocumentDiagnosticParams(identity, identifier="closeread", previous_result_id=known)
        )

    async def shown(self, uri: str) -> list[types.Diagnostic]:
        """The findings of a document."""
        return list((await self.diagnostics(uri)).items)

    async def execute(self, command: str, *arguments: Any) -> Any:
        """A command's answer."""
        params = types.ExecuteCommandParams(f"closeread.{command}", list(arguments))
        answer = await self.client.workspace_execute_command_async(params)
        self.protocol.used.add(params.command)
        return answer

    async def actions(self, uri: str, line: int, *only: str) -> list[types.CodeAction]:
        """The code actions on a line."""
        place = types.Range(types.Position(line, 0), types.Position(line, 80))
        context = types.CodeActionContext([], list(only) or None)
        params = types.CodeActionParams(types.TextDocumentIdentifier(uri), place, context)
        return list(await self.client.text_document_code_action_async(params) or ())  # type: ignore[arg-type]

    @asynccontextmanager
    async def settings(self, **values: Any) -> AsyncIterator[None]:
        """Settings of the editor, for a while."""
        for now in (values, {}):
            self.client.set_configuration(now, section="closeread")
            self.client.workspace_did_change_configuration(types.DidChangeConfigurationParams({"closeread": now}))
            if now:
                yield

    async def until_diagnosed(self, uri: str, rule: str) -> Any:
        """What the server says of a document, once a finding of `rule` is in it."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.diagnostics(uri)
                if any(one.code == rule for one in found.items):
                    return found
                await asyncio.sleep(0.05)

    async def until(self, holds: Callable[[], Any]) -> Any:
        """What `holds` gives, once it gives something."""
        async with asyncio.timeout(PATIENCE):
            while not (found := holds()):
                await asyncio.sleep(0.02)
            return found


async def started(cache: Path) -> LanguageClient:
    """A client of a server process of its own."""

    def factory() -> LanguageClient:
        client = LanguageClient(protocol_cls=Recording, converter_factory=default_converter)
        register_lsp_features(client)
        return client

    # Neither the user's cache nor the user's model is a test's business.
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "XDG_DATA_HOME": str(cache / "data")}
    return await ClientServerConfig(COMMAND, factory, environment).start()  # type: ignore[return-value]


def all_of_it() -> types.ClientCapabilities:
    """A client that can take whatever the server has: VS Code's capabilities, and those that came later."""
    capabilities = client_capabilities("visual-studio-code")
    assert capabilities.text_document is not None
    assert capabilities.workspace is not None
    capabilities.text_document.diagnostic = types.DiagnosticClientCapabilities()
    capabilities.text_document.inlay_hint = types.InlayHintClientCapabilities()
    capabilities.workspace.diagnostics = types.DiagnosticWorkspaceClientCapabilities(refresh_support=True)
    capabilities.workspace.inlay_hint = types.InlayHintWorkspaceClientCapabilities(refresh_support=True)
    capabilities.notebook_document = types.NotebookDocumentClientCapabilities(
        types.NotebookDocumentSyncClientCapabilities()
    )
    return capabilities


def advertised(capabilities: types.ServerCapabilities, client: LanguageClient) -> Iterator[str]:
    """Every capability that says more than no, as a path; of several values, each."""
    return leaves("", client.protocol._converter.unstructure(capabilities))


def leaves(path: str, value: Any) -> Iterator[str]:
    """The paths in plain data."""
    if isinstance(value, dict):
        inner = [leaf for key in value for leaf in leaves(f"{path}.{key}" if path else key, value[key])]
        yield from inner or [path]
    elif isinstance(value, list) and all(isinstance(one, str) for one in value):
        yield from (f"{path}[{one}]" for one in value)
    elif value not in (None, False):
        yield path
