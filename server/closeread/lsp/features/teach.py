"""Explanations of findings: the engine's words at once, then those of the local model as they are written.

closeread.explain [rule]        -> the rule's page in Markdown
closeread.explain [uri, line]   -> the findings on a line (counted from 0) explained, in Markdown; until the model in use has
                                   written its words, each of its sentences is a notification `closeread/explanation`
                                   {uri, line, markdown, done} with all there is so far

A hover shows what the model has written by then, and lets it begin. One explanation is written at a time: whoever looks at
another finding has no use for the last one's.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from closeread.explanation import Explanation, explain
from closeread.model import teacher
from closeread.model.question import Written
from closeread.model.shelf import ModelProblem
from closeread.session import Session
from closeread_analyzers.catalogue import builtin
from closeread_analyzers.finding import Finding

from .. import pages
from ..convert import range_in
from ..diagnosed import Diagnosed
from ..documents import Document
from ..protocol import Encoded
from ..server import Server

METHOD = "closeread/explanation"
_KEPT = 64


def register(server: Server) -> None:
    """Attach the command."""
    server.teaching = Teaching(server)

    @server.command("closeread.explain")
    async def explain_(params: types.ExecuteCommandParams) -> str:
        arguments = params.arguments or ()
        if len(arguments) == 1 and isinstance(rule := arguments[0], str):
            page = await server.ask(lambda session, cancelled: pages.rule_page(rule))
            if page is None:
                raise JsonRpcInvalidParams(f"There is no rule {rule[:80]!r}.")
            return page
        document = server.documents.get(arguments[0]) if len(arguments) == 2 and isinstance(arguments[0], str) else None
        if document is None or type(arguments[1]) is not int:
            raise JsonRpcInvalidParams("closeread.explain takes a rule's id, or an open document's URI and a line.")
        return await server.teaching.explained(document, arguments[1])


class Words:
    """What the model says of one finding, as it is written."""

    def __init__(self, explained: Explanation, name: str) -> None:
        self.lesson = teacher.lesson(explained)
        self.name = name
        self.text = ""
        self.done = False
        self.task: asyncio.Task[None] | None = None
        self.told: Callable[[], None] = lambda: None

    def markdown(self) -> str:
        """What there is of it, marked as a model's; "" where there is nothing."""
        found = teacher.sentences(self.lesson, self.text, self.done)
        if not found and self.done:
            return ""
        said = " ".join(map(pages.sentence, found)) + ("" if self.done else " …")
        return f"**In the words of {pages.escaped(self.name)}**, a model that may be wrong: {said}"


class Teaching:
    """The explanations of one server."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._words: OrderedDict[Explanation, Words] = OrderedDict()

    def words(self, explained: Explanation) -> Words | None:
        """The model's words about a finding, which it begins to write if it has not; None where no model is in use."""
        known = self._words.get(explained)
        facts = self._server.assistance.facts()
        if known is not None or facts is None or facts["state"] == "failed":
            return known
        for other in self._words.values():
            if other.task is not None and not other.done:
                other.task.cancel()
        made = self._words[explained] = Words(explained, facts["name"])
        made.task = self._server.spawn(self._write(explained, made))
        while len(self._words) > _KEPT:
            self._words.popitem(last=False)
        return made

    async def explained(self, document: Document, line: int) -> str:
        """The findings of a line explained, as a page."""
        server = self._server
        found = document.current() or await server.diagnose(document)
        here = [at for at, made in enumerate(found.diagnostics[: len(found.analysis.findings)]) if _on(made, line)]
        if not here:
            return "There is no finding on this line."
        findings = [found.analysis.findings[at] for at in here]
        made = await server.ask(lambda session, cancelled: explanations(session, found, findings))
        parts = [pages.explanation_page(one, found.root, server.documents.uri) for one in made]
        await server.assistance.look()  # it may be the first that anybody wants of the model
        words = self.words(made[0])
        if words is None:
            return _page(parts, "")

        def tell() -> None:
            params = {"uri": document.uri, "line": line, "markdown": _page(parts, words.markdown()), "done": words.done}
            server.protocol.send(Encoded.of(jsonrpc="2.0", method=METHOD, params=params))

        if not words.done:
            words.told = tell
            tell()
        if words.task is not None:
            await asyncio.wait([words.task])
        return _page(parts, words.markdown())

    async def _write(self, explained: Explanation, words: Words) -> None:
        sentences = 0

        def piece(text: str) -> None:
            nonlocal sentences
            words.text += text
            now = len(teacher.sentences(words.lesson, words.text, False))
            if now != sentences:
                sentences = now
                words.told()

        try:
            answer = await self._server.assistance.answer(words.lesson.question, teacher.VERSION, piece)
            assert isinstance(answer, Written)
            words.text, words.done = answer.text, True
            words.told()
        except ModelProblem as error:
            self._words.pop(explained, None)
            self._server.tell(f"{error}.")
            words.done = True
        except asyncio.CancelledError:
            self._words.pop(explained, None)
            words.done = True
            raise


def explanations(session: Session, found: Diagnosed, findings: list[Finding]) -> list[Explanation]:
    """The explanations of findings of one document. Runs on the worker's thread."""
    folder, _ = session.place(found.path)
    return [explain(finding, folder, builtin()) for finding in findings]


def _page(parts: list[str], words: str) -> str:
    first = [parts[0], words] if words else parts[:1]
    return "\n\n---\n\n".join(["\n\n".join(first), *parts[1:]])


def _on(made: dict[str, Any], line: int) -> bool:
    range_ = range_in(made)
    return range_.start.line <= line <= range_.end.line
