"""workspace/executeCommand: scan the workspace, explain a line, show the routes, clear what is remembered.

closeread.scanWorkspace             -> counts; diagnostics of every file; a bar that can be cancelled
closeread.showRoutes                -> every route of the workspace, as a table in Markdown; a bar that can be cancelled
closeread.suppress [uri, line, rule]  -> whether a suppressing comment was put there; its reason is shown, to be written
closeread.status                    -> see status.py
closeread.why          [uri, line]  -> why that line (counted from 0) was or was not reported, as text
closeread.clearCache                -> forgets every analysis, those on disk too; open files are analysed anew
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from closeread.platform_ import reason
from closeread.session import Session

from .. import edits, pages, suppression
from ..convert import Text, path_of
from ..progress import progress
from ..scanning import Scan
from ..server import Server
from ..worker import Urgency


def register(server: Server) -> None:
    """Attach the commands."""

    @server.command("closeread.scanWorkspace")
    async def scan_workspace(params: types.ExecuteCommandParams) -> dict[str, Any]:
        scan = Scan(server)
        server.status.paused = False
        async with progress(server, "Closeread: scanning the workspace", params.work_done_token) as bar:
            task = asyncio.current_task()
            cancels = task.cancelling() if task is not None else 0
            try:
                await scan.run(bar)
            except asyncio.CancelledError:
                # The user stopped the bar: that is an answer. A cancelled request is the protocol's business.
                if task is None or not bar.was_cancelled:
                    raise
                while task.cancelling() > cancels:
                    task.uncancel()
                scan.cancelled = server.status.paused = True
            bar.end(scan.sentence())
        server.status.changed()
        server.refresh.whole()
        return scan.summary()

    @server.command("closeread.showRoutes")
    async def show_routes(params: types.ExecuteCommandParams) -> str:
        rows: list[str] = []
        async with progress(server, "Closeread: reading the routes", params.work_done_token) as bar:
            listed = await server.ask(_sources, Urgency.SCAN)
            for number, path in enumerate(listed):
                bar.report(path.name, number, len(listed))
                rows += await server.ask(partial(_rows, path), Urgency.SCAN)
            bar.end(f"{len(rows)} routes")
        return "\n".join(["| methods | path | function | who may call it | file |", "|---|---|---|---|---|", *rows])

    @server.command("closeread.suppress")
    async def suppress(params: types.ExecuteCommandParams) -> bool:
        arguments = params.arguments or ()
        document = server.documents.get(arguments[0]) if len(arguments) == 3 and isinstance(arguments[0], str) else None
        if document is None or type(arguments[1]) is not int or not isinstance(arguments[2], str):
            raise JsonRpcInvalidParams(
                "closeread.suppress takes three arguments, an open document's URI, a line, a rule."
            )
        text, rule = document.text, arguments[2]
        start = text.offset_of_location(arguments[1] + 1, 0)
        change = suppression.edit(text.data, document.path.name, start, rule)
        if change is None:
            return False
        edit = edits.of_file(server, document.path, text, [change])
        answer = await server.workspace_apply_edit_async(types.ApplyWorkspaceEditParams(edit=edit))
        window = server.client_capabilities.window
        if answer.applied and window is not None and window.show_document is not None and window.show_document.support:
            after = Text(text.data[: change[0]] + change[2].encode() + text.data[change[1] :])
            at = change[0] + len(change[2].encode()) - len(change[2].encode().partition(suppression.REASON.encode())[2])
            reason = after.range(at - len(suppression.REASON), at, server.encoding)
            show = types.ShowDocumentParams(uri=document.uri, take_focus=True, selection=reason)
            await server.window_show_document_async(show)
        return answer.applied

    @server.command("closeread.status")
    async def tell_status(params: types.ExecuteCommandParams) -> dict[str, Any]:
        return server.status.now()

    @server.command("closeread.why")
    async def explain_line(params: types.ExecuteCommandParams) -> str:
        arguments = params.arguments or ()
        path = path_of(arguments[0]) if len(arguments) == 2 and isinstance(arguments[0], str) else None
        if path is None or type(arguments[1]) is not int or arguments[1] < 0:
            raise JsonRpcInvalidParams("closeread.why takes two arguments, a document's URI and a line.")
        line = arguments[1] + 1
        from closeread import why  # with the watched interpreter

        try:
            told = await server.ask(lambda session, cancelled: why.ask_session(session, path, line, cancelled))
        except why.BadQuestion as error:
            raise JsonRpcInvalidParams(f"{error}.") from None
        return why.text(told)

    @server.command("closeread.clearCache")
    async def clear_cache(params: types.ExecuteCommandParams) -> None:
        await server.ask(lambda session, cancelled: session.forget(), Urgency.EDIT)
        try:
            await server.ask(lambda session, cancelled: server.clear_cache())
        except OSError as error:
            server.tell(f"The cache on disk could not be cleared: {reason(error)}")
        server.refresh.everything()


def _sources(session: Session, cancelled: object) -> list[Path]:
    return [folder.root / name for folder in session.folders for name in session.sources(folder).files]


def _rows(path: Path, session: Session, cancelled: Callable[[], bool]) -> list[str]:
    rows = []
    for route in session.routes(path, cancelled):
        who = route.authenticated or "anyone"
        cells = (", ".join(route.methods) or "any", route.path or "?", route.function, who)
        rows.append(
            f"| {' | '.join(map(pages.escaped, cells))} | {pages.escaped(path.name)}:{route.location.start_line} |"
        )
    return rows
