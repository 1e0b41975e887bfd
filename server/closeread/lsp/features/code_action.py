"""textDocument/codeAction: "suppress with a comment". Never the preferred fix: the finding is hidden, not gone."""

from __future__ import annotations

from lsprotocol import types

from closeread.session import Session
from closeread_analyzers.finding import Finding

from .. import suppression
from ..convert import Text, Wire, range_in
from ..documents import Document
from ..server import Server


def register(server: Server) -> None:
    """Attach the handler."""
    options = types.CodeActionOptions(code_action_kinds=[types.CodeActionKind.QuickFix])

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def code_action(params: types.CodeActionParams) -> list[types.CodeAction]:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source or not _wanted(params.context.only):
            return []
        found = document.current() or await server.diagnose(document)
        text = document.text
        here = [
            (finding, made)
            for finding, made in zip(found.analysis.findings, found.diagnostics, strict=False)
            if _meet(range_in(made), params.range)
        ]

        def make(session: Session, cancelled: object) -> list[types.CodeAction]:
            made = (_suppress(server, document, text, finding, diagnostic) for finding, diagnostic in here)
            return [action for action in made if action is not None]

        return await server.ask(make) if here else []


def _wanted(only: object) -> bool:
    if not isinstance(only, list | tuple):
        return True
    kinds = [kind.value if isinstance(kind, types.CodeActionKind) else str(kind) for kind in only]
    return any(kind in ("", "quickfix") for kind in kinds)


def _suppress(
    server: Server, document: Document, text: Text, finding: Finding, diagnostic: Wire
) -> types.CodeAction | None:
    edit = suppression.edit(
        text.data, document.path.name, text.offset_of_location(finding.location.start_line, 0), finding.rule
    )
    if edit is None:
        return None
    start, end, inserted = edit
    change = types.TextEdit(text.range(start, end, server.encoding), inserted)
    return types.CodeAction(
        title=f"Suppress {finding.rule} with a comment",
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[server.protocol.structured(diagnostic, types.Diagnostic)],
        is_preferred=False,
        edit=_workspace_edit(server, document, change),
    )


def _workspace_edit(server: Server, document: Document, change: types.TextEdit) -> types.WorkspaceEdit:
    workspace = server.client_capabilities.workspace
    edits = workspace.workspace_edit if workspace is not None else None
    if edits is not None and edits.document_changes:
        identity = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
        return types.WorkspaceEdit(document_changes=[types.TextDocumentEdit(identity, [change])])
    return types.WorkspaceEdit(changes={document.uri: [change]})


def _meet(one: types.Range, other: types.Range) -> bool:
    def key(position: types.Position) -> tuple[int, int]:
        return position.line, position.character

    return key(one.start) <= key(other.end) and key(other.start) <= key(one.end)
