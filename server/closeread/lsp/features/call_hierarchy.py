"""textDocument/prepareCallHierarchy, callHierarchy/incomingCalls, outgoingCalls: who calls whom, as the summaries know it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsprotocol import types

from closeread.session import Session
from closeread_analyzers.finding import Location
from closeread_analyzers.outline import CallFact, FunctionFact

from ..convert import Text, path_of
from ..protocol import Encoded
from ..server import Server


def register(server: Server) -> None:
    """Attach the handlers."""

    @server.feature(types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY)
    async def prepare(params: types.CallHierarchyPrepareParams) -> list[types.CallHierarchyItem] | None:
        path = path_of(params.text_document.uri)
        if path is None:
            return None
        line = params.position.line + 1

        def look(session: Session, cancelled: Any) -> list[types.CallHierarchyItem]:
            session.analyze(path, cancelled)
            folder, name = session.place(path)
            fact = session.calls(path).at(name, line)
            return [] if fact is None else [_item(server, session, folder.root, fact)]

        return await server.ask(look) or None

    @server.feature(types.CALL_HIERARCHY_INCOMING_CALLS)
    async def incoming(params: types.CallHierarchyIncomingCallsParams) -> Encoded:
        def look(session: Session, cancelled: object) -> Encoded:
            found = _calls(server, session, params.item, callers=True)
            return server.protocol.encoded([types.CallHierarchyIncomingCall(*one) for one in found])

        return await server.ask(look)

    @server.feature(types.CALL_HIERARCHY_OUTGOING_CALLS)
    async def outgoing(params: types.CallHierarchyOutgoingCallsParams) -> Encoded:
        def look(session: Session, cancelled: object) -> Encoded:
            found = _calls(server, session, params.item, callers=False)
            return server.protocol.encoded([types.CallHierarchyOutgoingCall(*one) for one in found])

        return await server.ask(look)


def _calls(
    server: Server, session: Session, item: types.CallHierarchyItem, *, callers: bool
) -> list[tuple[types.CallHierarchyItem, list[types.Range]]]:
    path = path_of(item.uri)
    if path is None or not isinstance(item.data, str):
        return []
    folder, name = session.place(path)
    calls = session.calls(path)
    facts: tuple[CallFact, ...] = calls.callers_of(name, item.data) if callers else calls.called_by(name, item.data)
    return [
        (
            _item(server, session, folder.root, fact.function),
            [_range(server, session, folder.root, place) for place in fact.places],
        )
        for fact in facts
    ]


def _item(server: Server, session: Session, root: Path, fact: FunctionFact) -> types.CallHierarchyItem:
    kind = types.SymbolKind.Method if "." in fact.name else types.SymbolKind.Function
    return types.CallHierarchyItem(
        name=fact.name.partition("#")[0],
        kind=kind,
        uri=server.documents.uri(root / fact.location.path),
        range=_range(server, session, root, fact.location),
        selection_range=_range(server, session, root, fact.head),
        detail=fact.location.path,
        data=fact.name,
    )


def _range(server: Server, session: Session, root: Path, at: Location) -> types.Range:
    folder, name = session.place(root / at.path)
    return Text(folder.read(name) or b"").range_of(at, server.encoding)
