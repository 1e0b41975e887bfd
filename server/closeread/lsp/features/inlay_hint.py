"""textDocument/inlayHint: where data of a client's is on its way to a finding. Off until `inlayHints` is set."""

from __future__ import annotations

from lsprotocol import types

from ..pages import plain, sentence
from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintOptions(resolve_provider=False))
    async def inlay_hint(params: types.InlayHintParams) -> list[types.InlayHint]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source or not server.inlay_hints:
            return []
        found = document.current() or await server.diagnose(document)
        name = document.path.relative_to(found.root).as_posix()
        hints: dict[tuple[int, int], types.InlayHint] = {}
        path = document.path
        for finding in await server.ask(lambda session, cancelled: session.flows(path)):
            source = next((step.message for step in finding.trace if step.kind == "source"), "")
            for step in finding.trace:
                if step.location.path != name or step.kind == "sink":
                    continue
                at = document.text.range_of(step.location, server.encoding).end
                if params.range.start.line <= at.line <= params.range.end.line:
                    tooltip = f"{finding.rule}: {plain(sentence(step.message))}"
                    label = f" \N{LEFTWARDS ARROW} {source}"
                    hints[at.line, at.character] = types.InlayHint(at, label, tooltip=tooltip)
        return [hints[at] for at in sorted(hints)]
