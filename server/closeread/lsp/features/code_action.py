"""textDocument/codeAction and codeAction/resolve: fixes, and the three ways to say that a finding is not one.

A fix was verified when it is offered, and so is preferred where it changes nothing else. Suppressing is never preferred:
the finding is hidden, not gone. "Fix all" is worked out when it is chosen, where the client can wait for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from itertools import islice
from typing import Any

from lsprotocol import types

from closeread.session import CONFIG_NAMES, Session
from closeread_analyzers.catalogue import builtin
from closeread_analyzers.finding import Finding, Fix, inferred_in
from closeread_analyzers.languages import Tree

from .. import confirmation, edits, suppression
from ..convert import Text, Wire
from ..diagnosed import Diagnosed
from ..documents import Document
from ..protocol import NOTHING, Encoded
from ..server import Server
from .mend import MARK

FIX_ALL = "source.fixAll.closeread"
_MOST = 50
"""Findings that actions are offered for: nobody reads a longer list."""


def register(server: Server) -> None:
    """Attach the handlers."""
    options = types.CodeActionOptions(
        code_action_kinds=[types.CodeActionKind.QuickFix, FIX_ALL], resolve_provider=True, work_done_progress=False
    )

    @server.feature(types.TEXT_DOCUMENT_CODE_ACTION, options)
    async def code_action(params: types.CodeActionParams) -> Encoded:
        document = server.documents.get(params.text_document.uri)
        if document is None or not document.is_source:
            return NOTHING
        found = document.current() or await server.diagnose(document)
        actions, only = Actions(server, document, found), params.context.only

        def look(session: Session, cancelled: Callable[[], bool]) -> Encoded:
            made: list[types.CodeAction] = []
            if wanted(only, types.CodeActionKind.QuickFix):
                quick = actions.quick(session, params.range, cancelled)
                made += [*server.proposals.offered(document, actions.unmended), *quick]
            if only and wanted(only, FIX_ALL):
                made += actions.everything(session, cancelled)
            return server.protocol.encoded(made)

        kinds = tuple(map(str, only)) if only else None
        at = params.range
        asked = ("actions", kinds, at.start.line, at.start.character, at.end.line, at.end.character)
        return await server.once(document, asked, look)

    @server.feature(types.CODE_ACTION_RESOLVE)
    async def resolve(action: types.CodeAction) -> types.CodeAction | Encoded:
        data: Any = action.data if isinstance(action.data, dict) else {}
        document = server.documents.get(str(data.get("uri", "")))
        if action.edit is not None or document is None:
            return action
        if MARK in data:
            return await server.proposals.resolved(action, document)
        found = document.current() or await server.diagnose(document)
        if document.revision == data.get("revision"):
            actions = Actions(server, document, found)
            chosen = {str(one) for one in data.get("fingerprints", ())}

            def work_out(session: Session, cancelled: Callable[[], bool]) -> Encoded:
                action.edit = actions.all_edit(session, chosen, cancelled)
                return server.protocol.encoded(action)

            return await server.ask(work_out)
        return action


def wanted(only: Iterable[types.CodeActionKind | str] | None, offered: str) -> bool:
    """Whether a client that asks for these kinds alone wants to see one of `offered`."""
    if only is None or isinstance(only, str):
        return True
    kinds = [kind.value if isinstance(kind, types.CodeActionKind) else str(kind) for kind in only]
    return any(kind == "" or offered == kind or offered.startswith(f"{kind}.") for kind in kinds)


class Actions:
    """What can be done about the findings of a document. Its methods run on the worker's thread."""

    def __init__(self, server: Server, document: Document, found: Diagnosed) -> None:
        self.server = server
        self.document = document
        self.found = found
        self.text = document.text
        self.revision = document.revision
        self.unmended: list[tuple[Finding, Wire]] = []
        """Of the findings that were looked at, those that no rule can mend."""

    def quick(self, session: Session, range_: types.Range, cancelled: Callable[[], bool]) -> list[types.CodeAction]:
        """Fixes first, then "all of this rule", then the suppressions; of the first findings where there are very many."""
        diagnosed = zip(self.found.analysis.findings, self.found.diagnostics, strict=False)
        findings = list(islice((one for one in diagnosed if _meets(one[1], range_)), _MOST))
        made: list[types.CodeAction] = []
        self.unmended = []
        for finding, wire in findings:
            fix = session.fix(self.document.path, finding, cancelled)
            if fix is None:
                self.unmended.append((finding, wire))
                continue
            edit = self._edit(session, fix)
            if edit is not None:
                made.append(self._action(fix.title, edit, wire, preferred=fix.safe))
                alike = [one for one in self.found.analysis.findings if one.rule == finding.rule]
                if len(alike) > 1:
                    made.append(self._all(session, f"{fix.title}: all of {finding.rule} in this file", alike, wire))
        for finding, wire in findings:
            made += self._confirmations(session, finding, wire)
            made += self._suppressions(session, finding, wire)
        return made

    def everything(self, session: Session, cancelled: Callable[[], bool]) -> list[types.CodeAction]:
        """`source.fixAll.closeread`: what an editor may do on saving, and so only what changes nothing else."""
        rules = builtin().rules
        safe = [
            finding
            for finding in self.found.analysis.findings
            if (rule := rules.get(finding.rule)) is not None and rule.mend is not None and rule.mend.safe
        ]
        edit = self.all_edit(session, {finding.fingerprint for finding in safe}, cancelled) if safe else None
        if edit is None:
            return []
        return [types.CodeAction(title="Fix all that Closeread can fix safely", kind=FIX_ALL, edit=edit)]

    def all_edit(self, session: Session, chosen: set[str], cancelled: Callable[[], bool]) -> types.WorkspaceEdit | None:
        """The edit that mends as many of the chosen findings as go together."""
        findings = [finding for finding in self.found.analysis.findings if finding.fingerprint in chosen]
        fix = session.fix_all(self.document.path, findings, cancelled)
        return self._edit(session, fix) if fix is not None else None

    def _all(self, session: Session, title: str, findings: list[Finding], wire: Wire) -> types.CodeAction:
        action = self._action(title, None, wire, preferred=False)
        chosen = [finding.fingerprint for finding in findings]
        if edits.resolves(self.server):
            action.data = {"uri": self.document.uri, "revision": self.revision, "fingerprints": chosen}
        else:
            action.edit = self.all_edit(session, set(chosen), lambda: False)
        return action

    def _suppressions(self, session: Session, finding: Finding, wire: Wire) -> Iterable[types.CodeAction]:
        name, rule, text = self.document.path.name, finding.rule, self.text
        start = text.offset_of_location(finding.location.start_line, 0)
        if (change := suppression.edit(text.data, name, start, rule, self._tree)) is not None:
            yield self._action(f"Suppress {rule} with a comment", self._own(change), wire, preferred=False)
        if (change := suppression.whole_file(text.data, name, rule, self._tree)) is not None:
            yield self._action(f"Suppress {rule} in this file", self._own(change), wire, preferred=False)
        edit = self._settings(session, rule)
        if edit is not None:
            yield self._action(f"Switch {rule} off in the project's settings", edit, wire, preferred=False)

    @cached_property
    def _tree(self) -> Tree | None:
        return suppression.tree_of(self.text.data, self.document.path.name)

    def _confirmations(self, session: Session, finding: Finding, wire: Wire) -> Iterable[types.CodeAction]:
        folder, _ = session.place(self.document.path)
        for api in inferred_in(finding) if folder.only is None else ():
            # closeread.toml wins over pyproject.toml, so an entry in the latter would be without effect beside it.
            name = next((name for name in sorted(CONFIG_NAMES) if folder.read(name) is not None), "closeread.toml")
            data = folder.read(name)
            change = confirmation.addition(data or b"", api, name)
            if change is None:
                continue
            if data is None:
                edit = edits.of_new_file(self.server, folder.root / name, change[2])
            else:
                edit = edits.of_file(self.server, folder.root / name, Text(data), [change])
            if edit is not None:
                what = (
                    f"argument {api.argument} of {api.call} is {api.kind}"
                    if api.argument
                    else f"{api.call} gives {api.kind} data"
                )
                yield self._action(f"Confirm that {what} (in {name})", edit, wire, preferred=False)

    def _settings(self, session: Session, rule: str) -> types.WorkspaceEdit | None:
        folder, _ = session.place(self.document.path)
        if folder.only is not None:
            return None
        for name in sorted(CONFIG_NAMES):  # closeread.toml wins over pyproject.toml
            data = folder.read(name)
            if data is None:
                continue
            change = suppression.in_settings(data, rule, own=name != "pyproject.toml")
            if change is not None:
                return edits.of_file(self.server, folder.root / name, Text(data), [change])
            if name != "pyproject.toml":
                return None
        made = suppression.in_settings(b"", rule, own=True)
        return edits.of_new_file(self.server, folder.root / "closeread.toml", made[2]) if made is not None else None

    def _edit(self, session: Session, fix: Fix) -> types.WorkspaceEdit | None:
        folder, _ = session.place(self.document.path)
        path = folder.root / fix.path
        data = self.text.data if path == self.document.path else folder.read(fix.path)
        changes = [(edit.start, edit.end, edit.text) for edit in fix.edits]
        return None if data is None else edits.of_file(self.server, path, Text(data), changes)

    def _own(self, change: tuple[int, int, str]) -> types.WorkspaceEdit:
        return edits.of_file(self.server, self.document.path, self.text, [change])

    def _action(self, title: str, edit: types.WorkspaceEdit | None, wire: Wire, *, preferred: bool) -> types.CodeAction:
        return types.CodeAction(
            title=title,
            kind=types.CodeActionKind.QuickFix,
            diagnostics=[self.server.protocol.structured(wire, types.Diagnostic)],
            is_preferred=preferred,
            edit=edit,
        )


def _meets(made: Wire, range_: types.Range) -> bool:
    start, end = made["range"]["start"], made["range"]["end"]
    first, last = range_.start, range_.end
    begins_before = (start["line"], start["character"]) <= (last.line, last.character)
    return begins_before and (first.line, first.character) <= (end["line"], end["character"])
