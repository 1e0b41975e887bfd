"""textDocument/documentSymbol: an outline of what was found: the functions with findings, and the findings in them.

Only those: functions without a finding are the business of the language's own server, whose outline this one stands beside.
"""

from __future__ import annotations

from lsprotocol import types

from closeread.session import Session
from closeread_analyzers.finding import Finding

from ..convert import Wire, range_in
from ..diagnosed import Diagnosed
from ..documents import Document
from ..pages import plain, sentence
from ..protocol import NOTHING, Encoded
from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL, types.DocumentSymbolOptions(label="Closeread"))
    async def document_symbol(params: types.DocumentSymbolParams) -> Encoded:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source:
            return NOTHING
        found = document.current() or await server.diagnose(document)

        def look(session: Session, cancelled: object) -> Encoded:
            symbols = _outline(server, session, document, found)
            return server.protocol.encoded(symbols if _is_nested(server) else _flat(symbols, document.uri))

        return await server.once(document, "symbols", look)


def _is_nested(server: Server) -> bool:
    documents = server.client_capabilities.text_document
    can = documents.document_symbol if documents is not None else None
    return bool(can is not None and can.hierarchical_document_symbol_support)


def _outline(server: Server, session: Session, document: Document, found: Diagnosed) -> list[types.DocumentSymbol]:
    """In the order of the text; what is in no function stands for itself."""
    outline: list[types.DocumentSymbol] = []
    functions: dict[str, types.DocumentSymbol | None] = {"": None}
    for finding, wire in zip(found.analysis.findings, found.diagnostics, strict=False):
        name = finding.function
        if name not in functions:
            functions[name] = _function(server, session, document, found, name)
        function, symbol = functions[name], _symbol(finding, wire)
        siblings = outline if function is None else function.children
        assert isinstance(siblings, list)  # the protocol's type says less
        if function is not None and not siblings:
            outline.append(function)
        siblings.append(symbol)
    return outline


def _symbol(finding: Finding, wire: Wire) -> types.DocumentSymbol:
    place = range_in(wire)
    detail = f"{finding.severity.label}: {plain(sentence(finding.message))}"
    return types.DocumentSymbol(finding.rule, types.SymbolKind.Event, place, place, detail)


def _function(
    server: Server, session: Session, document: Document, found: Diagnosed, name: str
) -> types.DocumentSymbol | None:
    fact = session.calls(document.path).function(found.analysis.name, name)
    if fact is None:
        return None
    kind = types.SymbolKind.Method if "." in name else types.SymbolKind.Function
    whole, head = (document.text.range_of(place, server.encoding) for place in (fact.location, fact.head))
    return types.DocumentSymbol(name.partition("#")[0], kind, whole, head, children=[])


def _flat(symbols: list[types.DocumentSymbol], uri: str) -> list[types.SymbolInformation]:
    """For a client that shows a list only."""
    found = []
    for symbol in symbols:
        place = types.Location(uri, symbol.range)
        found.append(types.SymbolInformation(place, symbol.name, symbol.kind))
        for child in symbol.children or ():
            place = types.Location(uri, child.range)
            found.append(types.SymbolInformation(place, child.name, child.kind, container_name=symbol.name))
    return found
