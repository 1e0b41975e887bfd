"""textDocument/didOpen, didChange, didClose, didSave: the texts the user sees.

The handlers only keep books: a text is edited in place and handed to the worker, which never sees half an edit.
A client that edits what it never opened, or closes twice, is told in the log and loses nothing.
"""

from __future__ import annotations

from lsprotocol import types

from closeread.session import CONFIG_NAMES

from ..convert import Text
from ..documents import Document, place_of
from ..server import Server


def register(server: Server) -> None:
    """Attach the handlers."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        item = params.text_document
        text = Text.of(item.text)
        document = server.documents.get(item.uri)
        if document is not None:
            server.log(f"Opened twice: {item.uri}", types.MessageType.Warning)
            _changed(document, item.version, text, [(0, len(document.text.data), len(text.data))])
            return
        document = Document(item.uri, place_of(item.uri, item.language_id), item.version, text)
        server.documents.put(document)
        path = document.path
        server.change("opening a document", lambda session: session.open(path, 0, text.data))
        server.refresh.opened(document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            server.log(f"Edited, but never opened: {params.text_document.uri}", types.MessageType.Warning)
            return
        text, edits = document.text.edited(params.content_changes, server.encoding)
        _changed(document, params.text_document.version, text, edits)

    def _changed(document: Document, version: int, text: Text, edits: list[tuple[int, int, int]]) -> None:
        document.text, document.version = text, version
        document.revision += 1
        path, revision = document.path, document.revision
        server.change("applying an edit", lambda session: session.edit(path, revision, text.data, edits))
        server.refresh.edited(document)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        document = server.documents.remove(params.text_document.uri)
        if document is None:
            server.log(f"Closed, but never opened: {params.text_document.uri}", types.MessageType.Warning)
            return
        server.change("closing a document", lambda session: session.close(document.path))
        server.refresh.closed(document)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def did_save(params: types.DidSaveTextDocumentParams) -> None:
        document = server.documents.get(params.text_document.uri)
        if document is None:
            return
        if document.path.name in CONFIG_NAMES:
            server.change("reading the settings", lambda session: session.reload())
            server.refresh.everything()
        else:
            server.refresh.saved(document)
