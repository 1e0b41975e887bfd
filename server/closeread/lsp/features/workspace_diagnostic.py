"""workspace/diagnostic: what is known of files that are not open, streamed where the client can take it in parts.

Only files that a scan looked at are known: a client that asks every two seconds must not make us read the world. A
client that asks once is sent nothing of such files unasked any more. What it has already is said to be unchanged.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lsprotocol import types

from closeread.session import Session

from ..protocol import Encoded
from ..server import Server
from ..worker import Urgency

_PART = 50
"""Files in a part."""


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.WORKSPACE_DIAGNOSTIC)
    async def workspace_diagnostic(params: types.WorkspaceDiagnosticParams) -> Encoded:
        server.refresh.asked_for_workspace()
        before = {previous.uri: previous.value for previous in params.previous_result_ids}
        paths = await server.ask(_scanned, Urgency.DEPENDENTS)
        told: set[str] = set()
        part: list[Encoded] = []
        for path in paths:
            if server.documents.at(path) is not None:
                continue
            try:
                found = await server.diagnose_file(path, Urgency.SCAN)
            except Exception as error:
                server.failed(f"analysing a file: {path}", error)
                continue
            uri = server.documents.uri(path)
            told.add(uri)
            if before.get(uri) == found.result_id:
                report = Encoded.of(kind="unchanged", uri=uri, version=None, resultId=found.result_id)
            else:
                members: dict[str, Any] = {"version": None, "resultId": found.result_id, "items": found.encoded}
                report = Encoded.of(kind="full", uri=uri, **members)
            part.append(report)
            if params.partial_result_token is not None and len(part) >= _PART:
                _send(server, params.partial_result_token, part)
                part = []
        gone = (uri for uri in before if uri not in told)
        part += [Encoded.of(kind="full", uri=uri, version=None, items=[]) for uri in gone]
        if params.partial_result_token is not None and part:
            _send(server, params.partial_result_token, part)
            part = []
        return Encoded.of(items=_list(part))


def _scanned(session: Session, cancelled: object) -> list[Path]:
    return [folder.root / name for folder in session.folders for name in sorted(folder.scanned)]


def _list(part: list[Encoded]) -> Encoded:
    return Encoded(f"[{', '.join(part)}]")


def _send(server: Server, token: int | str, part: list[Encoded]) -> None:
    params = Encoded.of(token=token, value=Encoded.of(items=_list(part)))
    server.protocol.send(Encoded.of(jsonrpc="2.0", method=types.PROGRESS, params=params))
