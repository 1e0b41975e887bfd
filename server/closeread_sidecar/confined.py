"""The own end of a process that the runner starts: `python -I -m closeread_sidecar.confined handler FILE | closeread ARGUMENTS...`

It reads one line, its job, confines itself, and only then loads what it is to run. A handler's file has a function

    def handle(task):
        task.progress("reading")             # shown while it goes on, and gone then
        yield "a part of the answer"         # or: return "the answer"
        task.file("report.txt", b"...")      # sent along

    task.content  task.argument  task.sender_id  task.platform  task.conversation  task.key  task.attachments (paths)

What it prints goes nowhere. `task.key` is the same when the task is run again after a crash: whoever changes something outside
remembers it, so that doing it twice is harmless.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import os
import runpy
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from . import platform_


@dataclass(frozen=True)
class Task:
    """What a handler is given."""

    content: str
    argument: str
    sender_id: int | str
    platform: str
    conversation: str
    key: str
    attachments: tuple[Path, ...]
    _output: BinaryIO

    def progress(self, text: str) -> None:
        """Say how far it is."""
        tell(self._output, type="progress", text=str(text))

    def say(self, text: str) -> None:
        """Give a part of the answer."""
        tell(self._output, type="partial", text=str(text))

    def file(self, name: str, data: bytes) -> None:
        """Send a file along."""
        tell(self._output, type="file", name=str(name), data=base64.b64encode(data).decode())


def tell(output: BinaryIO, **event: Any) -> None:
    """One event, one line."""
    output.write(json.dumps(event).encode() + b"\n")
    output.flush()


def main() -> int:
    """Confine this process and do the job. Gives the exit code."""
    mode, *arguments = sys.argv[1:]
    job = json.loads(sys.stdin.buffer.readline())
    output = os.fdopen(os.dup(1), "wb")
    platform_.die_with_parent()
    platform_.step_back(19)
    if not job["network"]:
        try:
            platform_.leave_network()
        except platform_.Unconfined as error:
            if not job["unconfined"]:
                tell(output, type="unavailable", text=f"The handler was not run: {error}.")
                return 0
    platform_.limit(job["memory"], job["seconds"], job["file"])
    platform_.follow_parent(sys.stdin.buffer)
    if mode == "closeread":
        output.close()
        sys.argv = ["closeread", *arguments]
        runpy.run_module("closeread", run_name="__main__", alter_sys=True)
        return 0
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what a handler prints by accident must not break the protocol
    try:
        _handle(Path(arguments[0]), job, output)
    except MemoryError:
        tell(output, type="error", text="more memory than a handler may have")
    except BaseException as error:
        tell(output, type="error", text=f"{type(error).__name__}: {error}")
    return 0


def _handle(file: Path, job: dict[str, Any], output: BinaryIO) -> None:
    specification = importlib.util.spec_from_file_location("handler", file)
    if specification is None or specification.loader is None:
        raise ImportError(f"{file.name} cannot be loaded")
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(specification)
    sys.modules["handler"] = module
    specification.loader.exec_module(module)
    task = Task(**job["task"], attachments=tuple(Path.cwd() / name for name in job["attachments"]), _output=output)
    answer = module.handle(task)
    if isinstance(answer, str):
        task.say(answer)
    elif isinstance(answer, Iterable):
        for part in answer:
            task.say(part)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads that a handler left behind are not waited for
