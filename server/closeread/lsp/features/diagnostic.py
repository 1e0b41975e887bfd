"""textDocument/diagnostic: the diagnostics of a document, when the client asks; nothing again if nothing changed."""

from __future__ import annotations

from lsprotocol import types

from ..protocol import Encoded
from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""
    options = types.DiagnosticOptions(
        inter_file_dependencies=True, workspace_diagnostics=True, identifier="closeread", work_done_progress=False
    )

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def diagnostic(params: types.DocumentDiagnosticParams) -> Encoded:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source:
            return Encoded.of(kind="full", items=[])
        try:
            found = await server.diagnose(document, glance=True)
        except Exception as error:
            server.failed(f"analysing a file: {document.path}", error)
            return Encoded.of(kind="full", items=[])
        if params.previous_result_id == found.result_id:
            return Encoded.of(kind="unchanged", resultId=found.result_id)
        return Encoded.of(kind="full", resultId=found.result_id, items=found.encoded)
