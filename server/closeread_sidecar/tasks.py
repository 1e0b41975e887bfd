"""What becomes of a task: its handler is run, what that says is made fit to leave, and what comes of it is queued.

Two kinds of work for dispatchers: `work` for tasks, `send` for answers. Whatever a handler says goes through the redaction, for the
channel that it leaves by, before anything else is done with it.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from . import handlers, inbox
from .dispatcher import Failed, Outcome, Refused, Unreachable
from .message import COLLECTOR, GATEWAY, Answer, File, Message
from .platforms import Platform
from .progress import Progress
from .queue.entries import Entry, New
from .redaction import Redaction
from .routes import Routes, Target
from .runner import HandlerError, Result, Runner, Unavailable
from .settings import Settings

_PROGRESS_EVERY = 2.0
_ASKED, _ERROR = 2000, 500
"""Characters of a question that its record has, and of a reason."""


@dataclass(frozen=True, slots=True)
class Job:
    """A task on its way. `shown` is where its progress is seen on its platform."""

    entry: Entry
    message: Message
    target: Target
    shown: Shown


class Tasks:
    """Works on tasks and answers. `platforms` are those that run now."""

    def __init__(
        self, settings: Settings, routes: Routes, redaction: Redaction, progress: Progress,
        platforms: Mapping[str, Platform], sidecar: handlers.Sidecar,
    ) -> None:  # fmt: skip
        self._settings, self._routes, self._redaction, self._progress = settings, routes, redaction, progress
        self._platforms, self._sidecar = platforms, sidecar
        self._runner = Runner(settings.handlers)

    async def work(self, entry: Entry) -> Outcome:
        """Do a task. Raises Failed or Refused."""
        message = Message.from_json(entry.body["message"])
        target = self._routes.find(message.content, message.platform)
        if target is None:
            raise Refused("no route takes these words any more")
        job = Job(entry, message, target, Shown(self._platforms.get(message.platform), message))
        try:
            result = await self._handled(job)
        except Unavailable as error:
            result = Result(str(error))
        except HandlerError as error:
            result = Result(f"It failed: {error}")
            if target.file is not None:  # it is the user's, and may do better another time
                reason = self._redaction.text(str(error), message.platform)[:_ERROR]
                raise Failed(reason, follow=self._follow(job, result)) from error
        finally:
            await job.shown.close()
        text, files = self._leaving(result, message.platform)
        return Outcome({"text": text, "files": files}, self._follow(job, result))

    async def at_once(self, message: Message, target: Target) -> str:
        """What a built-in handler says that only tells what is known already."""
        try:
            text = await self._builtin(message, target, lambda _: None)
        except HandlerError as error:
            text = str(error)
        return self._redaction.text(text, message.platform)

    async def send(self, entry: Entry) -> Outcome:
        """Deliver an answer. Raises Failed, Refused or Unreachable."""
        body = entry.body
        platform = self._platforms.get(body["platform"])
        if platform is None:
            raise Unreachable(f"{body['platform']} is not running")
        files = tuple(File(file["name"], base64.b64decode(file["data"])) for file in body["files"])
        answer = Answer(
            body["conversation"], body["text"], entry.key, body["reply_to"], body["edits"], files, body["context"]
        )
        return Outcome({"sent": await platform.send(answer)})

    def told(self, entry: Entry, state: str, result: dict[str, Any]) -> None:
        """See dispatcher.Told: whoever listens hears how it ended."""
        if state != "ready":
            self._progress.tell(entry.key, inbox.ending(state, result, result.get("error", "")))

    # --- Handlers ---------------------------------------------------------------------------------

    async def _handled(self, job: Job) -> Result:
        def on_event(event: dict[str, Any]) -> None:
            event = {**event, "text": self._redaction.text(event["text"], job.message.platform)}
            self._progress.tell(job.entry.key, event)
            job.shown.update(event["text"])

        if job.target.file is None:
            said = lambda text: on_event({"type": "progress", "text": text})  # noqa: E731
            return Result(await self._builtin(job.message, job.target, said))
        return await self._own(job, on_event)

    async def _builtin(self, message: Message, target: Target, progress: Callable[[str], None]) -> str:
        code = self._redaction.shows_code(message.platform)
        task = handlers.Task(target.argument, str(message.sender_id), code, self._sidecar, progress)
        return await handlers.named(target.name).handle(task)

    async def _own(self, job: Job, on_event: Callable[[dict[str, Any]], None]) -> Result:
        message, target = job.message, job.target
        assert target.file is not None
        trouble = self._routes.untrusted(target.file.name)
        if trouble:
            raise Unavailable(f"The handler was not run: {trouble}.")
        attachments = []
        for attachment in message.attachments:
            platform = self._platforms.get(message.platform)
            if platform is None:
                raise HandlerError("the attachment cannot be fetched now")
            attachments.append(await platform.fetch(message, attachment))
        task = {name: getattr(message, name) for name in ("content", "sender_id", "platform", "conversation")}
        return await self._runner.handler(
            target.file, {**task, "argument": target.argument, "key": job.entry.key}, attachments, on_event,
            timeout=target.timeout or self._settings.handlers.timeout, network=target.network,
        )  # fmt: skip

    # --- What comes of it -------------------------------------------------------------------------

    def _leaving(self, result: Result, channel: str) -> tuple[str, list[dict[str, str]]]:
        """The text and the files that may leave by a channel; what must stay is said in the text."""
        text, files = self._redaction.text(result.text or "Done.", channel), []
        for file in result.files:
            clean = self._redaction.file(file, channel)
            if clean is None:
                name = self._redaction.text(file.name)
                text += f"\n({name} stays here: it is no text, and this channel has no `code: true`.)"
            else:
                files.append({"name": clean.name, "data": base64.b64encode(clean.data).decode()})
        return text, files

    def _follow(self, job: Job, result: Result) -> list[New]:
        """What comes of a task: an answer to its platform, and a record for the collector."""
        entry, message, follow = job.entry, job.message, []
        if message.platform != GATEWAY:
            text, files = self._leaving(result, message.platform)
            answer = {
                "platform": message.platform, "conversation": message.conversation, "text": text, "files": files,
                "reply_to": message.message_id, "edits": job.shown.id, "context": message.context,
            }  # fmt: skip
            follow.append(New(f"{entry.key}:answer", "answer", f"answers:{message.lane}", answer))
        if self._settings.collector is not None:
            record = {
                "lane": entry.lane, "platform": message.platform, "sender": str(message.sender_id), "handler": job.target.name,
                "asked": self._redaction.text(message.content, COLLECTOR)[:_ASKED],
                "text": self._leaving(result, COLLECTOR)[0], "time": time.time(),
            }  # fmt: skip
            follow.append(New(f"{entry.key}:record", "record", COLLECTOR, record))
        return follow


class Shown:
    """A task's progress on its platform: one message, edited every two seconds at most. `id` is what the platform calls it."""

    def __init__(self, platform: Platform | None, message: Message) -> None:
        self._platform, self._message, self.id = platform, message, ""
        self._last = time.monotonic()
        self._task: asyncio.Task[None] | None = None

    def update(self, text: str) -> None:
        """Show this, unless something was shown just now."""
        busy = self._task is not None and not self._task.done()
        if self._platform is None or busy or time.monotonic() - self._last < _PROGRESS_EVERY:
            return
        self._last = time.monotonic()
        self._task = asyncio.get_running_loop().create_task(self._show(self._platform, text))

    async def close(self) -> None:
        """Nothing more is shown; what is on its way arrives first."""
        if self._task is not None:
            with contextlib.suppress(TimeoutError, asyncio.CancelledError):
                await asyncio.wait_for(self._task, 5)

    async def _show(self, platform: Platform, text: str) -> None:
        with contextlib.suppress(Exception):  # losing it loses nothing
            self.id = await platform.progress(self._message, text, self.id) or self.id
