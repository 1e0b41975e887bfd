"""workspace/willRenameFiles and didRenameFiles: a setting that names a file goes with it, and so do its findings."""

from __future__ import annotations

from pathlib import Path

from lsprotocol import types

from closeread.session import CONFIG_NAMES, Session

from .. import edits
from ..convert import Text, path_of
from ..server import Server

_ALL = types.FileOperationRegistrationOptions(
    filters=[types.FileOperationFilter(pattern=types.FileOperationPattern(glob="**/*"), scheme="file")]
)


def register(server: Server) -> None:
    """Attach the handlers."""

    @server.feature(types.WORKSPACE_WILL_RENAME_FILES, _ALL)
    async def will_rename_files(params: types.RenameFilesParams) -> types.WorkspaceEdit | None:
        renamed = _paths(params)

        def look(session: Session, cancelled: object) -> list[tuple[Path, Text, list[edits.Change]]]:
            found = []
            for folder in session.folders:
                for name in sorted(CONFIG_NAMES):
                    data = folder.read(name)
                    changes = _changes(data, folder.root, renamed) if data is not None else []
                    if data is not None and changes:
                        found.append((folder.root / name, Text(data), changes))
            return found

        whole: types.WorkspaceEdit | None = None
        for path, text, changes in await server.ask(look):
            made = edits.of_file(server, path, text, changes)
            if whole is None:
                whole = made
            elif made.document_changes:
                whole.document_changes = [*(whole.document_changes or ()), *made.document_changes]
            else:
                whole.changes = {**(whole.changes or {}), **(made.changes or {})}
        return whole

    @server.feature(types.WORKSPACE_DID_RENAME_FILES, _ALL)
    def did_rename_files(params: types.RenameFilesParams) -> None:
        renamed = _paths(params)
        paths = [path for pair in renamed for path in pair]

        def note(session: Session) -> None:
            for path in paths:
                session.changed_on_disk(path)

        server.change("noting renamed files", note)
        server.refresh.gone([old for old, _ in renamed])
        server.refresh.elsewhere(*paths)


def _paths(params: types.RenameFilesParams) -> list[tuple[Path, Path]]:
    found = [(path_of(file.old_uri), path_of(file.new_uri)) for file in params.files]
    return [(old, new) for old, new in found if old is not None and new is not None]


def _changes(data: bytes, root: Path, renamed: list[tuple[Path, Path]]) -> list[edits.Change]:
    """The quoted names of the files in a settings file, anchored or not."""
    found: list[edits.Change] = []
    for old, new in renamed:
        if not old.is_relative_to(root) or not new.is_relative_to(root):
            continue
        before, after = (path.relative_to(root).as_posix() for path in (old, new))
        for slash in ("", "/"):
            quoted = f'"{slash}{before}"'.encode()
            at = data.find(quoted)
            while at >= 0:
                found.append((at, at + len(quoted), f'"{slash}{after}"'))
                at = data.find(quoted, at + 1)
    return sorted(found)
