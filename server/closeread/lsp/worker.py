"""The one thread that owns the analysers.

They are CPU-bound and not thread-safe, so everything that touches a `Session` is a job run here, the most
urgent first and in order within an urgency. A running job whose `cancelled()` says yes because something
more urgent waits is put back and run again later: its caller never notices, and since the analysers
remember by content, little is done twice. Deliberately absent: a second thread, and any knowledge of what
the jobs do.
"""

from __future__ import annotations

import asyncio
import heapq
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, TypeVar

from closeread.session import Cancelled

T = TypeVar("T")

# Deeply nested code makes deep recursion in the analysers' simplest walks; a guess that has room to spare.
_STACK_BYTES = 64 * 1024 * 1024
_RECURSION_LIMIT = 20_000


_MUCH = 1000
"""Jobs after which a rest is due."""
_PAUSE = 0.9
"""Seconds without a job that are one; what only looks around now and then leaves such gaps."""


class Urgency(IntEnum):
    """Smaller is sooner."""

    EDIT = 0
    """The text or the settings changed: everything after must see it."""
    ANSWER = 1
    """Somebody looks at the screen and waits."""
    DEPENDENTS = 2
    """Files that an edit elsewhere may have changed."""
    SCAN = 3
    """A whole workspace."""


@dataclass(order=True)
class _Job:
    urgency: int
    number: int
    run: Callable[[Callable[[], bool]], Any] = field(compare=False)
    future: Future[Any] = field(compare=False)


class Worker:
    """Runs jobs one at a time on a thread of its own; a daemon, so that it never holds up an exit."""

    def __init__(self, rest: Callable[[], object] = lambda: None) -> None:
        """`rest` is what is done when there was much to do, and for a while nobody wants anything."""
        self._rest = rest
        self._done = 0
        self._jobs: list[_Job] = []
        self._condition = threading.Condition()
        self._count = 0
        self._closed = False
        previous = threading.stack_size(_STACK_BYTES)
        try:
            self._thread = threading.Thread(target=self._loop, name="closeread-analysis", daemon=True)
            self._thread.start()
        finally:
            threading.stack_size(previous)

    def submit(self, job: Callable[[Callable[[], bool]], T], urgency: Urgency) -> Future[T]:
        """Run `job(cancelled)` later. Cancelling the future is all that is needed to stop it."""
        future: Future[T] = Future()
        with self._condition:
            if self._closed:
                future.cancel()
                return future
            self._count += 1
            heapq.heappush(self._jobs, _Job(int(urgency), self._count, job, future))
            self._condition.notify()
        return future

    async def run(self, job: Callable[[Callable[[], bool]], T], urgency: Urgency) -> T:
        """`submit`, awaited; cancelling the awaiting task stops the job."""
        return await asyncio.wrap_future(self.submit(job, urgency))

    def close(self, timeout: float = 2.0) -> bool:
        """Cancel what waits and what runs. True when the thread has ended in time."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _loop(self) -> None:
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION_LIMIT))
        while True:
            with self._condition:
                while not self._jobs and not self._closed:
                    if not self._condition.wait(_PAUSE if self._done >= _MUCH else None):
                        self._done = 0
                        self._rest()
                if self._closed:
                    for job in self._jobs:
                        job.future.cancel()
                    return
                job = heapq.heappop(self._jobs)
            self._run(job)

    def _run(self, job: _Job) -> None:
        # The future is never marked as running: that keeps `Future.cancel` working while it does.
        future = job.future
        if future.cancelled():
            return
        self._done += 1

        def preempted() -> bool:
            jobs = self._jobs
            return bool(jobs) and jobs[0].urgency < job.urgency

        def cancelled() -> bool:
            return self._closed or preempted() or future.cancelled()

        try:
            result = job.run(cancelled)
        except Cancelled:
            if self._closed or future.cancelled():
                future.cancel()
                return
            with self._condition:
                heapq.heappush(self._jobs, job)
            return
        except BaseException as error:  # whatever it was, the thread lives and the caller hears of it
            _settle(future, error=error)
            return
        _settle(future, result)


def _settle(future: Future[Any], result: Any = None, error: BaseException | None = None) -> None:
    try:
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)
    except InvalidStateError:
        pass  # cancelled in the meantime: nobody waits
