"""The server: what it holds, how it starts and how it ends.

The event loop's thread reads, answers and keeps the documents; the worker's thread owns the session and all
analysis. A folder's worth of features (`features/`) is registered by being there.

Traps of the library, found by running it: a plain `def` handler holds up the loop (so ours only keep books); a
handler in a thread cannot be cancelled; a coroutine is cancelled at once, but not the work it handed away (so
ours wait for a future whose cancelling stops the worker); and an exit code is swallowed.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import os
import pkgutil
import sys
import threading
import traceback
from collections.abc import Callable, Hashable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar, cast

from lsprotocol import types
from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

from closeread import version
from closeread.remembered import Shared
from closeread.session import ProjectFactory, Session
from closeread.store import Store
from closeread_analyzers.languages import languages

from . import features, status
from .assistance import Assistance
from .convert import Edit, Encoding, Text
from .diagnosed import Diagnosed, Remarked, Said, Wording, diagnose
from .documents import Document, Documents, State, place_of
from .inbox import Inbox
from .outbox import Outbox
from .protocol import Encoded, Protocol
from .refresh import Refresh
from .worker import Urgency, Worker

if TYPE_CHECKING:
    from .features.mend import Proposals
    from .features.teach import Teaching

T = TypeVar("T")

_ANSWERS = 32
"""Answers that are known of a document, at most."""
_FAREWELL = 5.0
"""Seconds that the last answers may take to leave."""

_NOTEBOOKS = types.NotebookDocumentSyncOptions(
    notebook_selector=[
        types.NotebookDocumentFilterWithCells(
            notebook=types.NotebookDocumentFilterNotebookType(notebook_type="*"),
            cells=[types.NotebookCellLanguage(language="*")],
        )
    ],
    save=False,
)


class Server(LanguageServer):
    """One editor's server."""

    protocol: Protocol

    def __init__(self, project_factory: ProjectFactory | None = None) -> None:
        super().__init__(
            "closeread", version(), protocol_cls=Protocol, max_workers=2, notebook_document_sync=_NOTEBOOKS
        )
        self.exit_code = 1
        """What the process ends with; 1 until the client has said `shutdown` and `exit`."""
        self.worker = Worker(rest=gc.collect)
        self.documents = Documents()
        self.refresh = Refresh(self)
        self.ready: list[Callable[[], Any]] = []
        """What features begin with once the client has said `initialized`, and what it opened first is shown."""
        self.said: Said = {}
        self._unparsed: set[Path] = set()
        self._remarked: Remarked = {}
        self.inlay_hints = False
        self.apart = project_factory is None
        """Whether a scan runs in processes of its own; they know the real analysers alone."""
        self._store: Store | None = None
        self._store_lock = threading.Lock()
        self.status = status.Status(self)
        self._session = (
            Session(memory=Shared(lambda: self.cache)) if project_factory is None else Session(project_factory)
        )
        self.assistance = Assistance(self)
        self.proposals: Proposals
        self.teaching: Teaching
        self._shown: set[str] = set()
        self._changes = 0
        self._tasks: set[asyncio.Task[Any]] = set()
        for module in pkgutil.iter_modules(features.__path__):
            importlib.import_module(f"{features.__name__}.{module.name}").register(self)

    # --- The client -------------------------------------------------------------------------------

    @property
    def encoding(self) -> Encoding:
        """The negotiated unit of columns."""
        return self.server_capabilities.position_encoding or types.PositionEncodingKind.Utf16

    @property
    def pulls(self) -> bool:
        """Whether the client asks for the diagnostics of open documents; then they are not sent unasked as well.

        One that asks, but cannot be told to ask again, would never hear what an edit elsewhere changed: it is sent them.
        """
        documents = self.client_capabilities.text_document
        workspace = self.client_capabilities.workspace
        refresh = workspace.diagnostics if workspace is not None else None
        asks = documents is not None and documents.diagnostic is not None
        return asks and refresh is not None and bool(refresh.refresh_support)

    @property
    def cache(self) -> Store:
        """What is remembered between runs; opened when it is first needed, and never on the loop's thread."""
        with self._store_lock:
            if self._store is None:
                self._store = Store()
            return self._store

    @property
    def cache_counts(self) -> tuple[int, int]:
        """Questions that the store answered, and those it did not."""
        return (self._store.hits, self._store.misses) if self._store is not None else (0, 0)

    def clear_cache(self) -> None:
        """Forget what is on disk. Raises OSError."""
        with self._store_lock:
            store, self._store = self._store or Store(), None
            store.clear()

    def wording(self) -> Wording:
        """How this client wants its answers."""
        documents = self.client_capabilities.text_document
        publish = documents.publish_diagnostics if documents is not None else None
        related = bool(publish and publish.related_information) or self.pulls
        return Wording(self.encoding, self.documents.uri, related, self.said, self._unparsed, self._remarked)

    async def remark(self, remarked: Remarked) -> None:
        """Show what a model remarked on these files, in place of what it did before."""
        self._remarked.update(remarked)
        self._changes += 1  # what is known of a document does not have them
        await self.refresh.renew(list(remarked))

    def log(self, message: str, kind: types.MessageType = types.MessageType.Info) -> None:
        """A line in the client's log."""
        self.window_log_message(types.LogMessageParams(type=kind, message=message))

    def tell(self, message: str, kind: types.MessageType = types.MessageType.Warning) -> None:
        """Show the user a message, once however often it is said; and log it every time."""
        self.log(message, kind)
        if message not in self._shown:
            self._shown.add(message)
            self.window_show_message(types.ShowMessageParams(type=kind, message=message))

    def failed(self, doing: str, error: BaseException) -> None:
        """A defect of ours: the whole story in the log, one sentence on the screen, and life goes on."""
        story = "".join(traceback.format_exception(error))[-20_000:]
        self.log(f"Closeread failed while {doing}.\n{story}", types.MessageType.Error)
        sentence = f"Closeread failed while {doing.split(':')[0]} ({type(error).__name__}). The log has the details."
        self.tell(sentence, types.MessageType.Error)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """What the library could not handle: a request's sender has its answer, the rest goes to the log."""
        self.protocol.unreadable(error)
        with contextlib.suppress(Exception):
            self.log(f"A message could not be handled: {type(error).__name__}: {error}", types.MessageType.Warning)

    # --- Texts ------------------------------------------------------------------------------------

    # Only books are kept here: a text is edited in place and handed to the worker, which never sees half an edit. A
    # client that edits what it never opened, or closes twice, is told in the log and loses nothing.

    def open(self, item: types.TextDocumentItem) -> None:
        """A document was opened."""
        text = Text.of(item.text)
        document = self.documents.get(item.uri)
        if document is not None:
            self.log(f"Opened twice: {item.uri}", types.MessageType.Warning)
            self._edited(document, item.version, text, [(0, len(document.text.data), len(text.data))])
            return
        document = Document(item.uri, place_of(item.uri, item.language_id), item.version, text)
        self.documents.put(document)
        path = document.path
        self.change("opening a document", lambda session: session.open(path, 0, text.data))
        self.refresh.opened(document)

    def edit(self, uri: str, version: int, changes: Iterable[types.TextDocumentContentChangeEvent]) -> None:
        """A document was edited; versions are the client's business, and changes come in order."""
        document = self.documents.get(uri)
        if document is None:
            self.log(f"Edited, but never opened: {uri}", types.MessageType.Warning)
            return
        text, edits = document.text.edited(changes, self.encoding)
        self._edited(document, version, text, edits)

    def _edited(self, document: Document, version: int, text: Text, edits: list[Edit]) -> None:
        document.text, document.version = text, version
        document.revision += 1
        self.assistance.rest()
        path, revision = document.path, document.revision
        self.change("applying an edit", lambda session: session.edit(path, revision, text.data, edits))
        self.refresh.edited(document)

    def close(self, uri: str) -> None:
        """A document was closed."""
        document = self.documents.remove(uri)
        if document is None:
            self.log(f"Closed, but never opened: {uri}", types.MessageType.Warning)
            return
        path = document.path
        self.change("closing a document", lambda session: session.close(path))
        self.refresh.closed(document)

    # --- The work ---------------------------------------------------------------------------------

    def change(self, doing: str, job: Callable[[Session], None]) -> None:
        """Change the session, before anything else is done with it."""
        self._changes += 1
        future = self.worker.submit(lambda cancelled: job(self._session), Urgency.EDIT)
        self.spawn(self._watch(doing, asyncio.wrap_future(future)))

    async def ask(self, job: Callable[[Session, Callable[[], bool]], T], urgency: Urgency = Urgency.ANSWER) -> T:
        """Have the session answer. Cancelling the caller stops the work."""
        return await self.worker.run(lambda cancelled: job(self._session, cancelled), urgency)

    async def diagnose(
        self, document: Document, urgency: Urgency = Urgency.ANSWER, *, glance: bool = False
    ) -> Diagnosed:
        """What there is to say of the newest version of a document; see `Session.analyze` for what a glance is."""
        if (known := document.current()) is not None and document.state == self._state and (known.whole or glance):
            return known
        while True:
            changes = self._changes
            found = await self.diagnose_file(document.path, urgency, glance=glance)
            document.seconds = found.seconds
            if found.analysis.version == document.revision or self.documents.get(document.uri) is not document:
                document.diagnosed, document.state = found, (changes, found.moves)
                return found

    @property
    def _state(self) -> State:
        return self._changes, self._session.moves

    async def once(
        self, document: Document, question: Hashable, job: Callable[[Session, Callable[[], bool]], Encoded]
    ) -> Encoded:
        """The session's answer to a question about a document; the one that is known while nothing has changed."""
        known = document.answers.get(question)
        if known is not None and known[0] == self._state:
            return known[1]
        changes = self._changes

        def answer(session: Session, cancelled: Callable[[], bool]) -> tuple[Encoded, int]:
            return job(session, cancelled), session.moves

        made, moves = await self.ask(answer)
        if len(document.answers) >= _ANSWERS:
            document.answers.clear()
        document.answers[question] = (changes, moves), made
        return made

    async def diagnose_file(
        self, path: Path, urgency: Urgency, *, scan: bool = False, glance: bool = False
    ) -> Diagnosed:
        """What there is to say of a file, open or not; `scan` makes it one that is shown from now on."""
        wording = self.wording()
        found = await self.ask(
            lambda session, cancelled: diagnose(session, path, wording, cancelled, scan=scan, glance=glance), urgency
        )
        self.tell_of_cache()
        return found

    def tell_of_cache(self) -> None:
        """The user hears, once, that nothing is remembered between runs, and why."""
        if self._store is not None and self._store.warning:
            self.tell(self._store.warning)

    def log_problems(self, found: Diagnosed, *, syntax: bool = True) -> None:
        """What could not be analysed, for the log; whoever types makes syntax errors all the time."""
        for problem in found.analysis.problems:
            if syntax or problem.kind != "syntax":
                self.log(f"{found.root / problem.path}:{problem.line}: {problem.message} ({problem.kind})")

    def spawn(self, work: Any) -> asyncio.Task[Any]:
        """Run a coroutine beside everything else; what it raises is reported."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.failed("working in the background", error)

    async def _watch(self, doing: str, future: asyncio.Future[Any]) -> None:
        try:
            await future
        except Exception as error:
            self.failed(doing, error)

    def serve(self, reader: BinaryIO, writer: Outbox) -> None:
        """Serve the client at the other ends of these, until it leaves."""
        self._stop_event = threading.Event()
        self.protocol.set_writer(cast("Any", writer))
        inbox = Inbox(reader, self.protocol, self._stop_event)
        try:
            asyncio.run(inbox.serve(self._warm, lambda error: self.report_server_error(error, JsonRpcException)))
        except KeyboardInterrupt:
            pass
        finally:
            self.shutdown()

    def _warm(self) -> None:
        """What takes long the first time and the loop needs at once: the languages, and how the first answer is encoded."""
        languages()
        self.protocol.encoded(types.InitializeResult(types.ServerCapabilities()))

    def stop(self, exit_code: int) -> None:
        """End the loop after this message."""
        self.exit_code = exit_code
        if self._stop_event is not None:
            self._stop_event.set()

    def shutdown(self) -> None:
        """Stop the worker, the model and the library's own threads."""
        self.assistance.close()
        if self._store is not None:
            self._store.close()
        if not self.worker.close():
            logging.getLogger(__name__).warning("The analysis did not stop in time.")
        super().shutdown()  # type: ignore[no-untyped-call]


def run(stdio: bool = True, tcp: tuple[str, int] | None = None, project_factory: ProjectFactory | None = None) -> None:
    """Serve one client and leave with its exit code. `tcp` is for debugging."""
    # The loop must get the interpreter soon while the worker computes: the default is 5 ms a turn.
    sys.setswitchinterval(0.002)
    # The analysers keep many small objects that live long: by default the collector looks at them all the time, which
    # took a third of an edit in a file of 10,000 lines. Nobody runs meanwhile, so that a turn has to be short; going
    # through all there is takes far longer than a frame, and waits until the worker rests.
    gc.set_threshold(10_000, 5, 1_000_000)
    gc.freeze()  # what was imported stays
    gc.enable()
    logging.getLogger("pygls").setLevel(logging.CRITICAL)  # what matters of it goes to the client's log
    server = Server(project_factory)
    if tcp is not None:
        with contextlib.suppress(KeyboardInterrupt):
            server.start_tcp(*tcp)
    elif stdio:
        reader, output = _private_pipes()
        outbox = Outbox(output)
        server.serve(reader, outbox)
        outbox.drain(_FAREWELL)
    leave(server.exit_code)


def leave(code: int) -> None:
    """End the process now, whatever threads there are: a reader may hang in `read` for ever."""
    with contextlib.suppress(OSError, ValueError):
        sys.stderr.flush()
    os._exit(code)


def _private_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Standard input and output for the protocol alone: a stray `print` goes to standard error."""
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    return sys.stdin.buffer, output
