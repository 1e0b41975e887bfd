"""The database file, and the one thread that writes it.

A commit with `synchronous=FULL` waits for the disk: milliseconds. So operations that arrive while one commit is on its way share the
next; whoever asked is answered after the commit, never before. An operation that raises undoes itself alone.

Other processes (`closeread queue retry`) may write the same file: every transaction begins IMMEDIATE.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any, TypeVar

from .. import platform_

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

_BATCH = 512
"""Operations that share one commit, at most."""


def connect(path: Path) -> sqlite3.Connection:
    """Open (or make) the database. Raises OSError or sqlite3.Error."""
    platform_.private_folder(path.parent)
    existed = path.exists()
    connection = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
    try:
        if not existed and not platform_.WINDOWS:
            path.chmod(0o600)  # SQLite gives its -wal and -shm the same mode
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 20000")
        connection.executescript(resources.files(__package__).joinpath("schema.sql").read_text("utf-8"))
    except BaseException:
        connection.close()
        raise
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Any:
    """All of it or nothing of it, committed to the disk at the end."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


class Ledger:
    """The database of a running sidecar."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect(path)
        self._jobs: queue.SimpleQueue[tuple[Operation[Any], asyncio.Future[Any]] | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._listeners: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._serve, name="ledger", daemon=True)
        self._thread.start()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call `listener`, on the event loop, after each commit that changed something."""
        self._listeners.append(listener)

    async def run(self, operation: Operation[T]) -> T:
        """The operation's result, once it is on the disk. Raises what it raised, or what the commit raised."""
        future: asyncio.Future[T] = self._loop.create_future()
        self._jobs.put((operation, future))
        # A caller that is cancelled must not leave the outcome unknown to the books: the operation is carried out all the same.
        return await asyncio.shield(future)

    async def close(self) -> None:
        """Carry out what was asked for, then let go of the file."""
        self._jobs.put(None)
        await asyncio.to_thread(self._thread.join)
        self._connection.close()

    def _serve(self) -> None:
        ending = False
        while not ending:
            jobs = [self._jobs.get()]
            while len(jobs) < _BATCH and jobs[-1] is not None:
                try:
                    jobs.append(self._jobs.get_nowait())
                except queue.Empty:
                    break
            if jobs[-1] is None:
                ending = True
                jobs.pop()
            if jobs:
                before = self._connection.total_changes
                outcomes = self._commit([job for job in jobs if job is not None])
                changed = self._connection.total_changes != before
                with contextlib.suppress(RuntimeError):  # the loop may be closed already
                    self._loop.call_soon_threadsafe(self._tell, outcomes, changed)

    def _commit(self, jobs: list[tuple[Operation[Any], asyncio.Future[Any]]]) -> list[_Outcome]:
        outcomes: list[_Outcome] = []
        try:
            with transaction(self._connection):
                for operation, future in jobs:
                    self._connection.execute("SAVEPOINT operation")
                    try:
                        outcomes.append((future, operation(self._connection), None))
                    except Exception as error:
                        self._connection.execute("ROLLBACK TO operation")
                        outcomes.append((future, None, error))
                    self._connection.execute("RELEASE operation")
        except Exception as error:  # the disk is full, or gone: none of it happened
            return [(future, None, error) for _, future in jobs]
        return outcomes

    def _tell(self, outcomes: list[_Outcome], changed: bool) -> None:
        for future, result, error in outcomes:
            if future.done():
                continue
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        for listener in self._listeners if changed else ():
            listener()


_Outcome = tuple["asyncio.Future[Any]", Any, Exception | None]
