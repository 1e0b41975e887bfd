"""Telegram, by long polling: a machine that nobody can reach from outside has no address for a webhook.

The offset advances in the database, after the queue has committed what came before it; a `kill -9` between the two brings an update
twice, and its number makes that harmless. One poller a bot: Telegram answers a second one with 409, and `status` says so.

Deliberately absent: webhooks, buttons, channels' posts.
Bots in groups hear everything only if their privacy mode is off, or they are administrators.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import sqlite3
from typing import Any

from pydantic import SecretStr, field_validator

from ..dialects import as_html, as_text
from ..dispatcher import Failed, Refused, Unreachable
from ..message import Answer, Attachment, File, Message, words
from ..settings import Channel, filled, private_url
from . import LARGEST_ATTACHMENT, Host, pieces

_OFFSET = "telegram:offset"
_POLL = 25
_LONGEST = 3500
"""Characters of one message: 4,096 with the marks."""


class Settings(Channel):
    """What Telegram needs."""

    token: SecretStr
    base_url: str = "https://api.telegram.org"
    """A Bot API server, if you run one of your own."""

    _filled = field_validator("token")(filled)
    _private = field_validator("base_url")(lambda url: private_url(url, "base-url").rstrip("/"))


class Adapter:
    """See platforms.Platform."""

    def __init__(self, settings: Settings, host: Host) -> None:
        self._settings, self._host = settings, host
        self._bot: Any = None
        self.state = "connecting"

    async def run(self) -> None:
        """See platforms.Platform. Raises InvalidToken."""
        from telegram import Bot
        from telegram.request import HTTPXRequest

        os.environ["PTB_TIMEDELTA"] = "1"  # the library warns of its own seconds otherwise

        def request() -> HTTPXRequest:
            return HTTPXRequest(connect_timeout=10, read_timeout=20, httpx_kwargs={"trust_env": False})

        base = self._settings.base_url
        bot = Bot(
            self._settings.token.get_secret_value(), base_url=f"{base}/bot", base_file_url=f"{base}/file/bot",
            request=request(), get_updates_request=request(),
        )  # fmt: skip
        try:
            await self._poll(bot)
        finally:
            self._bot = None
            await bot.shutdown()
            for each in bot.request, *getattr(bot, "_request", ()):  # also of a bot that was never initialised
                await each.shutdown()

    async def _poll(self, bot: Any) -> None:
        from telegram.error import InvalidToken, RetryAfter, TelegramError

        pause = 1.0
        offset = int(await self._host.recall(_OFFSET) or 0)
        while True:
            try:
                if self._bot is None:
                    await bot.initialize()
                    self._bot = bot
                # Raw, so that one update that makes no sense costs itself alone. The Bot API does not mind letters' case,
                # and the library minds its own name of the method being called this way.
                updates: Any = await bot.do_api_request(
                    "getupdates", {"offset": offset, "timeout": _POLL, "allowed_updates": ["message", "edited_message"]},
                    read_timeout=_POLL + 10,
                )  # fmt: skip
                self.state, pause = "connected", 1.0
                offset = await self._take_in(updates if isinstance(updates, list) else [], offset)
            except InvalidToken:
                raise
            except RetryAfter as error:
                await asyncio.sleep(_seconds(error))
            except (TelegramError, sqlite3.Error) as error:
                self.state = f"waiting ({type(error).__name__})"
                await asyncio.sleep(pause)
                pause = min(30.0, pause * 2)

    async def send(self, answer: Answer) -> str:
        """See platforms.Platform."""
        from telegram import InputFile, ReplyParameters
        from telegram.error import BadRequest

        bot = self._running()
        chat, reply = int(answer.conversation.split("/")[0]), None
        if answer.reply_to:
            reply = ReplyParameters(int(answer.reply_to), allow_sending_without_reply=True)
        thread = answer.context.get("thread")
        parts = pieces(answer.text, _LONGEST)
        sent = ""
        with _translated():
            for number, part in enumerate(parts):
                if number == 0 and answer.edits:
                    with contextlib.suppress(BadRequest):  # it is gone, or says that already
                        await bot.edit_message_text(as_html(part), chat, int(answer.edits), parse_mode="HTML")
                        sent = answer.edits
                        continue
                try:
                    made = await bot.send_message(
                        chat, as_html(part), parse_mode="HTML", reply_parameters=reply, message_thread_id=thread
                    )
                except BadRequest as error:
                    if "parse" not in error.message:
                        raise
                    made = await bot.send_message(chat, as_text(part), reply_parameters=reply, message_thread_id=thread)
                sent = sent or str(made.message_id)
            for file in answer.files:
                await bot.send_document(
                    chat, InputFile(file.data, file.name), reply_parameters=reply, message_thread_id=thread
                )
        return sent

    async def progress(self, message: Message, text: str, previous: str) -> str:
        """See platforms.Platform."""
        reply = "" if previous else message.message_id
        context = message.context
        return await self.send(Answer(message.conversation, text[:_LONGEST], "", reply, previous, context=context))

    async def fetch(self, message: Message, attachment: Attachment) -> File:
        """See platforms.Platform."""
        with _translated():
            file = await self._running().get_file(attachment.ref)
            if (file.file_size or 0) > LARGEST_ATTACHMENT:
                raise Refused("the attachment is too large")
            return File(attachment.name or "file", bytes(await file.download_as_bytearray()))

    def _running(self) -> Any:
        if self._bot is None:
            raise Unreachable("Telegram is not connected")
        return self._bot

    async def _take_in(self, updates: list[Any], offset: int) -> int:
        """Commit what came, in order; gives (and remembers) the offset after it."""
        reached = offset
        for update in updates:
            number = update.get("update_id") if isinstance(update, dict) else None
            if not isinstance(number, int) or number < reached:
                continue
            message = read(update)
            if message is not None and not (await self._host.receive(message)).kept:
                self.state = "waiting (the queue is full)"
                await asyncio.sleep(2)
                break  # Telegram keeps it, and what follows, for a day
            reached = number + 1
        if reached != offset:
            await self._host.remember(_OFFSET, str(reached))
        return reached


def read(update: dict[str, Any]) -> Message | None:
    """An update as a message; None if it is none that could be a question, or makes no sense."""
    edited = "edited_message" in update
    try:
        said = update["edited_message" if edited else "message"]
        attachments = tuple(_attachments(said))
        content = words(str(said.get("text") or said.get("caption") or ""), attachments)
        chat, thread = said["chat"], said.get("message_thread_id") if said.get("is_topic_message") else None
        if not content or not isinstance(said["from"]["id"], int) or not isinstance(chat["id"], int):
            return None
        command = re.match(r"/(\w+)(?:@\w+)?(.*)", content, re.DOTALL)
        return Message(
            "telegram",
            said["from"]["id"],
            f"{command[1]}{command[2]}" if command else content,
            attachments,
            f"{chat['id']}/{thread}" if thread else str(chat["id"]),
            str(int(said["message_id"])),
            str(said.get("reply_to_message", {}).get("message_id", "")),
            float(said.get("date", 0)),
            edited,
            chat["type"] != "private",
            str(int(update["update_id"])),
            {"thread": int(thread)} if thread else {},
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _attachments(said: dict[str, Any]) -> list[Attachment]:
    found = []
    if said.get("photo"):
        photo = max(said["photo"], key=lambda size: int(size.get("file_size", 0)))
        found.append(Attachment("image", "photo.jpg", int(photo.get("file_size", 0)), str(photo["file_id"])))
    for name, kind in (("document", "file"), ("voice", "voice"), ("audio", "file"), ("video", "video")):
        if said.get(name):
            file = said[name]
            found.append(
                Attachment(kind, str(file.get("file_name", name)), int(file.get("file_size", 0)), str(file["file_id"]))
            )
    return found


def _seconds(error: Any) -> float:
    after = error.retry_after
    return float(getattr(after, "total_seconds", lambda: after)())


@contextlib.contextmanager
def _translated() -> Any:
    """The library's errors in the dispatcher's words."""
    from telegram.error import BadRequest, Forbidden, InvalidToken, NetworkError, RetryAfter, TelegramError

    try:
        yield
    except RetryAfter as error:
        raise Unreachable("Telegram wants a pause", _seconds(error)) from error
    except (BadRequest, Forbidden) as error:  # a BadRequest is a NetworkError there
        raise Refused(f"Telegram refuses it: {error.message}") from error
    except NetworkError as error:
        raise Unreachable(f"Telegram cannot be reached ({type(error).__name__})") from error
    except (InvalidToken, TelegramError) as error:
        raise Failed(f"Telegram: {type(error).__name__}") from error
