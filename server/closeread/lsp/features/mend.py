"""The code action "Propose a fix": what the local model writes for a finding that no rule can mend, and the checks accept.

Offered where a model is in use and the client asks for an edit when an action is chosen; then the model is asked, up to three
times, with a bar that can be cancelled. Nothing is changed before the user has seen it: where the client can ask for an
edit's confirmation it shows it as a diff, elsewhere the diff is shown as a message to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lsprotocol import types

from closeread.model.question import Written
from closeread.model.shelf import ModelProblem
from closeread.session import Session
from closeread_analyzers.finding import Finding, Fix
from closeread_analyzers.pipeline import Project

from .. import edits
from ..convert import Wire
from ..documents import Document
from ..progress import progress
from ..server import Server

MARK = "proposal"
_APPLY = "Apply"
_UNCHECKED = (
    "The finding is gone and nothing new appeared; whether the program still does what it should, only you can tell."
)


def register(server: Server) -> None:
    """Make the server's proposals."""
    server.proposals = Proposals(server)


class Proposals:
    """What `code_action.py` adds for findings without a fix of a rule's own."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def offered(self, document: Document, unmended: Iterable[tuple[Finding, Wire]]) -> list[types.CodeAction]:
        """An action for each finding inside a function; their edits are worked out when they are chosen."""
        facts = self._server.assistance.facts()
        if facts is None or not facts["name"] or not edits.resolves(self._server):
            return []
        return [
            types.CodeAction(
                title=f"Propose a fix for {finding.rule} ({facts['name']})",
                kind=types.CodeActionKind.QuickFix,
                diagnostics=[self._server.protocol.structured(wire, types.Diagnostic)],
                is_preferred=False,
                data={MARK: finding.fingerprint, "uri": document.uri, "revision": document.revision},
            )
            for finding, wire in unmended
            if finding.function
        ]

    async def resolved(self, action: types.CodeAction, document: Document) -> types.CodeAction:
        """The action with its edit, or without one: then the reason was told."""
        server = self._server
        data: Any = action.data
        found = document.current() or await server.diagnose(document)
        findings = [one for one in found.analysis.findings if one.fingerprint == data[MARK]]
        if not findings or document.revision != data.get("revision"):
            return action
        name = (server.assistance.facts() or {}).get("name", "")
        try:
            made = await self._proposed(document, findings[0])
        except ModelProblem as error:
            server.tell(f"{error}.")
            return action
        if isinstance(made, str):
            server.tell(f"No proposal of {name} was accepted for {findings[0].rule}: {made}.", types.MessageType.Info)
        elif document.revision != data["revision"]:
            server.tell("The text has changed while a fix was written; ask again.", types.MessageType.Info)
        else:
            action.edit = await self._confirmed(document, made, name)
        return action

    async def _proposed(self, document: Document, finding: Finding) -> Fix | str:
        """A fix that the checks accept, or why there is none."""
        server, path = self._server, document.path
        from closeread.model import mender

        refused: list[str] = []
        async with progress(server, f"Closeread: a fix for {finding.rule}", None) as bar:
            asked = await server.ask(
                lambda session, cancelled: mender.attempts(_project(session, document), finding, cancelled)
            )
            for number, attempt in enumerate(asked):
                bar.report(f"candidate {number + 1} of {len(asked)}", number, len(asked))
                answer = await server.assistance.answer(attempt.question, mender.VERSION)
                assert isinstance(answer, Written)

                def check(
                    session: Session, cancelled: Callable[[], bool], attempt: Any = attempt, answer: Written = answer
                ) -> Fix | str:
                    return mender.checked(_project(session, document), finding, attempt, answer, cancelled)

                made = await server.ask(check)
                if isinstance(made, Fix):
                    bar.end(f"a fix for {path.name}")
                    return made
                refused.append(f"{number + 1}. {made}")
            bar.end("nothing was accepted")
        return "; ".join(refused)

    async def _confirmed(self, document: Document, fix: Fix, name: str) -> types.WorkspaceEdit | None:
        """The edit, for the client to have confirmed or confirmed already; None where the user does not want it."""
        server, text = self._server, document.text
        edit = edits.of_file(server, document.path, text, [(one.start, one.end, one.text) for one in fix.edits])
        if edits.confirms(server):
            return edits.to_be_confirmed(edit, f"Proposed by {name}", _UNCHECKED)
        from closeread import mending

        patch = mending.difference(fix, text.data)
        answer = await server.window_show_message_request_async(
            types.ShowMessageRequestParams(
                type=types.MessageType.Info,
                message=f"Proposed by {name}. {_UNCHECKED}\n\n{patch}",
                actions=[types.MessageActionItem(_APPLY), types.MessageActionItem("Discard")],
            )
        )
        return edit if answer is not None and answer.title == _APPLY else None


def _project(session: Session, document: Document) -> Project:
    project = session.project(document.path)
    assert isinstance(project, Project)  # others find nothing that has a function
    return project
