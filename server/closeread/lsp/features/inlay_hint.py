"""textDocument/inlayHint: where data of a client's is on its way to a finding. Off until `inlayHints` is set."""

from __future__ import annotations

from lsprotocol import types

from closeread.session import Session

from ..pages import plain, sentence
from ..protocol import NOTHING, Encoded
from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.TEXT_DOCUMENT_INLAY_HINT, types.InlayHintOptions(resolve_provider=False))
    async def inlay_hint(params: types.InlayHintParams) -> Encoded:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source or not server.inlay_hints:
            return NOTHING
        found = document.current() or await server.diagnose(document)
        text, path, encoding = document.text, document.path, server.encoding
        name = path.relative_to(found.root).as_posix()
        first, last = params.range.start.line, params.range.end.line

        def look(session: Session, cancelled: object) -> Encoded:
            hints: dict[tuple[int, int], types.InlayHint] = {}
            for finding in session.flows(path):
                source = next((step.message for step in finding.trace if step.kind == "source"), "")
                for step in finding.trace:
                    if step.location.path != name or step.kind == "sink":
                        continue
                    at = text.range_of(step.location, encoding).end
                    if first <= at.line <= last:
                        tooltip = f"{finding.rule}: {plain(sentence(step.message))}"
                        label = f" \N{LEFTWARDS ARROW} {source}"
                        hints[at.line, at.character] = types.InlayHint(at, label, tooltip=tooltip)
            return server.protocol.encoded([hints[at] for at in sorted(hints)])

        return await server.once(document, ("hints", first, last), look)
