"""Commits: seen however they are made, reviewed once each, told in one message.

closeread.reviewCommit [commit]    -> {commit, findings, remarks, fixed, files} of HEAD, or of the commit that is named; null
                                      where there is no repository
closeread.scanStaged               -> the same of what is staged; `commit` is ""

The git directory of every workspace folder is watched (its index, HEAD and message change with every commit, amend,
cherry-pick and rebase, in linked work trees and submodules too); what HEAD then is decides. The reflog's last word tells
a commit from a checkout; without one (`core.logAllRefUpdates=false`, reftable) a commit is what has the former HEAD, or
that one's parent, for its parent. A repository that is made later is noticed.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from closeread import log
from closeread.platform_ import reason
from closeread.results import Tools
from closeread.review import Review, of_commit, of_staged, repository_of
from closeread.session import Cancelled, Session
from closeread.work import Cancelled as WorkCancelled
from closeread.workspace.git import GitError, Repository, find

from ..server import Server
from ..worker import Urgency

_LOOK = 2.0
"""Seconds between looks for a repository where there was none."""
_SETTLE = 0.2
"""Seconds in which the many writes of one commit come to rest."""
_MOST = 200

_CHECKOUTS = ("checkout", "reset", "clone", "branch", "pull", "fetch", "rebase (start)")


def register(server: Server) -> None:
    """Attach the commands, and watch once the client is ready."""
    reviews = Reviews(server)

    @server.command("closeread.reviewCommit")
    async def review_commit(params: types.ExecuteCommandParams) -> dict[str, Any] | None:
        arguments = params.arguments or ()
        if len(arguments) > 1 or not all(one is None or isinstance(one, str) for one in arguments):
            raise JsonRpcInvalidParams("closeread.reviewCommit takes at most one argument, a commit.")
        ref = (arguments[0] if arguments else None) or "HEAD"
        for root in await server.ask(lambda session, _: [folder.root for folder in session.folders]):
            if find(root) is not None:
                try:
                    return await reviews.review(root, ref)
                except GitError as error:
                    raise JsonRpcInvalidParams(str(error)) from None
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


class Reviews:
    """What was reviewed, and the watchers of the folders."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._made: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._running: dict[str, asyncio.Task[dict[str, Any]]] = {}
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
        repository = repository_of(root)
        id_ = await asyncio.to_thread(repository.commit_id, ref)
        if id_ not in self._made:
            task = self._running.get(id_)
            if task is None:
                task = self._running[id_] = self._server.spawn(self._review(root, id_))
            await asyncio.shield(task)
        return self._made[id_]

    async def show(self, made: Review) -> None:
        """Diagnostics of the files that findings were introduced in, open or not."""
        for path in dict.fromkeys(finding.location.path for finding in made.report.findings):
            found = await self._server.diagnose_file(made.root / path, Urgency.SCAN, scan=True)
            self._server.refresh.scanned(found)

    async def _review(self, root: Path, id_: str) -> dict[str, Any]:
        try:
            made, kept = await self._server.ask(_job(root, _kept(id_)), Urgency.SCAN)
            self._made[id_] = counts(made)
            while len(self._made) > _MOST:
                self._made.popitem(last=False)
            await self.show(made)
            kind = types.MessageType.Warning if made.gate else types.MessageType.Info
            self._server.tell(f"Closeread: {log.sentence(kept)}.", kind)
            return self._made[id_]
        finally:
            self._running.pop(id_, None)

    async def _watch(self, root: Path) -> None:
        """Review what becomes HEAD from now on."""
        repository = await self._repository(root)
        head = await asyncio.to_thread(repository.head)
        async for _ in _changes(repository):
            now = await asyncio.to_thread(repository.head)
            if now is None or now == head:
                continue
            before, head = head, now
            try:
                if await asyncio.to_thread(_is_commit, repository, before, now):
                    await self.review(root, now)
            except GitError as error:
                self._server.log(f"A commit could not be reviewed: {error}", types.MessageType.Warning)

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


async def _changes(repository: Repository) -> Any:
    """Once after each burst of changes in the git directory."""
    from watchfiles import awatch

    names = {"HEAD", "ORIG_HEAD", "COMMIT_EDITMSG", "index", "packed-refs", "tables.list"}
    folders = {repository.git_dir, repository.git_dir / "logs", repository.git_dir / "reftable"}
    folders |= {repository.common_dir / "refs" / "heads", repository.common_dir / "reftable"}
    heads = str(repository.common_dir / "refs")

    def matters(_: object, path: str) -> bool:
        return Path(path).name in names or path.startswith(heads)

    watched = [folder for folder in folders if folder.is_dir()]
    async for _ in awatch(*watched, recursive=False, debounce=int(_SETTLE * 1000), watch_filter=matters):
        yield None


def _is_commit(repository: Repository, before: str | None, now: str) -> bool:
    """Whether a new HEAD was committed here, and not only gone to."""
    word = _last_word(repository.git_dir / "logs" / "HEAD", now)
    if word:
        return not word.startswith(_CHECKOUTS)
    parents = repository.commit(now).parents
    repository.close()
    if before is None:
        return True
    older = repository.commit(before).parents
    repository.close()
    return before in parents or parents == older


def _last_word(file: Path, now: str) -> str:
    """What the reflog says of the step to `now`; "" where it says nothing."""
    try:
        with file.open("rb") as log_file:
            log_file.seek(max(0, file.stat().st_size - 8192))
            lines = log_file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return ""
    last = lines[-1] if lines else ""
    head, _, word = last.partition("\t")
    return word if head.split(" ")[1:2] == [now] else ""
