"""Commits: seen however they are made, reviewed once each, told in one message.

closeread.reviewCommit [commit]    -> {commit, findings, remarks, fixed, files} of HEAD, or of the commit that is named; null
                                      where there is no repository
closeread.reviewCommit [commit, before]   the same, from an editor that saw HEAD move from `before` ("" is none) to `commit`,
                                      of all that were committed on the way, and their ids as `commits`; null if nothing
                                      was (a checkout, a reset), or git is not done yet (a rebase)
closeread.scanStaged               -> the same of what is staged; `commit` is ""

The git directory of every workspace folder is watched: its index, HEAD and message change with every commit, amend,
cherry-pick and rebase, in linked work trees and submodules too. What was committed, the reflog says
(`workspace/history.py`); several commits of one go, a rebase's say, are one message. A repository that is made later is noticed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from closeread import log
from closeread.platform_ import reason
from closeread.results import Tools
from closeread.review import Review, of_commit, of_staged, repository_of, touched
from closeread.session import Cancelled, Session
from closeread.work import Cancelled as WorkCancelled
from closeread.workspace import history
from closeread.workspace.git import GitError, Repository, find

from ..diagnosed import Anchored
from ..server import Server
from ..worker import Urgency

_LOOK = 2.0
"""Seconds between looks for a repository where there was none."""
_SETTLE = 0.2
"""Seconds in which the many writes of one commit come to rest."""
_AGAIN = 60.0
"""Seconds until a repository that git could not read is looked at again."""
_WATCHED = frozenset({
    "HEAD", "ORIG_HEAD", "COMMIT_EDITMSG", "index", "packed-refs", "tables.list", "rebase-merge", "rebase-apply", "sequencer",
})  # fmt: skip
_MOST = 200
_MOST_AT_ONCE = 50
"""Commits of one go that are reviewed, the newest of them."""


def register(server: Server) -> None:
    """Attach the commands, and watch once the client is ready."""
    reviews = Reviews(server)

    @server.command("closeread.reviewCommit")
    async def review_commit(params: types.ExecuteCommandParams) -> dict[str, Any] | None:
        arguments = params.arguments or ()
        if len(arguments) > 2 or not all(one is None or isinstance(one, str) for one in arguments):
            raise JsonRpcInvalidParams(
                "closeread.reviewCommit takes a commit, and the one that HEAD was before, or neither."
            )
        ref, before = [*arguments, None, None][:2]
        problem: GitError | None = None
        for root in await server.ask(lambda session, _: [folder.root for folder in session.folders]):
            if find(root) is not None:
                try:
                    if before is not None:
                        return await reviews.review_since(root, before, ref or "HEAD")
                    return await reviews.review(root, ref or "HEAD")
                except GitError as error:
                    problem = error  # another folder's repository may have it
        if problem is not None and before is None:
            raise JsonRpcInvalidParams(str(problem))
        return None

    @server.command("closeread.scanStaged")
    async def scan_staged(params: types.ExecuteCommandParams) -> dict[str, Any] | None:
        for root in await server.ask(lambda session, _: [folder.root for folder in session.folders]):
            if find(root) is not None:
                made, _ = await server.ask(
                    _job(root, lambda repository, tools: of_staged(repository, tools)), Urgency.SCAN
                )
                await reviews.show(made)
                return counts(made)
        return None

    server.ready.append(lambda: server.spawn(reviews.watch_folders()))


class _Made(NamedTuple):
    """A review: its counts, what the log has of it, and how many findings would stop a commit."""

    counts: dict[str, Any]
    entry: dict[str, Any]
    gate: int


class Reviews:
    """What was reviewed, and the watchers of the folders."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._reviews: OrderedDict[str, asyncio.Task[_Made]] = OrderedDict()
        self._watchers: dict[Path, asyncio.Task[None]] = {}

    async def watch_folders(self) -> None:
        """A watcher for every workspace folder, as these come and go."""
        while True:
            roots = await self._server.ask(lambda session, _: [folder.root for folder in session.folders])
            for root in self._watchers.keys() - set(roots):
                self._watchers.pop(root).cancel()
            for root in roots:
                if root not in self._watchers:
                    self._watchers[root] = self._server.spawn(self._watch(root))
            await asyncio.sleep(_LOOK)

    async def review(self, root: Path, ref: str) -> dict[str, Any]:
        """The counts of a commit's review; each commit is reviewed and told once. Raises `GitError`."""
        id_ = await asyncio.to_thread(repository_of(root).commit_id, ref)
        return (await self._told(root, [id_])).counts

    async def review_since(self, root: Path, before: str, ref: str) -> dict[str, Any] | None:
        """The same of all that was committed while HEAD came from `before` to `ref`, with their ids. Raises `GitError`."""
        repository = repository_of(root)
        now = await asyncio.to_thread(repository.commit_id, ref)
        ids = await asyncio.to_thread(history.since, repository, before or None, now)
        return {**(await self._told(root, ids)).counts, "commits": ids} if ids else None

    async def _told(self, root: Path, ids: Sequence[str]) -> _Made:
        """Review the newest of these commits, with one message of those that nobody has told. The review of the last."""
        ids, left_out = ids[-_MOST_AT_ONCE:], max(0, len(ids) - _MOST_AT_ONCE)
        # All begin before the first is awaited: two who hear of the same commits do not tell half of them each.
        news = [id_ for id_ in ids if id_ not in self._reviews]
        for id_ in news:
            self._reviews[id_] = self._server.spawn(self._review(root, id_))
        reviews = [self._reviews[id_] for id_ in ids]
        while len(self._reviews) > _MOST:
            self._reviews.popitem(last=False)
        await asyncio.wait(reviews)
        made = [task.result() for id_, task in zip(ids, reviews, strict=True) if id_ in news and not task.exception()]
        if made:
            rest = f" ({left_out} older ones were left out: closeread review COMMIT)" if left_out else ""
            kind = types.MessageType.Warning if any(one.gate for one in made) else types.MessageType.Info
            self._server.tell(f"Closeread: {log.summary([one.entry for one in made])}{rest}.", kind)
        return reviews[-1].result()

    async def show(self, made: Review) -> None:
        """Diagnostics of the files that findings were introduced in, open or not."""
        for path in dict.fromkeys(finding.location.path for finding in made.report.findings):
            found = await self._server.diagnose_file(made.root / path, Urgency.SCAN, scan=True)
            self._server.refresh.scanned(found)

    async def _review(self, root: Path, id_: str) -> _Made:
        try:
            made, kept = await self._server.ask(_job(root, _kept(id_)), Urgency.SCAN)
            await self.show(made)
            self._server.spawn(self._remark(root, id_))
            return _Made(counts(made), kept, made.gate)
        except BaseException:
            self._reviews.pop(id_, None)  # whoever asks again gets another try
            raise

    async def _remark(self, root: Path, id_: str) -> None:
        """What the model in use remarks on the functions that a commit changed, in their files; nothing of one that did not pass."""
        from closeread.model import evaluation, reviewer
        from closeread.model.question import Written
        from closeread.model.shelf import ModelProblem

        server = self._server
        model = await server.assistance.look()
        if model is None or not await asyncio.to_thread(evaluation.passed, model):
            return
        changed, _ = await server.ask(
            _job(root, lambda repository, tools: touched(repository, id_, tools.cancelled)), Urgency.SCAN
        )
        remarked: dict[Path, list[Anchored]] = {root / one.path: [] for one in changed}
        try:
            for one in reviewer.askable(changed):
                answer = await server.assistance.answer(reviewer.question(one), reviewer.VERSION)
                assert isinstance(answer, Written)
                lines = one.text.split("\n")
                for remark in reviewer.checked(one, answer):
                    if sum(map(len, remarked.values())) < reviewer.MOST:
                        text = lines[remark.line - one.line].encode()
                        said = reviewer.sentence(remark, model.name)
                        remarked[root / one.path].append(Anchored(remark.line - 1, text, remark.identifier, said))
        except ModelProblem as error:
            server.tell(f"{error}.")
        await server.remark({path: tuple(found) for path, found in remarked.items()})

    async def _watch(self, root: Path) -> None:
        """Review what is committed from now on."""
        repository = await self._repository(root)
        before = await self._look(repository)
        async for _ in _changes(repository):
            if history.is_in_series(repository):
                continue
            try:
                since, before = before, await asyncio.to_thread(history.look, repository)
                made = await asyncio.to_thread(history.committed, repository, since, before)
                if made:
                    await self._told(root, made)
            except GitError as error:
                self._server.log(f"A commit could not be reviewed: {error}", types.MessageType.Warning)

    async def _look(self, repository: Repository) -> history.Look:
        """The first look; of a repository that git cannot read, said once, the first one that can be had."""
        told = False
        while True:
            try:
                return await asyncio.to_thread(history.look, repository)
            except GitError as error:
                if not told:
                    self._server.tell(f"Closeread: commits are not seen: {error}", types.MessageType.Warning)
                told = True
                await asyncio.sleep(_AGAIN)

    @staticmethod
    async def _repository(root: Path) -> Repository:
        """The repository of a folder, when there is one. In one that is new, the first commit is news."""
        while (found := find(root)) is None:
            await asyncio.sleep(_LOOK)
        return found


def counts(made: Review) -> dict[str, Any]:
    """What a command answers."""
    return {
        "commit": made.commit.id if made.commit is not None else "",
        "findings": len(made.report.vulnerabilities),
        "remarks": len(made.report.remarks),
        "fixed": len(made.fixed),
        "files": made.report.files,
    }


def _kept(id_: str) -> Callable[[Repository, Tools], tuple[Review, dict[str, Any]]]:
    def job(repository: Repository, tools: Tools) -> tuple[Review, dict[str, Any]]:
        made = of_commit(repository, id_, tools)
        try:
            return made, log.keep(repository, made)
        except OSError as error:
            kept = log.entry(made)
            kept["subject"] += f" (the review cannot be kept: {reason(error)})"
            return made, kept

    return job


def _job(root: Path, work: Callable[[Repository, Tools], Any]) -> Callable[[Session, Callable[[], bool]], Any]:
    """Work on a repository as a job of the worker: whoever types goes first, and it begins again with what is remembered."""

    def job(session: Session, cancelled: Callable[[], bool]) -> Any:
        repository = repository_of(root)
        try:
            made = work(repository, Tools(cancelled=cancelled))
            return made if isinstance(made, tuple) else (made, None)
        except WorkCancelled:
            raise Cancelled from None
        finally:
            repository.close()

    return job


async def _changes(repository: Repository) -> AsyncIterator[None]:
    """Once after each burst of changes in the git directory."""
    from watchfiles import awatch

    heads = str(repository.common_dir / "refs")

    def matters(_: object, path: str) -> bool:
        return Path(path).name in _WATCHED or path.startswith(heads)

    while True:
        folders = _folders(repository)
        async for _ in awatch(*folders, recursive=False, debounce=int(_SETTLE * 1000), watch_filter=matters):
            yield None
            if _folders(repository) != folders:  # the first commit makes the folder of logs
                break
        else:
            return
        yield None  # what came between


def _folders(repository: Repository) -> list[Path]:
    inside = (repository.git_dir, repository.git_dir / "logs", repository.git_dir / "reftable")
    shared = (repository.common_dir / "refs" / "heads", repository.common_dir / "reftable")
    return sorted({folder for folder in (*inside, *shared) if folder.is_dir()})
