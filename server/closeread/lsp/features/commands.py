"""workspace/executeCommand: scan the workspace, explain a rule, clear what is remembered.

closeread.scanWorkspace             -> counts; diagnostics of every file; a bar that can be cancelled
closeread.explain  [rule]           -> the rule's page in Markdown
closeread.clearCache                -> forgets every analysis; open files are analysed anew
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from closeread.session import Folder, Session

from .. import pages
from ..diagnosed import Diagnosed, diagnose
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

    @server.command("closeread.clearCache")
    async def clear_cache(params: types.ExecuteCommandParams) -> None:
        await server.ask(lambda session, cancelled: session.forget(), Urgency.EDIT)
        server.refresh.everything()


class Scan:
    """One scan of all folders, a file at a time, so that whoever types is served in between."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._counts: Counter[str] = Counter()
        self.files = 0
        self.problems = 0
        self.cancelled = False
        self._started = time.monotonic()

    async def run(self, bar: Progress) -> None:
        """Look at every file, and send what it has to say."""
        server = self._server
        # A client that has no folder open has nothing to scan; its open files are watched anyway.
        listed = await server.ask(_listed, Urgency.SCAN)
        total = sum(len(names) for _, names, _ in listed)
        for folder, names, unread in listed:
            self.problems += unread
            for name in names:
                bar.report(name, self.files, total)
                try:
                    self._count(await server.ask(_job(server, folder, name), Urgency.SCAN))
                except Exception as error:
                    self.problems += 1
                    server.failed(f"analysing a file: {name}", error)
                self.files += 1

    def _count(self, found: Diagnosed) -> None:
        self._counts.update(finding.severity.label for finding in found.analysis.findings)
        self.problems += len(found.analysis.problems)
        for problem in found.analysis.problems:
            self._server.log(f"{problem.path}:{problem.line}: {problem.message}")
        self._server.refresh.scanned(found)

    def summary(self) -> dict[str, Any]:
        """The command's answer."""
        return {
            "files": self.files,
            "findings": self._counts.total(),
            "bySeverity": dict(self._counts),
            "problems": self.problems,
            "cancelled": self.cancelled,
            "seconds": round(time.monotonic() - self._started, 3),
        }

    def sentence(self) -> str:
        """The bar's last word."""
        found = f"{self._counts.total()} findings in {self.files} files"
        unread = f", {self.problems} problems (see the log)" if self.problems else ""
        return ("Stopped: " if self.cancelled else "") + found + unread


def _listed(session: Session, cancelled: object) -> list[tuple[Folder, tuple[str, ...], int]]:
    listed = []
    for folder in session.folders:
        listing = session.sources(folder)
        listed.append((folder, listing.files, len(listing.problems)))
    return listed


def _job(server: Server, folder: Folder, name: str) -> Any:
    path, wording = folder.root / name, server.wording()
    return lambda session, cancelled: diagnose(session, path, wording, cancelled)
