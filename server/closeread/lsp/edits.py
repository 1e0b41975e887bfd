"""Workspace edits in the form that this client understands."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lsprotocol import types

from .convert import Text

if TYPE_CHECKING:
    from .server import Server

Change = tuple[int, int, str]
"""Start byte, end byte, new text."""


def resolves(server: Server) -> bool:
    """Whether the client asks for an action's edit when it is chosen."""
    documents = server.client_capabilities.text_document
    action = documents.code_action if documents is not None else None
    return bool(action and action.resolve_support and "edit" in action.resolve_support.properties)


def confirms(server: Server) -> bool:
    """Whether the client shows an edit that wants to be confirmed before it makes it."""
    workspace = server.client_capabilities.workspace
    can = workspace.workspace_edit if workspace is not None else None
    return bool(can is not None and can.document_changes and can.change_annotation_support)


def to_be_confirmed(edit: types.WorkspaceEdit, label: str, description: str) -> types.WorkspaceEdit:
    """An edit of documents that its user is to see before it is made."""
    for change in edit.document_changes or ():
        if isinstance(change, types.TextDocumentEdit):
            change.edits = [
                types.AnnotatedTextEdit(annotation_id=label, range=one.range, new_text=one.new_text)
                for one in change.edits
                if isinstance(one, types.TextEdit)
            ]
    edit.change_annotations = {label: types.ChangeAnnotation(label, needs_confirmation=True, description=description)}
    return edit


def of_file(server: Server, path: Path, text: Text, changes: Iterable[Change]) -> types.WorkspaceEdit:
    """Changes of one file, open or not."""
    document = server.documents.at(path)
    uri = server.documents.uri(path)
    made = [types.TextEdit(text.range(start, end, server.encoding), new) for start, end, new in changes]
    if _versioned(server):
        version = document.version if document is not None else None
        identity = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identity, list(made))])
    return types.WorkspaceEdit(changes={uri: made})


def of_new_file(server: Server, path: Path, text: str) -> types.WorkspaceEdit | None:
    """A new file; None where the client cannot make one."""
    workspace = server.client_capabilities.workspace
    can = workspace.workspace_edit if workspace is not None else None
    if (
        can is None
        or types.ResourceOperationKind.Create not in (can.resource_operations or ())
        or not _versioned(server)
    ):
        return None
    uri = server.documents.uri(path)
    start = types.Position(0, 0)
    identity = types.OptionalVersionedTextDocumentIdentifier(uri=uri, version=None)
    edit = types.TextDocumentEdit(identity, [types.TextEdit(types.Range(start, start), text)])
    create = types.CreateFile(uri=uri, options=types.CreateFileOptions(ignore_if_exists=True))
    return types.WorkspaceEdit(document_changes=[create, edit])


def _versioned(server: Server) -> bool:
    workspace = server.client_capabilities.workspace
    edits = workspace.workspace_edit if workspace is not None else None
    return bool(edits is not None and edits.document_changes)
