"""workspace/executeCommand: scan the workspace, explain a rule or a line, clear what is remembered.

closeread.scanWorkspace             -> counts; diagnostics of every file; a bar that can be cancelled
closeread.explain  [rule]           -> the rule's page in Markdown
closeread.why          [uri, line]  -> why that line (counted from 0) was or was not reported, as text
closeread.clearCache                -> forgets every analysis, those on disk too; open files are analysed anew
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from closeread import why
from closeread.platform_ import reason
from closeread.session import Session
from closeread.store import Store
from closeread.workspace.files import Listing

from .. import pages
from ..convert import path_of
from ..progress import Progress, progress
from ..server import Server
from ..worker import Urgency


def register(server: Server) -> None:
    """Attach the commands."""

    @server.command("closeread.scanWorkspace")
    async def scan_workspace(params: types.ExecuteCommandParams) -> dict[str, Any]:
        scan = Scan(server)
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
                scan.cancelled = True
            bar.end(scan.sentence())
        return scan.summary()

    @server.command("closeread.explain")
    async def explain(params: types.ExecuteCommandParams) -> str:
        arguments = params.arguments or ()
        if len(arguments) != 1 or not isinstance(arguments[0], str):
            raise JsonRpcInvalidParams("closeread.explain takes one argument, the rule's id.")
        rule = arguments[0]
        page = await server.ask(lambda session, cancelled: pages.rule_page(rule))
        if page is None:
            raise JsonRpcInvalidParams(f"There is no rule {rule[:80]!r}.")
        return page

    @server.command("closeread.why")
    async def explain_line(params: types.ExecuteCommandParams) -> str:
        arguments = params.arguments or ()
        path = path_of(arguments[0]) if len(arguments) == 2 and isinstance(arguments[0], str) else None
        if path is None or type(arguments[1]) is not int or arguments[1] < 0:
            raise JsonRpcInvalidParams("closeread.why takes two arguments, a document's URI and a line.")
        line = arguments[1] + 1
        try:
            told = await server.ask(lambda session, cancelled: why.ask_session(session, path, line, cancelled))
        except why.BadQuestion as error:
            raise JsonRpcInvalidParams(f"{error}.") from None
        return why.text(told)

    @server.command("closeread.clearCache")
    async def clear_cache(params: types.ExecuteCommandParams) -> None:
        await server.ask(lambda session, cancelled: session.forget(), Urgency.EDIT)
        try:
            await server.ask(lambda session, cancelled: Store().clear())
        except OSError as error:
            server.tell(f"The cache on disk could not be cleared: {reason(error)}")
        server.refresh.everything()


class Scan:
    """One scan of all folders, a file at a time, so that whoever types is served in between."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._found: dict[Path, Counter[str]] = {}
        self._unread: dict[Path, int] = {}
        self.files = 0
        self.cancelled = False
        self._started = time.monotonic()

    async def run(self, bar: Progress) -> None:
        """Look at every file, and send what it has to say."""
        server = self._server
        # A client that has no folder open has nothing to scan; its open files are watched anyway.
        listed = await server.ask(_listed, Urgency.SCAN)
        total = sum(len(listing.files) for _, listing in listed)
        for root, listing in listed:
            self._unread[root] = len(listing.problems)
            for problem in listing.problems:
                server.log(f"{root / problem.path}: {problem.message}")
            for name in listing.files:
                bar.report(name, self.files, total)
                await self._look(root / name)
                self.files += 1
            await server.ask(lambda session, cancelled, root=root: session.scanned_whole(root), Urgency.SCAN)  # type: ignore[misc]
        # A flow that starts in one file may end in another, which was looked at before.
        for path in await server.ask(lambda session, cancelled: session.unsettled(), Urgency.SCAN):
            await self._look(path)

    async def _look(self, path: Path) -> None:
        try:
            found = await self._server.diagnose_file(path, Urgency.SCAN, scan=True)
        except Exception as error:
            self._unread[path] = 1
            self._server.failed(f"analysing a file: {path}", error)
            return
        self._found[path] = Counter(finding.severity.label for finding in found.analysis.findings)
        self._unread[path] = len(found.analysis.problems)
        self._server.log_problems(found)
        self._server.refresh.scanned(found)

    def summary(self) -> dict[str, Any]:
        """The command's answer."""
        counts = sum(self._found.values(), Counter())
        return {
            "files": self.files,
            "findings": counts.total(),
            "bySeverity": dict(counts),
            "problems": sum(self._unread.values()),
            "cancelled": self.cancelled,
            "seconds": round(time.monotonic() - self._started, 3),
        }

    def sentence(self) -> str:
        """The bar's last word."""
        summary = self.summary()
        found = f"{summary['findings']} findings in {self.files} files"
        unread = f", {summary['problems']} problems (see the log)" if summary["problems"] else ""
        return ("Stopped: " if self.cancelled else "") + found + unread


def _listed(session: Session, cancelled: object) -> list[tuple[Path, Listing]]:
    return [(folder.root, session.sources(folder)) for folder in session.folders]
