"""The model in use, as the editor's server has it: asked from the event loop, which never waits for it.

Which model that is, is read from the user's data folder on a thread: at the start, and whenever something is to be asked.
The process starts with the first question; while somebody types it rests. What goes wrong is one message, and everything
else goes on. Deliberately absent: what is asked (`features/teach.py`, `features/mend.py`).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from closeread.model.assistant import Assistant
from closeread.model.process import Cancelled, ModelProcess, Pending
from closeread.model.shelf import CONTEXT, Model, ModelProblem, Served, Shelf, header

if TYPE_CHECKING:
    from closeread.model.question import Answer, Question

    from .server import Server

REST_SECONDS = 0.6
"""How long the model computes nothing after an edit: until what the edit changed is shown, the whole file's too."""

Piece = Callable[[str], None]


class Assistance:
    """The model of one server, or none."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._assistant: Assistant | None = None
        self._memory = 0
        self._problem = ""
        self._looking = asyncio.Lock()
        server.ready.append(lambda: server.spawn(self.look()))

    def facts(self) -> dict[str, Any] | None:
        """What `closeread/status` says of the model; None where none is in use.

        `memory` is about how many bytes it takes while it runs; `answered` and `cached` count questions.
        """
        assistant = self._assistant
        if assistant is None:
            nothing = {"name": "", "state": "failed", "memory": 0, "answered": 0, "cached": 0}
            return {**nothing, "problem": self._problem} if self._problem else None
        state = assistant.process.state
        return {
            "name": assistant.model.name,
            "state": state,
            "memory": self._memory if state in ("starting", "ready", "busy") else 0,
            "answered": assistant.asked,
            "cached": assistant.remembered,
            "problem": assistant.process.problem if state == "failed" else "",
        }

    def rest(self) -> None:
        """Somebody types."""
        if self._assistant is not None:
            self._assistant.process.rest(REST_SECONDS)

    async def look(self, *, anew: bool = False) -> Model | Served | None:
        """The model in use now, or None; what is wrong with it is told. With `anew` its process ends, if there is one."""
        async with self._looking:
            try:
                model = await asyncio.to_thread(Shelf().ready)
                if anew or model != (self._assistant.model if self._assistant is not None else None):
                    await self._replace(model)
                self._problem = ""
            except ModelProblem as error:
                await self._replace(None)
                self._problem = str(error)
                self._server.tell(f"{error}.")
                model = None
        self._server.status.changed()
        return model

    async def answer(self, question: Question, version: str, piece: Piece = lambda text: None) -> Answer:
        """The answer, remembered or computed; `piece` is called with each piece of a text as it is written.

        Cancelling the caller stops the computation. Raises `ModelProblem` where nothing can be asked.
        """
        await self.look()
        assistant = self._assistant
        if assistant is None:
            raise ModelProblem(self._problem or "no model is in use (closeread model pull)")
        answer = await asyncio.to_thread(assistant.known, question, version)
        if answer is None:
            answer = await self._computed(assistant.process, question, piece)
            await asyncio.to_thread(assistant.keep, question, version, answer)
        self._server.status.changed()
        return answer

    async def restart(self) -> dict[str, Any] | None:
        """End the process, look which model is in use, and start that. Raises `ModelProblem`."""
        await self.look(anew=True)
        if self._assistant is not None:
            await asyncio.to_thread(self._assistant.process.start)
        return self.facts()

    def close(self) -> None:
        """End the process, if there is one."""
        if self._assistant is not None:
            self._assistant.close()

    async def _computed(self, process: ModelProcess, question: Question, piece: Piece) -> Answer:
        loop = asyncio.get_running_loop()

        def told(text: str) -> None:
            loop.call_soon_threadsafe(piece, text)

        # Asking may start the process, which takes seconds; a caller that goes meanwhile takes the question along.
        asking = asyncio.ensure_future(asyncio.to_thread(process.ask, question, 0, told))
        try:
            pending = await asyncio.shield(asking)
        except asyncio.CancelledError:
            asking.add_done_callback(_unasked)
            raise
        try:
            return await asyncio.wrap_future(pending.future)
        except asyncio.CancelledError:
            pending.cancel()
            raise
        except Cancelled:
            raise ModelProblem("the model's process was ended") from None

    async def _replace(self, model: Model | Served | None) -> None:
        """From now on `model` is the one in use."""
        old, new = self._assistant, None
        if model is not None:
            changed = self._changed_on(asyncio.get_running_loop())
            new, self._memory = await asyncio.to_thread(_opened, model, changed)
        self._assistant = new
        if old is not None:
            await asyncio.to_thread(old.close)

    def _changed_on(self, loop: asyncio.AbstractEventLoop) -> Callable[[], None]:
        def changed() -> None:
            with contextlib.suppress(RuntimeError):  # the server has ended meanwhile
                loop.call_soon_threadsafe(self._server.status.changed)

        return changed


def _opened(model: Model | Served, changed: Callable[[], None]) -> tuple[Assistant, int]:
    """The model, not started, and how many bytes its process will need (0: a server has it). Raises `ModelProblem`."""
    memory = header(model.path).memory(CONTEXT) if isinstance(model, Model) else 0
    return Assistant(model, process=ModelProcess(model, changed=changed)), memory


def _unasked(asking: asyncio.Future[Pending]) -> None:
    if not asking.cancelled() and asking.exception() is None:
        asking.result().cancel()
