"""textDocument/hover: what the finding under the cursor is, how the data got there, and its rule's page.

Where a model is in use, its words come after the finding: those it has written by now.
"""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from closeread.explanation import Explanation
from closeread.session import Session
from closeread_analyzers.finding import Finding

from .. import pages
from ..convert import Wire, range_in
from ..server import Server
from .teach import explanations


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(params: types.HoverParams) -> types.Hover | None:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source:
            return None
        found, at = document.current() or await server.diagnose(document), params.position

        def look(session: Session, cancelled: object) -> tuple[list[str], types.Range, Explanation] | None:
            diagnosed = zip(found.analysis.findings, found.diagnostics, strict=False)
            here = [(finding, made) for finding, made in diagnosed if _holds(made, at)]
            if not here:
                return None
            findings = [finding for finding, _ in here]
            (explained,) = explanations(session, found, findings[:1])
            return _parts(server, found.root, findings), range_in(here[0][1]), explained

        seen = await server.ask(look)
        if seen is None:
            return None
        parts, range_, explained = seen
        words = server.teaching.words(explained)
        if words is not None:
            parts[0] += f"\n\n{words.markdown()}"
        return types.Hover(contents=_content(server, "\n\n---\n\n".join(parts)), range=range_)


def _parts(server: Server, root: Path, findings: list[Finding]) -> list[str]:
    """What is known of each finding, then the pages of their rules."""
    parts = [pages.finding_page(finding, root, server.documents.uri) for finding in findings]
    parts += filter(None, (pages.rule_page(rule) for rule in dict.fromkeys(finding.rule for finding in findings)))
    return parts


def _content(server: Server, page: str) -> types.MarkupContent:
    documents = server.client_capabilities.text_document
    formats = documents.hover.content_format if documents is not None and documents.hover is not None else None
    if formats is not None and types.MarkupKind.Markdown not in formats:
        return types.MarkupContent(types.MarkupKind.PlainText, pages.plain(page))
    return types.MarkupContent(types.MarkupKind.Markdown, page)


def _holds(made: Wire, position: types.Position) -> bool:
    start, end = made["range"]["start"], made["range"]["end"]
    at = (position.line, position.character)
    return (start["line"], start["character"]) <= at <= (end["line"], end["character"])
