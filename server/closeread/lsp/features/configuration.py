"""Settings from the client: sent with `initialize`, pushed with didChangeConfiguration, or asked for.

They lie over those of the folder's own file, key by key. A client that answers workspace/configuration is asked
for each folder; one that does not is believed in what it pushes.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lsprotocol import types

from closeread.session import Session

from ..convert import path_of
from ..server import Server

SECTION = "closeread"
INLAY_HINTS = "inlayHints"
"""The one setting that is about the editor alone: whether data on its way is marked in the text."""

# What an editor's own plug-in keeps in the same section: how to start us, not what to look for.
_EDITORS_OWN = frozenset(
    {"args", "cwd", "enable", "importStrategy", "interpreter", "logLevel", "path", "showNotifications", "trace"}
)


def register(server: Server) -> None:
    """Attach the handler."""

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    async def did_change_configuration(params: types.DidChangeConfigurationParams) -> None:
        workspace = server.client_capabilities.workspace
        if workspace is not None and workspace.configuration:
            await pull(server)
        else:
            apply(server, {None: settings_in(params.settings)})


def settings_in(sent: Any) -> Mapping[str, Any]:
    """The settings in what a client sends: bare, or under `closeread`, or under `settings`."""
    plain = _plain(sent)
    for key in (SECTION, "settings"):
        if isinstance(plain, dict) and isinstance(plain.get(key), dict):
            return settings_in(plain[key])
    if not isinstance(plain, dict):
        return {}
    return {key: value for key, value in plain.items() if value is not None and key not in _EDITORS_OWN}


def _plain(sent: Any) -> Any:
    """The library makes named tuples of objects it does not know."""
    if hasattr(sent, "_asdict"):
        sent = sent._asdict()
    return {str(key): value for key, value in sent.items()} if isinstance(sent, Mapping) else sent


def apply(server: Server, settings: Mapping[Path | None, Mapping[str, Any]]) -> None:
    """Use these settings; None stands for wherever there are none of its own."""
    inlay_hints = any(one.get(INLAY_HINTS) is True for one in settings.values())
    settings = {root: {key: one[key] for key in one if key != INLAY_HINTS} for root, one in settings.items()}
    if inlay_hints != server.inlay_hints:
        server.inlay_hints = inlay_hints
        workspace = server.client_capabilities.workspace
        if workspace is not None and workspace.inlay_hint is not None and workspace.inlay_hint.refresh_support:
            server.workspace_inlay_hint_refresh(None)

    def configure(session: Session) -> None:
        for root, editor in settings.items():
            session.configure(editor, root)

    server.change("applying the settings", configure)
    server.refresh.everything()


async def pull(server: Server) -> None:
    """Ask the client for the settings of every folder."""
    folders = list(server.workspace.folders.values())
    items = [types.ConfigurationItem(section=SECTION)]
    items += [types.ConfigurationItem(scope_uri=folder.uri, section=SECTION) for folder in folders]
    try:
        answers = await server.workspace_configuration_async(types.ConfigurationParams(items=items))
    except Exception as error:
        server.log(f"The client has no settings for us: {error}", types.MessageType.Warning)
        return
    roots: list[Path | None] = [None, *(path_of(folder.uri) for folder in folders)]
    found = {
        root: settings_in(answer)
        for place, (root, answer) in enumerate(zip(roots, answers or [], strict=False))
        if place == 0 or root is not None
    }
    apply(server, found)
