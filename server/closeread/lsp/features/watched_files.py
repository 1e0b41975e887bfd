"""workspace/didChangeWatchedFiles: what other programs do to files. The client is asked to watch; where it cannot be asked, we do."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from lsprotocol import types

from closeread.platform_ import reason
from closeread.session import CONFIG_NAMES, Session
from closeread_analyzers.languages import language_of, patterns

from ..convert import path_of
from ..server import Server
from ..worker import Urgency

_LOOK = 2000
"""Milliseconds between looks at which folders there are."""
_SETTLE = 200
"""Milliseconds in which the many writes of a checkout come to rest."""


def register(server: Server) -> None:
    """Attach the handler, and see to it that somebody watches."""

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        events = [(path, event.type) for event in params.changes if (path := path_of(event.uri)) is not None]
        changed(
            server,
            [path for path, _ in events],
            [path for path, kind in events if kind == types.FileChangeType.Deleted],
        )

    server.ready.append(lambda: server.spawn(_begin(server)))


def changed(server: Server, paths: Sequence[Path], gone: Sequence[Path]) -> None:
    """Files were written, made or removed; those in `gone` are no more."""
    rules = any(path.name in CONFIG_NAMES or path.name == ".gitignore" for path in paths)

    def note(session: Session) -> None:
        for path in paths:
            session.changed_on_disk(path)
        if rules:
            session.reload()

    server.change("noting changes on disk", note)
    server.refresh.gone(gone)
    if rules:
        server.refresh.everything()
    else:
        server.refresh.elsewhere(*paths)


async def _begin(server: Server) -> None:
    workspace = server.client_capabilities.workspace
    watches = workspace.did_change_watched_files if workspace is not None else None
    if watches is not None and watches.dynamic_registration:
        await server.client_register_capability_async(types.RegistrationParams([await _registration(server)]))
        return
    await asyncio.to_thread(_import)  # which takes longer than a frame
    while True:
        roots = await _roots(server)
        try:
            await _watch(server, roots)
        except OSError as error:
            server.tell(f"Closeread does not see what other programs do to files ({reason(error)}).")
            return


def _import() -> None:
    import anyio
    import watchfiles  # noqa: F401

    anyio.run(anyio.sleep, 0)  # anyio reads what it needs of asyncio's when it first runs


async def _registration(server: Server) -> types.Registration:
    known = await server.ask(lambda session, _: patterns())
    globs = [*known, "**/{closeread.toml,pyproject.toml,.gitignore}"]
    options = types.DidChangeWatchedFilesRegistrationOptions([types.FileSystemWatcher(glob) for glob in globs])
    return types.Registration("closeread-files", types.WORKSPACE_DID_CHANGE_WATCHED_FILES, options)


async def _roots(server: Server) -> list[Path]:
    return await server.ask(
        lambda session, _: [folder.root for folder in session.folders if folder.root.is_dir()], Urgency.EDIT
    )


async def _watch(server: Server, roots: list[Path]) -> None:
    """Until there are other folders. Raises OSError."""
    from watchfiles import Change, awatch

    async for changes in awatch(
        *roots,
        watch_filter=_matters,
        debounce=_SETTLE,
        rust_timeout=_LOOK,
        yield_on_timeout=True,
        ignore_permission_denied=True,
    ):
        if changes:
            kinds = {Path(path): kind for kind, path in changes}
            changed(server, sorted(kinds), [path for path in sorted(kinds) if kinds[path] is Change.deleted])
        elif await _roots(server) != roots:
            return


def _matters(_: object, path: str) -> bool:
    """Whether we read such a file. Git's own, and what other tools keep hidden, are none of our business."""
    name = Path(path).name
    return (language_of(name) is not None and "/.git/" not in path) or name in CONFIG_NAMES or name == ".gitignore"
