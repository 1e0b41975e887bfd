"""workspace/didChangeWorkspaceFolders: which folders are ours."""

from __future__ import annotations

from lsprotocol import types

from closeread.session import Session

from ..convert import path_of
from ..server import Server
from . import configuration


def register(server: Server) -> None:
    """Attach the handler."""

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
