"""initialize, initialized, shutdown; and the end of a server whose client has died."""

from __future__ import annotations

import asyncio

from lsprotocol import types

from closeread.session import Session

from ..convert import path_of
from ..parent import is_alive
from ..server import Server, leave
from ..worker import Urgency
from . import configuration

_PARENT_POLL = 2.0


def register(server: Server) -> None:
    """Attach the handlers."""

    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        folders = [folder.uri for folder in params.workspace_folders or []]
        if not folders and server.workspace.root_uri:
            folders = [server.workspace.root_uri]
        roots = [root for root in map(path_of, folders) if root is not None]
        if not server.pulls:  # it would show everything twice
            for method in (types.TEXT_DOCUMENT_DIAGNOSTIC, types.WORKSPACE_DIAGNOSTIC):
                server.protocol.fm.features.pop(method, None)
        server.protocol.trace = params.trace or types.TraceValue.Off
        settings = dict(configuration.settings_in(params.initialization_options))
        server.inlay_hints = settings.pop(configuration.INLAY_HINTS, False) is True

        def begin(session: Session) -> None:
            session.configure(settings)
            for root in roots:
                session.add_folder(root)

        server.change("opening the workspace", begin)
        if params.process_id is not None and is_alive(params.process_id):
            server.spawn(_watch_parent(server, params.process_id))

    @server.feature(types.INITIALIZED)
    async def initialized(params: types.InitializedParams) -> None:
        server.change("reading the rules", lambda session: session.prepare())
        server.spawn(_begin(server))
        workspace = server.client_capabilities.workspace
        if workspace is not None and workspace.configuration:
            await configuration.pull(server)
        else:
            server.refresh.everything()

    @server.feature(types.SHUTDOWN)
    def shutdown(params: None) -> None:
        for document in server.documents.all():
            if document.refresh is not None:
                document.refresh.cancel()


async def _begin(server: Server) -> None:
    """What features begin with, once what the client opens first is shown: it takes as long, and nobody waits for it."""
    await server.ask(lambda session, cancelled: None, Urgency.SCAN)
    for begin in server.ready:
        begin()


async def _watch_parent(server: Server, process: int) -> None:
    while is_alive(process):
        await asyncio.sleep(_PARENT_POLL)
    leave(server.exit_code)
