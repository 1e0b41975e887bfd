"""When what the editor shows is renewed: at once what was edited, soon the rest of its file and those that rest on it.

At once is a glance (`Session.analyze`); a pause later comes the whole of it. Each edit starts anew and cancels what the
edit before had started. Only edits in a burst wait, and no longer than the last analysis took.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from closeread.session import Session

from . import convert
from .diagnosed import Diagnosed
from .documents import Document
from .protocol import NOTHING, Encoded
from .worker import Urgency

if TYPE_CHECKING:
    from .server import Server

BURST = 0.05
"""Seconds between edits that no hand makes: a paste in pieces, a replace-all, a held key."""
LONGEST_PAUSE = 0.03
DEPENDENTS_PAUSE = 0.3


class Refresh:
    """Sends diagnostics, or tells a client that asks for them when to ask again."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._on_disk: set[str] = set()
        """URIs of files that are not open and have diagnostics on the screen."""
        self._configs: set[str] = set()
        self._asks_for_workspace = False
        self._counts: dict[Path, int] = {}
        """Findings of files that are not open."""

    # --- Occasions --------------------------------------------------------------------------------

    def edited(self, document: Document) -> None:
        """The document's text is new. A single key is answered at once; a burst of edits is waited out."""
        now = time.monotonic()
        is_burst = now - document.edited < BURST
        document.edited = now
        self._start(document, min(document.seconds, LONGEST_PAUSE) if is_burst else 0, DEPENDENTS_PAUSE, glance=True)

    def saved(self, document: Document) -> None:
        """The user paused: the dependents need not wait."""
        self._start(document, 0, 0)

    def opened(self, document: Document) -> None:
        """As after an edit; what a scan had sent for the file is replaced."""
        uri = convert.uri_of(document.path)
        if uri in self._on_disk:
            self._on_disk.discard(uri)
            self._send(uri)
        self._counts.pop(document.path, None)
        self.edited(document)

    def closed(self, document: Document) -> None:
        """A closed document shows nothing; those that rest on it may show something else."""
        if document.refresh is not None:
            document.refresh.cancel()
        self._server.said.pop(document.path, None)
        if document.is_source and not self._server.pulls:
            self._send(document.uri)
        self.elsewhere(document.path)

    def elsewhere(self, *paths: Path) -> None:
        """Files changed that are not open."""
        self._server.spawn(self._dependents(paths))

    def everything(self) -> None:
        """The settings or the folders changed."""
        self._server.spawn(self._config_files())
        if self._server.pulls:
            self._server.spawn(self._ask_to_pull())
            return
        for document in self._server.documents.all():  # and, since this ends what an opening began, what rests on them
            self._start(document, 0, DEPENDENTS_PAUSE)

    def whole(self) -> None:
        """A scan has ended: a client that asks for files that are not open may ask now."""
        if self._asks_for_workspace:
            self._server.spawn(self._ask_to_pull())

    def scanned(self, found: Diagnosed) -> None:
        """A scan looked at a file; one that is open has its own way to the screen."""
        if self._server.documents.at(found.path) is not None:
            self._counts.pop(found.path, None)
            return
        self._counts[found.path] = len(found.analysis.findings)
        self._server.status.changed()
        if self._asks_for_workspace:
            return
        uri = convert.uri_of(found.path)
        if found.diagnostics:
            self._on_disk.add(uri)
        elif uri in self._on_disk:
            self._on_disk.discard(uri)
        else:
            return
        self._send(uri, found.encoded)

    def findings(self) -> int:
        """How many are on the screen."""
        documents = (document.diagnosed for document in self._server.documents.all())
        return sum(len(found.analysis.findings) for found in documents if found is not None) + sum(
            self._counts.values()
        )

    def asked_for_workspace(self) -> None:
        """The client asks for files that are not open as well; what it was sent of them goes from the screen."""
        if not self._asks_for_workspace:
            self._asks_for_workspace = True
            for uri in sorted(self._on_disk):
                self._send(uri)
            self._on_disk.clear()

    def gone(self, paths: Sequence[Path]) -> None:
        """Files, or whole folders, are no longer ours: what a scan said of them goes from the screen."""
        tops = set(paths)

        def is_gone(path: Path) -> bool:
            return path in tops or not tops.isdisjoint(path.parents)

        for path in [path for path in self._counts if is_gone(path)]:
            del self._counts[path]
        for uri in sorted(self._on_disk):
            at = convert.path_of(uri)
            if at is not None and is_gone(at):
                self._on_disk.discard(uri)
                self._send(uri)
        self._server.status.changed()

    # --- Work -------------------------------------------------------------------------------------

    def _start(self, document: Document, pause: float, dependents_pause: float, *, glance: bool = False) -> None:
        if document.refresh is not None:
            document.refresh.cancel()
        if document.is_source:
            document.refresh = self._server.spawn(self._renew(document, pause, dependents_pause, glance))

    async def _renew(self, document: Document, pause: float, dependents_pause: float, glance: bool) -> None:
        if not self._server.pulls:
            if pause > 0.002:
                await asyncio.sleep(pause)
            await self._publish(document, Urgency.ANSWER, glance=glance)
        await asyncio.sleep(dependents_pause)
        if glance and await self._publish(document, Urgency.DEPENDENTS, if_new=True) and self._server.pulls:
            await self._ask_to_pull()
        await self._dependents((document.path,))

    async def _publish(
        self, document: Document, urgency: Urgency, *, if_new: bool = False, glance: bool = False
    ) -> bool:
        """Analyse and send; whether anything is different from what was sent last."""
        before = document.diagnosed
        try:
            found = await self._server.diagnose(document, urgency, glance=glance)
        except Exception as error:
            self._server.failed(f"analysing a file: {document.path}", error)
            return False
        if self._server.documents.get(document.uri) is not document:
            return False
        is_new = before is None or before.result_id != found.result_id
        self._server.status.changed()
        if is_new:
            self._server.log_problems(found, syntax=False)
        if not self._server.pulls and (is_new or not if_new):
            self._send(document.uri, found.encoded, document.version)
        return is_new

    async def _dependents(self, paths: tuple[Path, ...]) -> None:
        def find(session: Session, _: object) -> list[Path]:
            return list(dict.fromkeys(other for path in paths for other in session.affected(path)))

        await self.renew(await self._server.ask(find, Urgency.DEPENDENTS))

    async def renew(self, paths: Sequence[Path]) -> None:
        """Show what is new in these files, open or not."""
        server = self._server
        is_new = False
        for path in paths:
            document = server.documents.at(path)
            if document is not None:
                is_new |= document.is_source and await self._publish(document, Urgency.DEPENDENTS, if_new=True)
                continue
            try:
                self.scanned(await server.diagnose_file(path, Urgency.DEPENDENTS))
            except Exception as error:
                server.failed(f"analysing a file: {path}", error)
        if is_new and server.pulls:
            await self._ask_to_pull()

    async def _ask_to_pull(self) -> None:
        workspace = self._server.client_capabilities.workspace
        if workspace is not None and workspace.diagnostics is not None and workspace.diagnostics.refresh_support:
            self._server.workspace_diagnostic_refresh(None)

    async def _config_files(self) -> None:
        """What is wrong with settings: in a file, shown at its line; in the editor's own, said."""
        server = self._server
        encoding = server.encoding

        def look(session: Session, _: object) -> tuple[dict[str, list[convert.Wire]], list[str], list[str]]:
            found = {}
            for path, data, problems in session.config_problems():
                uri, text = server.documents.uri(path), convert.Text(data)
                found[uri] = [convert.problem(problem, text, encoding) for problem in problems]
            return found, session.editor_problems(), session.models_problems()

        found, said, models = await server.ask(look)
        for uri in sorted(self._configs - found.keys()):
            self._send(uri)
        self._configs = set(found)
        for uri, diagnostics in found.items():
            self._send(uri, Encoded(json.dumps(diagnostics)))
        for message in said:
            server.tell(f"Closeread's settings: {message}")
        for message in models:
            server.tell(f"Closeread: {message}")

    def _send(self, uri: str, diagnostics: Encoded = NOTHING, version: int | None = None) -> None:
        members = {"uri": uri, "diagnostics": diagnostics} | ({} if version is None else {"version": version})
        method = types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS
        self._server.protocol.send(Encoded.of(jsonrpc="2.0", method=method, params=Encoded.of(**members)))
