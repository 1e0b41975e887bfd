"""What pygls leaves to us: answers to requests that are malformed or come at the wrong time.

The library drops such a request without a word, and its sender waits for ever. It also keeps its own
copies of the documents, which we do not need: the texts are in `documents.py`.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams
from pygls.protocol import LanguageServerProtocol, lsp_method

if TYPE_CHECKING:
    from .server import Server

T = TypeVar("T")
Handler = Callable[[Any], Any]


class Encoded(str):
    """Text that is JSON already."""

    __slots__ = ()

    @classmethod
    def of(cls, **members: Any) -> Encoded:
        """An object; members that are `Encoded` are put in as they are."""
        parts = (f"{json.dumps(key)}: {cls._text(value)}" for key, value in members.items())
        return cls("{" + ", ".join(parts) + "}")

    @staticmethod
    def _text(value: Any) -> str:
        return value if isinstance(value, Encoded) else json.dumps(value)


NOTHING = Encoded("[]")
"""An empty list."""


class Protocol(LanguageServerProtocol):
    """The protocol with every request answered."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self._asked: dict[str | int, tuple[str, float]] = {}

    def typed(self, data: dict[str, Any]) -> Any:
        """A message of its type. Raises `JsonRpcException`. May be asked from any thread."""
        return super().structure_message(data)

    def structure_message(self, data: dict[str, Any]) -> Any:
        """The same for the library, where it reads by itself (`serve --tcp`)."""
        try:
            return self.typed(data)
        except JsonRpcException as error:
            self._answer(data, error)
            raise

    def misunderstood(self, error: Exception, data: Any) -> None:
        """A request that has no type is answered with the reason. Raises `error`."""
        if isinstance(error, JsonRpcException) and isinstance(data, dict):
            self._answer(data, error)
        raise error

    def _answer(self, data: dict[str, Any], error: JsonRpcException) -> None:
        if isinstance(data.get("id"), str | int) and "method" in data:
            self._send_response(data["id"], error=error.to_response_error())

    def handle_message(self, message: Any) -> None:
        """Handle a message in the state we are in."""
        if not hasattr(message, "jsonrpc"):
            self.refuse(None, types.ErrorCodes.InvalidRequest, "Not a JSON-RPC 2.0 message.")
            return
        method = getattr(message, "method", None)
        identity = getattr(message, "id", None)
        if method is not None and self.trace != types.TraceValue.Off:
            self._begun(method, identity)
        if method is None or method == types.EXIT:
            super().handle_message(message)
        elif self._shutdown:
            self.refuse(identity, types.ErrorCodes.InvalidRequest, "The server is shutting down.")
        elif self._workspace is None and method != types.INITIALIZE:
            self.refuse(identity, types.ErrorCodes.ServerNotInitialized, "The first request must be `initialize`.")
        elif self._workspace is not None and method == types.INITIALIZE:
            self.refuse(identity, types.ErrorCodes.InvalidRequest, "The server is initialized already.")
        else:
            super().handle_message(message)

    def _begun(self, method: str, identity: str | int | None) -> None:
        # Methods and times alone: what is in a message is in the user's files.
        self.notify(types.LOG_TRACE, types.LogTraceParams(message=method))
        if identity is not None:
            self._asked[identity] = (method, time.monotonic())

    def _ended(self, identity: str | int) -> None:
        if (asked := self._asked.pop(identity, None)) is not None and self.trace != types.TraceValue.Off:
            milliseconds = 1000 * (time.monotonic() - asked[1])
            message = f"{asked[0]}: answered in {milliseconds:.1f} ms"
            self.notify(types.LOG_TRACE, types.LogTraceParams(message=message))

    def refuse(self, identity: str | int | None, code: types.ErrorCodes, message: str) -> None:
        """Answer a request with an error; a notification has no answer, unless nobody can tell what it was."""
        if identity is not None:
            self._send_response(identity, error=types.ResponseError(code=code.value, message=message))

    def unreadable(self, error: Exception) -> None:
        """Answer what was not even JSON, as JSON-RPC wants: with an error of no id."""
        if isinstance(error, json.JSONDecodeError | UnicodeDecodeError | RecursionError):
            problem = types.ResponseError(code=types.ErrorCodes.ParseError.value, message="Not valid JSON.")
            self._send_data(types.ResponseErrorMessage(id=None, error=problem))

    def structured(self, data: dict[str, Any], kind: type[T]) -> T:
        """Plain data as an object of the protocol's."""
        return self._converter.structure(data, kind)

    def encoded(self, value: Any) -> Encoded:
        """An object of the protocol's, or a list of them, as JSON. For the worker: with many, it takes long."""
        return Encoded(json.dumps(self._converter.unstructure(value)))

    def send(self, message: Encoded) -> None:
        """Send a whole message as it is."""
        if self.writer is None:
            return
        body = message.encode()
        header = f"Content-Length: {len(body)}\r\n\r\n" if self._include_headers else ""
        sent = self.writer.write(header.encode() + body)
        if inspect.isawaitable(sent):
            asyncio.ensure_future(sent)  # noqa: RUF006 - as the library does: the stream keeps the order

    def _send_response(self, msg_id: str | int, result: Any = None, error: types.ResponseError | None = None) -> None:
        if error is None and isinstance(result, Encoded):
            self.send(Encoded.of(jsonrpc="2.0", id=msg_id, result=result))
        else:
            super()._send_response(msg_id, result, error)
        self._ended(msg_id)

    @lsp_method(types.EXIT)
    def lsp_exit(self, *args: Any) -> Any:
        """Leave: 0 after a shutdown, 1 without one. The library would raise SystemExit, and then catch it."""
        cast("Server", self._server).stop(0 if self._shutdown else 1)

    @lsp_method(types.TEXT_DOCUMENT_DID_OPEN)
    def lsp_text_document__did_open(self, params: types.DidOpenTextDocumentParams) -> None:
        """Hand over to the feature."""
        self._feature(types.TEXT_DOCUMENT_DID_OPEN, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CHANGE)
    def lsp_text_document__did_change(self, params: types.DidChangeTextDocumentParams) -> None:
        """Hand over to the feature."""
        self._feature(types.TEXT_DOCUMENT_DID_CHANGE, params)

    @lsp_method(types.TEXT_DOCUMENT_DID_CLOSE)
    def lsp_text_document__did_close(self, params: types.DidCloseTextDocumentParams) -> None:
        """Hand over to the feature."""
        self._feature(types.TEXT_DOCUMENT_DID_CLOSE, params)

    # A coroutine, where the library has a generator: that one answers a cancelled request and lets the command run on.
    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(self, params: types.ExecuteCommandParams) -> Any:  # type: ignore[override]
        """Run a command; each takes the whole request."""
        command = self.fm.commands.get(params.command)
        if command is None:
            raise JsonRpcInvalidParams(f"There is no command {params.command[:80]!r}.")
        return await command(params)

    def _feature(self, method: str, params: Any) -> None:
        handler = cast("Handler | None", self.fm.features.get(method))
        if handler is not None:
            handler(params)
