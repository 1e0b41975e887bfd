"""A scan of all folders: from the store what is known, in worker processes what is not, and on the screen file by file.

Whoever types is served in between: this process only takes in what the workers found. A file that is open, or that
rests on one whose text is not the one on disk, is analysed here, with the text that the user sees. A file that ends its
worker costs that file, and is reported.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from closeread import remembered, work
from closeread.folder import Folder
from closeread.session import Session
from closeread.workspace.files import Listing, Workspace
from closeread_analyzers.finding import FileResult

from .worker import Urgency

if TYPE_CHECKING:
    from .progress import Progress
    from .server import Server

_ENOUGH = 64
"""Results that may wait to be shown, before the workers wait too."""


class Scan:
    """One scan."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._found: dict[Path, Counter[str]] = {}
        self._unread: dict[Path, int] = {}
        self.files = 0
        self.cached = 0
        self.cancelled = False
        self._started = time.monotonic()

    async def run(self, bar: Progress) -> None:
        """Look at every file, and send what it has to say."""
        server = self._server
        # A client that has no folder open has nothing to scan; its open files are watched anyway.
        listed = await server.ask(_listed, Urgency.SCAN)
        total = sum(len(listing.files) for _, listing in listed)
        for folder, listing in listed:
            root = folder.root
            self._unread[root] = len(listing.problems)
            for problem in listing.problems:
                server.log(f"{root / problem.path}: {problem.message}")
            left = dict.fromkeys(listing.files)
            async with aclosing(self._apart(folder, listing)) as results:
                async for result in results:
                    if await self._adopted(folder, result):
                        bar.report(result.path, self.files, total)
                        left.pop(result.path, None)
                        await self._look(root / result.path)
                        self.files += 1
            for name in left:
                bar.report(name, self.files, total)
                await self._look(root / name)
                self.files += 1
            server.refresh.gone(await server.ask(partial(_whole, root, listing.files), Urgency.SCAN))
        # A flow that starts in one file may end in another, which was looked at before.
        for path in await server.ask(lambda session, cancelled: session.unsettled(), Urgency.SCAN):
            await self._look(path)
        await asyncio.to_thread(server.cache.tally)  # it may wait for another process
        server.tell_of_cache()

    async def _adopted(self, folder: Folder, result: FileResult) -> bool:
        return await self._server.ask(lambda session, cancelled: session.adopt(folder, result), Urgency.SCAN)

    async def _apart(self, folder: Folder, listing: Listing) -> AsyncGenerator[FileResult, None]:
        """The results of files that are not open: of the store, or of workers. Closing it stops them."""
        server, loop = self._server, asyncio.get_running_loop()
        if not server.apart:
            return
        names = [name for name in listing.files if name not in folder.opened]
        results: asyncio.Queue[FileResult | BaseException | None] = asyncio.Queue()
        room = threading.Semaphore(_ENOUGH)
        stop = threading.Event()

        def put(item: FileResult | BaseException | None) -> None:
            while not room.acquire(timeout=0.2):
                if stop.is_set():
                    return
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(results.put_nowait, item)

        def produce() -> None:
            end: BaseException | None = None
            try:
                for result in self._results(folder, names, stop):
                    put(result)
            except work.Cancelled:
                pass
            except BaseException as error:
                end = error
            put(end)

        thread = threading.Thread(target=produce, name="closeread-scan", daemon=True)
        thread.start()
        try:
            while (item := await results.get()) is not None:
                room.release()
                if isinstance(item, BaseException):
                    server.failed("scanning the workspace", item)
                    return
                yield item
        finally:
            stop.set()

    def _results(self, folder: Folder, names: list[str], stop: threading.Event) -> Iterator[FileResult]:
        """On a thread of its own: the files as they are on disk."""
        store = self._server.cache
        workspace = Workspace(folder.root, folder.settings)
        keys: dict[str, bytes] = {}
        left: list[str] = []
        recollection = remembered.Recollection(workspace)
        for name in names:
            if stop.is_set():
                return
            source = workspace.load(name)
            if source.text is None:
                continue  # read again where it is shown, with what is wrong
            key = keys[name] = remembered.key(workspace, name, source.digest)
            value = store.get_many([key]).get(key) if folder.settings.cache else None
            known = recollection.unpacked(name, value, with_dependencies=True) if value is not None else None
            if known is None:
                left.append(name)
            else:
                self.cached += 1
                yield known
        for outcome in work.analyze(workspace, left, cancelled=stop.is_set, apart=True):
            result = outcome.result
            value = remembered.packed(result) if outcome.digest and folder.settings.cache else None
            if value is not None:
                store.put_many({remembered.key(workspace, result.path, outcome.digest): value})
            yield result

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
            "cached": self.cached,
            "cancelled": self.cancelled,
            "seconds": round(time.monotonic() - self._started, 3),
        }

    def sentence(self) -> str:
        """The bar's last word."""
        summary = self.summary()
        found = f"{summary['findings']} findings in {self.files} files"
        unread = f", {summary['problems']} problems (see the log)" if summary["problems"] else ""
        return ("Stopped: " if self.cancelled else "") + found + unread


def _listed(session: Session, cancelled: object) -> list[tuple[Folder, Listing]]:
    return [(folder, session.sources(folder)) for folder in session.folders]


def _whole(root: Path, names: Sequence[str], session: Session, cancelled: object) -> list[Path]:
    return session.scanned_whole(root, names)
