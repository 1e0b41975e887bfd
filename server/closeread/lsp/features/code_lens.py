"""textDocument/codeLens: over each route, its methods and path, who may call it, and what was found in it."""

from __future__ import annotations

from lsprotocol import types

from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS, types.CodeLensOptions(resolve_provider=False))
    async def code_lens(params: types.CodeLensParams) -> list[types.CodeLens]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source:
            return []
        found = document.current() or await server.diagnose(document)
        text, path = document.text, document.path
        routes = await server.ask(lambda session, cancelled: session.routes(path, cancelled))
        lenses = []
        for route in routes:
            count = sum(finding.function.rpartition(".")[2] == route.function for finding in found.analysis.findings)
            methods = ", ".join(route.methods) or "any method"
            who = f"asks who it is: {route.authenticated}" if route.authenticated else "anyone may call"
            findings = f"{count} finding{'' if count == 1 else 's'}"
            title = " · ".join(filter(None, (f"{methods} {route.path}".strip(), who, findings)))
            range_ = text.range_of(route.location, server.encoding)
            lenses.append(types.CodeLens(range_, types.Command(title=title, command="closeread.showRoutes")))
        return lenses
