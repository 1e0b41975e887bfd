"""notebookDocument/*: each cell of code is a document of its own.

Flows from one cell into another are not followed: cells run in any order, and nothing says in which.
"""

from __future__ import annotations

from lsprotocol import types

from ..server import Server


def register(server: Server) -> None:
    """Attach the handlers."""

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)
    def did_open(params: types.DidOpenNotebookDocumentParams) -> None:
        for item in params.cell_text_documents:
            server.open(item)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)
    def did_change(params: types.DidChangeNotebookDocumentParams) -> None:
        cells = params.change.cells
        if cells is None:
            return
        if cells.structure is not None:
            for item in cells.structure.did_open or ():
                server.open(item)
            for closed in cells.structure.did_close or ():
                server.close(closed.uri)
        for change in cells.text_content or ():
            server.edit(change.document.uri, change.document.version, change.changes)

    @server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)
    def did_close(params: types.DidCloseNotebookDocumentParams) -> None:
        for closed in params.cell_text_documents:
            server.close(closed.uri)
