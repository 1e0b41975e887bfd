"""Runs a handler's process, or `closeread` itself, within limits: time, memory, output, and no network by default.

The process confines itself (`confined.py`) before it reads a line of what it runs. Its working folder is new and empty, but for the
attachments; its environment is built and has no secret. When the time is over, the output too long, or nobody wants it any more, its
whole group is killed.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from . import platform_
from .message import File
from .settings import Handlers

Event = Callable[[dict[str, Any]], None]

_REPORT = 64 * 1024 * 1024
"""Bytes that one call of closeread may print."""


class HandlerError(Exception):
    """It did not go well; the message is for whoever asked."""


class Unavailable(HandlerError):
    """It cannot be run here at all; trying again changes nothing."""


@dataclass(slots=True)
class Result:
    """What a handler said."""

    text: str = ""
    files: list[File] = field(default_factory=list)


class Runner:
    """Runs processes under the limits of the settings."""

    def __init__(self, limits: Handlers) -> None:
        self._limits = limits

    async def handler(
        self,
        file: Path,
        task: dict[str, Any],
        attachments: Sequence[File],
        on_event: Event,
        *,
        timeout: float,
        network: bool,
    ) -> Result:
        """Run a user's handler. Raises HandlerError."""
        result = Result()
        parts: list[str] = []

        def read(line: bytes) -> None:
            try:
                event = json.loads(line)
                kind, text = event["type"], event.get("text", "")
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise HandlerError("the handler broke the protocol") from error
            if kind == "error":
                raise HandlerError(str(text))
            if kind == "unavailable":
                raise Unavailable(str(text))
            if kind == "file":
                result.files.append(File(str(event["name"])[:200], base64.b64decode(event["data"])))
            elif kind == "partial":
                parts.append(str(text))
                on_event({"type": "partial", "text": str(text)})
            elif kind == "progress":
                on_event({"type": "progress", "text": str(text)})

        job = {"task": task, "network": network, "attachments": [], "unconfined": self._limits.unconfined}
        with _folder() as folder:
            for number, attachment in enumerate(attachments):
                name = f"{number}-" + "".join(c if c.isalnum() or c in "._-" else "_" for c in attachment.name)[-80:]
                (folder / name).write_bytes(attachment.data)
                job["attachments"].append(name)  # type: ignore[attr-defined]
            await self._run(["handler", str(file)], job, folder, read, timeout, self._limits.output_kilobytes * 1024)
        result.text = "\n".join(parts)
        return result

    async def closeread(self, arguments: Sequence[str], timeout: float, accepted: Sequence[int] = (0, 1, 3)) -> bytes:
        """What `closeread ARGUMENTS` prints. It needs no network and has none, wherever that can be had. Raises HandlerError."""
        printed = bytearray()
        job = {"network": False, "unconfined": True}
        with _folder() as folder:
            code, complaint = await self._run(["closeread", *arguments], job, folder, printed.extend, timeout, _REPORT)
        if code not in accepted:
            raise HandlerError(complaint.removeprefix("closeread: ") or f"closeread ended with code {code}")
        return bytes(printed)

    async def _run(
        self,
        arguments: list[str],
        job: dict[str, Any],
        folder: Path,
        read: Callable[[bytes], None],
        timeout: float,
        most: int,
    ) -> tuple[int, str]:
        job |= {"memory": self._limits.memory_megabytes << 20, "seconds": int(timeout) + 5, "file": 256 << 20}
        process = await platform_.confined(arguments, folder, most)
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        errors = asyncio.ensure_future(_last(process.stderr))
        try:
            async with asyncio.timeout(timeout):
                with contextlib.suppress(ConnectionError):
                    process.stdin.write(json.dumps(job).encode() + b"\n")
                    await process.stdin.drain()
                left = most
                while True:
                    try:
                        line = await process.stdout.readuntil(b"\n")
                    except asyncio.IncompleteReadError as end:
                        line = end.partial
                    except asyncio.LimitOverrunError as error:
                        raise HandlerError(f"more than {most // 1024:,} kB of output") from error
                    if not line:
                        break
                    left -= len(line)
                    if left < 0:
                        raise HandlerError(f"more than {most // 1024:,} kB of output")
                    read(line)
                code = await process.wait()
                complaint = await errors
        except TimeoutError:
            raise HandlerError(f"not done within {timeout:g} seconds") from None
        finally:
            platform_.end(process)
            with contextlib.suppress(OSError):
                process.stdin.close()
            # What it still had to say is dropped: asyncio knows of its end only once its pipes were read to theirs.
            with contextlib.suppress(TimeoutError, ValueError):
                async with asyncio.timeout(5):
                    while await process.stdout.read(1 << 16):
                        pass
                    await process.wait()
            errors.cancel()
        if code != 0 and arguments[0] == "handler":
            raise HandlerError(
                "the handler was ended by a limit" if code < 0 else f"the handler ended with code {code}"
            )
        return code, complaint


@contextlib.contextmanager
def _folder() -> Any:
    folder = Path(tempfile.mkdtemp(prefix="closeread-handler-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _last(stream: asyncio.StreamReader) -> str:
    """The last line of what was complained, which is all that is kept of it."""
    tail = b""
    while chunk := await stream.read(65536):
        tail = (tail + chunk)[-2000:]
    lines = tail.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
