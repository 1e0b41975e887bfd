"""textDocument/didOpen, didChange, didClose, didSave: the texts the user sees.

What is done with a text is `Server.open`, `edit` and `close`: notebooks' cells are texts too.
"""

from __future__ import annotations

from lsprotocol import types

from closeread.session import CONFIG_NAMES

from ..server import Server


def register(server: Server) -> None:
    """Attach the handlers."""

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenTextDocumentParams) -> None:
        server.open(params.text_document)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeTextDocumentParams) -> None:
        server.edit(params.text_document.uri, params.text_document.version, params.content_changes)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseTextDocumentParams) -> None:
        server.close(params.text_document.uri)

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
