"""textDocument/hover: what the finding under the cursor is, how the data got there, and its rule's page."""

from __future__ import annotations

from lsprotocol import types

from .. import pages
from ..convert import range_in
from ..diagnosed import Diagnosed
from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source:
            return None
        found = document.current() or await server.diagnose(document)
        here = [at for at, made in enumerate(found.diagnostics) if _holds(range_in(made), params.position)]
        here = [at for at in here if at < len(found.analysis.findings)]
        if not here:
            return None
        page = await server.ask(lambda session, cancelled: _page(server, found, here))
        return types.Hover(contents=_content(server, page), range=range_in(found.diagnostics[here[0]]))


def _page(server: Server, found: Diagnosed, here: list[int]) -> str:
    findings = [found.analysis.findings[at] for at in here]
    parts = [pages.finding_page(finding, found.root, server.documents.uri) for finding in findings]
    parts += filter(None, (pages.rule_page(rule) for rule in dict.fromkeys(finding.rule for finding in findings)))
    return "\n\n---\n\n".join(parts)


def _content(server: Server, page: str) -> types.MarkupContent:
    documents = server.client_capabilities.text_document
    formats = documents.hover.content_format if documents is not None and documents.hover is not None else None
    if formats is not None and types.MarkupKind.Markdown not in formats:
        return types.MarkupContent(types.MarkupKind.PlainText, pages.plain(page))
    return types.MarkupContent(types.MarkupKind.Markdown, page)


def _holds(range_: types.Range, position: types.Position) -> bool:
    at = (position.line, position.character)
    return (range_.start.line, range_.start.character) <= at <= (range_.end.line, range_.end.character)
