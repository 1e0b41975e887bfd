"""The analysis of many files: here, or in processes of our own, one a core.

A worker is `[sys.executable, "-I", "-m", "closeread.worker"]`, which reads requests and writes results as
lines of JSON. Neither `multiprocessing` start method will do: `spawn` and `forkserver` put the working
folder on the child's import path, which a hostile workspace could use, and `fork` is not everywhere.

What files share is read by every worker that has one of them, so each worker gets neighbours: files in order, cut
where those on both sides have least in common. A worker that dies or does not come back costs the one file it was
at. One that dies may have been full of the files before, so a file is to blame if it was the worker's first; else it is
given to a new one. A worker that has had most of the memory it may have is replaced. Where no worker starts at all (a
package on a path that `-I` hides), everything is done here.

Deliberately absent: the cache, and any order: results come as they are ready.
"""

from __future__ import annotations

import contextlib
import gc
import json
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, takewhile
from typing import TYPE_CHECKING, Any, Literal, Protocol

from closeread_analyzers.finding import FileResult, Problem, from_json

from . import platform_
from .workspace.files import Source, Workspace

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Catalogue

_FEW_FILES = 40
"""So few are done sooner than a worker starts."""

_BATCH = 16

_SLACK = 4
"""A share may be larger or smaller than an equal one by the fourth part."""

_STACK_BYTES = 128 * 1024 * 1024
_RECURSION_LIMIT = 20_000
_FRAME_SLOTS = 1 << 17

# A worker stops itself at the limit; one that does not (it hangs in one long step) is stopped some time after.
_GRACE_SECONDS = 10.0
_START_SECONDS = 60.0


class Cancelled(Exception):
    """The caller's `cancelled()` said so."""


class Analyser(Protocol):
    """What is wanted of `closeread_analyzers.pipeline.Project`."""

    def analyze(self, path: str, cancelled: Callable[[], bool]) -> FileResult:
        """All findings of one file."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of one file, and the digest of the text it is about ("" where it was not analysed whole).

    What reading alone tells of a file (`Source.problem` beside a text) is not repeated here.
    """

    result: FileResult
    digest: str


class Snapshot:
    """A workspace in which each file is read once, so that a result is about one state of it."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._sources: dict[str, Source] = {}

    def load(self, path: str) -> Source:
        """The file as first read."""
        source = self._sources.get(path)
        if source is None:
            source = self._sources[path] = self.workspace.load(path)
        return source

    def read(self, path: str) -> bytes | None:
        """See `closeread_analyzers.pipeline.Files`."""
        return self.load(path).text

    def exists(self, path: str) -> bool:
        """See `closeread_analyzers.pipeline.Files`."""
        return self.workspace.has_folder(path) if path.endswith("/") else self.workspace.exists(path)


MakeAnalyser = Callable[[Snapshot], Analyser]
Spawn = Callable[[], contextlib.AbstractContextManager["subprocess.Popen[bytes]"]]


def pipeline(files: Snapshot) -> Analyser:
    """The real analysers, imported when they are first needed: a scan that finds all in the cache never does."""
    from closeread_analyzers.pipeline import Project

    return Project(files, own_catalogue(files.workspace.settings.models))


def own_catalogue(models: str) -> Catalogue:
    """The built-in rules and models, and beside them the user's."""
    from closeread_analyzers.catalogue import builtin

    return builtin().with_user(models)


def spawn_worker() -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """A worker of our own."""
    return platform_.child("closeread.worker")


def analyze(
    workspace: Workspace,
    paths: Sequence[str],
    *,
    make: MakeAnalyser = pipeline,
    spawn: Spawn = spawn_worker,
    cancelled: Callable[[], bool] = lambda: False,
    apart: bool = False,
) -> Iterator[Outcome]:
    """The outcome of every path, in any order. Raises `Cancelled`; closing the iterator stops the workers.

    `apart` says that nothing is to be done in this process, which has a user to serve: where no worker can be started,
    the paths are left to the caller.
    """
    jobs = workspace.settings.jobs or (platform_.cores() if len(paths) >= _FEW_FILES else 1)
    jobs = min(jobs, len(paths))
    if jobs > 1 or (apart and paths):
        pool = _Pool(workspace, paths, jobs, spawn)
        yield from pool.run(cancelled)
        paths = pool.not_begun()
    if paths and not apart:
        yield from _here(workspace, paths, make, cancelled)


def _here(
    workspace: Workspace, paths: Sequence[str], make: MakeAnalyser, cancelled: Callable[[], bool]
) -> Iterator[Outcome]:
    done: queue.SimpleQueue[Outcome | BaseException | None] = queue.SimpleQueue()
    stop = threading.Event()

    def run() -> None:
        try:
            snapshot = Snapshot(workspace)
            analyser = make(snapshot)
            for path in paths:
                if stop.is_set():
                    return
                done.put(outcome_of(analyser, snapshot, path, stop.is_set))
            done.put(None)
        except BaseException as error:
            done.put(error)

    with _without_collector():
        start_deep(run)
        try:
            while True:
                try:
                    outcome = done.get(timeout=0.1)
                except queue.Empty:
                    outcome = Outcome(FileResult(""), "")
                if cancelled():
                    raise Cancelled
                if outcome is None:
                    return
                if isinstance(outcome, BaseException):
                    raise outcome
                if outcome.result.path:
                    yield outcome
        finally:
            stop.set()


def start_deep(run: Callable[[], None]) -> threading.Thread:
    """Start `run` on a thread whose stacks have room for deeply nested code.

    CPython keeps its own frames in pieces of 16 KiB, and asks the system for one, and gives it back, whenever a call
    crosses an edge: in deep recursion, a tenth of all time. The first frame of this thread is so large that its piece
    has room for all that are above it.
    """

    def deep() -> None:
        run()

    deep.__code__ = deep.__code__.replace(co_stacksize=_FRAME_SLOTS)
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION_LIMIT))
    previous = threading.stack_size(_STACK_BYTES)
    try:
        thread = threading.Thread(target=deep, name="analysis", daemon=True)
        thread.start()
    finally:
        threading.stack_size(previous)
    return thread


@contextlib.contextmanager
def _without_collector() -> Iterator[None]:
    """The analysers' data lives as long as the scan: looking for garbage in it again and again finds none."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()  # else the collector, once back, goes through all of it
        if enabled:
            gc.enable()


def outcome_of(analyser: Analyser, snapshot: Snapshot, path: str, stopped: Callable[[], bool]) -> Outcome:
    """Analyse one file; whatever goes wrong is a `Problem` of it."""
    source = snapshot.load(path)
    if source.text is None:
        return Outcome(FileResult(path, problems=(source.problem,) if source.problem else ()), "")
    seconds = snapshot.workspace.settings.file_timeout
    deadline = time.monotonic() + seconds
    try:
        result = analyser.analyze(path, lambda: time.monotonic() > deadline or stopped())
    except (Exception, RecursionError) as error:
        if time.monotonic() > deadline:
            return Outcome(_failed(path, "timeout", f"Not analysed: took longer than {seconds:g} seconds."), "")
        why = f"the analysis failed ({type(error).__name__})"
        if isinstance(error, MemoryError):
            why = f"it takes more memory than a process may have (`worker-memory`, {snapshot.workspace.settings.worker_memory:,} MB)"
        return Outcome(_failed(path, "crash", f"Not analysed: {why}."), "")
    return Outcome(result, source.digest)


def _failed(path: str, kind: Literal["timeout", "crash"], message: str) -> FileResult:
    return FileResult(path, problems=(Problem(path, 0, message, kind),))


class _Pool:
    """The parent's side: a lane a worker, each with its share of the files."""

    def __init__(self, workspace: Workspace, paths: Sequence[str], jobs: int, spawn: Spawn) -> None:
        self.spawn = spawn
        self.outcomes: queue.SimpleQueue[Outcome | None] = queue.SimpleQueue()
        self.lock = threading.Lock()
        self.stopping = False
        settings = workspace.settings
        self.seconds = settings.file_timeout
        self.greeting = {
            "root": str(workspace.root),
            "max-file-size": settings.max_file_size,
            "file-timeout": settings.file_timeout,
            "models": settings.models,
            "worker-memory": settings.worker_memory,
        }
        batches = list(_batches(paths))
        sizes = [sum(map(workspace.size, batch)) for batch in batches]
        self.lanes = [_Lane(self, deque(share)) for share in _shares(batches, sizes, jobs)]

    def run(self, cancelled: Callable[[], bool]) -> Iterator[Outcome]:
        threads = [threading.Thread(target=lane.run, daemon=True) for lane in self.lanes]
        for thread in threads:
            thread.start()
        running = len(threads)
        try:
            while running:
                try:
                    outcome = self.outcomes.get(timeout=0.1)
                except queue.Empty:
                    self.stop_overdue()
                else:
                    if outcome is None:
                        running -= 1
                    else:
                        yield outcome
                if cancelled():
                    raise Cancelled
        finally:
            self.stopping = True
            for lane in self.lanes:
                lane.kill()
            for thread in threads:
                thread.join()

    def stop_overdue(self) -> None:
        now = time.monotonic()
        for lane in self.lanes:
            if now > lane.due:
                lane.overdue = True
                lane.kill()

    def next_batch(self, lane: _Lane) -> list[str] | None:
        """The lane's own next one, or the last of whoever has most left."""
        with self.lock:
            if self.stopping:
                return None
            if lane.batches:
                return lane.batches.popleft()
            richest = max(self.lanes, key=lambda other: len(other.batches))
            return richest.batches.pop() if richest.batches else None

    def not_begun(self) -> list[str]:
        """What is left because no worker could be started."""
        return [path for lane in self.lanes for batch in lane.batches for path in batch]


class _Lane:
    """One worker at a time, and the batches meant for it. Runs on a thread of its own, which mostly waits."""

    def __init__(self, pool: _Pool, batches: deque[list[str]]) -> None:
        self.pool = pool
        self.batches = batches
        self.due = float("inf")
        self.overdue = False
        self.fresh = True
        """Whether the worker has done no file yet."""
        self.process: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        try:
            batch: list[str] | None = None
            while not self.pool.stopping:
                batch = batch or self.pool.next_batch(self)
                if batch is None:
                    return
                with self.pool.spawn() as process:
                    self.process, self.fresh = process, True
                    if not self.greet(process):
                        self.batches.appendleft(batch)
                        return
                    while batch:
                        batch = self.work(process, batch)
                        if process.poll() is not None:
                            break  # the worker is no more, and what is left needs a new one
                        batch = self.pool.next_batch(self)
        except OSError:
            if batch:
                self.batches.appendleft(batch)
        finally:
            self.process = None
            self.due = float("inf")
            self.pool.outcomes.put(None)

    def greet(self, process: subprocess.Popen[bytes]) -> bool:
        self.due = time.monotonic() + _START_SECONDS
        return self.send(process, self.pool.greeting) and self.receive(process) is not None

    def work(self, process: subprocess.Popen[bytes], batch: list[str]) -> list[str]:
        """Have a batch done. Returns what is left of it if the worker ends, or is ended, on the way."""
        sent = self.send(process, {"paths": batch})
        for index, path in enumerate(batch):
            self.due = time.monotonic() + self.pool.seconds + _GRACE_SECONDS
            answer = self.receive(process) if sent else None
            outcome, spent = _read_answer(answer, path)
            if outcome is None and self.pool.stopping:
                return []
            if outcome is None or spent:
                platform_.stop(process)
                if not self.fresh and not self.overdue and (outcome is None or _crashed(outcome)):
                    return batch[index:]
            self.pool.outcomes.put(outcome or Outcome(self.blame(path, process), ""))
            if outcome is None or spent:
                return batch[index + 1 :]
            self.fresh = False
        self.due = float("inf")
        return []

    def blame(self, path: str, process: subprocess.Popen[bytes]) -> FileResult:
        if self.overdue:
            self.overdue = False
            return _failed(path, "timeout", f"Not analysed: took longer than {self.pool.seconds:g} seconds.")
        return _failed(path, "crash", f"Not analysed: the worker process ended (status {process.returncode}).")

    def kill(self) -> None:
        process = self.process
        if process is not None:
            with contextlib.suppress(OSError):
                process.kill()

    @staticmethod
    def send(process: subprocess.Popen[bytes], message: dict[str, Any]) -> bool:
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(message).encode() + b"\n")
            process.stdin.flush()
        except OSError:
            return False
        return True

    @staticmethod
    def receive(process: subprocess.Popen[bytes]) -> bytes | None:
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
        except (OSError, ValueError):
            return None
        return line if line.endswith(b"\n") else None


def _read_answer(line: bytes | None, path: str) -> tuple[Outcome | None, bool]:
    """What a worker answered, and whether it should do no more."""
    if line is None:
        return None, False
    try:
        answer = json.loads(line)
        outcome, spent = Outcome(from_json(answer["result"]), answer["digest"]), bool(answer["spent"])
    except (KeyError, TypeError, ValueError):
        return None, False
    return (outcome, spent) if outcome.result.path == path else (None, False)


def _crashed(outcome: Outcome) -> bool:
    return any(problem.kind == "crash" for problem in outcome.result.problems)


def _batches(paths: Iterable[str]) -> Iterator[list[str]]:
    for _, group in groupby(paths, key=lambda path: path.rpartition("/")[0]):
        folder = list(group)
        yield from (folder[start : start + _BATCH] for start in range(0, len(folder), _BATCH))


def _shares(batches: list[list[str]], sizes: list[int], jobs: int) -> Iterator[list[list[str]]]:
    """The batches in as many runs as there are jobs (or fewer), of about the same size, cut between far relatives."""
    ends = list(accumulate(sizes))
    begin = 0
    for job in range(1, jobs):
        goal = ends[-1] * job / jobs
        slack = ends[-1] / jobs / _SLACK

        def cost(at: int, goal: float = goal, slack: float = slack) -> tuple[bool, int, float]:
            away = abs(ends[at - 1] - goal)
            far = away > slack
            return far, 0 if far else _kinship(batches[at - 1][0], batches[at][0]), away

        end = min(range(begin + 1, len(batches)), key=cost, default=begin)
        if end > begin:
            yield batches[begin:end]
            begin = end
    yield batches[begin:]


def _kinship(one: str, other: str) -> int:
    """How many folders two files have in common."""
    folders = zip(one.split("/")[:-1], other.split("/")[:-1], strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], folders))
