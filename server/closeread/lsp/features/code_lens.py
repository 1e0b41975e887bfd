"""textDocument/codeLens: over each route, its methods and path, who may call it, and what was found in it."""

from __future__ import annotations

from collections.abc import Callable

from lsprotocol import types

from closeread.session import Session
from closeread_analyzers.outline import RouteFact

from ..protocol import NOTHING, Encoded
from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
    async def code_lens(params: types.CodeLensParams) -> Encoded:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source:
            return NOTHING
        found = document.current() or await server.diagnose(document)
        text, path, encoding = document.text, document.path, server.encoding

        def look(session: Session, cancelled: Callable[[], bool]) -> Encoded:
            lenses = []
            for route in session.routes(path, cancelled):
                count = sum(
                    finding.function.rpartition(".")[2] == route.function for finding in found.analysis.findings
                )
                range_ = text.range_of(route.location, encoding)
                lenses.append(types.CodeLens(range_, types.Command(_title(route, count), "closeread.showRoutes")))
            return server.protocol.encoded(lenses)

        return await server.once(document, "lenses", look)


def _title(route: RouteFact, count: int) -> str:
    methods = ", ".join(route.methods) or "any method"
    who = f"asks who it is: {route.authenticated}" if route.authenticated else "anyone may call"
    findings = f"{count} finding{'' if count == 1 else 's'}"
    return " · ".join(filter(None, (f"{methods} {route.path}".strip(), who, findings)))
