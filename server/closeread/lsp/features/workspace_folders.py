"""workspace/didChangeWorkspaceFolders and didChangeWatchedFiles: what is on disk, and which of it is ours."""

from __future__ import annotations

from lsprotocol import types

from closeread.session import CONFIG_NAMES, Session

from ..convert import path_of
from ..server import Server
from . import configuration


def register(server: Server) -> None:
    """Attach the handlers."""

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    async def did_change_workspace_folders(params: types.DidChangeWorkspaceFoldersParams) -> None:
        removed = [root for folder in params.event.removed if (root := path_of(folder.uri)) is not None]
        added = [root for folder in params.event.added if (root := path_of(folder.uri)) is not None]

        def move(session: Session) -> None:
            for root in removed:
                session.remove_folder(root)
            for root in added:
                session.add_folder(root)

        server.change("changing the workspace's folders", move)
        server.refresh.gone(removed)
        workspace = server.client_capabilities.workspace
        if workspace is not None and workspace.configuration:
            await configuration.pull(server)
        else:
            server.refresh.everything()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def did_change_watched_files(params: types.DidChangeWatchedFilesParams) -> None:
        paths = [path for event in params.changes if (path := path_of(event.uri)) is not None]
        gone = [
            path
            for event in params.changes
            if event.type == types.FileChangeType.Deleted and (path := path_of(event.uri)) is not None
        ]
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
