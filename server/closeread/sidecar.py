"""The parent's end of the sidecar: a process of its own, started if the user has set one up, that this one never waits for.

It is set up by a file in the user's own configuration folder, `sidecar/sidecar.yaml`; where there is none, nothing is started. It ends when
this process does, however that ends: its standard input is a pipe of ours. When it ends by itself it is started
again, more slowly each time, and given up after a few failures in a row, or at once if it says that it can never start (a broken file,
packages that are not installed). Then its own last words are said, once, on standard error; nobody here notices otherwise.

Deliberately absent: any knowledge of what the sidecar does, and any import of it.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from . import platform_

if TYPE_CHECKING:
    import typer

MODULE = "closeread_sidecar"
_FIRST_PAUSE, _LAST_PAUSE = 1.0, 60.0
_TRIES = 5
_NEVER = 2
"""The exit code of what another start would not mend."""

_STEADY = 60.0
"""Seconds after which a sidecar that ends was well until then."""


def settings_file() -> Path:
    """Where the user sets up the sidecar."""
    return Path(platformdirs.user_config_dir("closeread", appauthor=False)) / "sidecar" / "sidecar.yaml"


@contextlib.contextmanager
def beside() -> Iterator[None]:
    """A sidecar beside what is done in the `with`, if the user has set one up."""
    if not platform_.is_regular(settings_file()):
        yield
        return
    over = threading.Event()
    # A daemon: a server that leaves in a hurry does not wait for it, and the end of the pipe ends the sidecar all the same.
    keeper = threading.Thread(target=_keep, args=(over,), name="sidecar", daemon=True)
    keeper.start()
    try:
        yield
    finally:
        over.set()
        keeper.join(2)


def foreground(context: typer.Context, *words: str) -> None:
    """Run a command of the sidecar with what the user has typed after it, on this terminal, and end as it does."""
    import typer  # the server, which nobody should wait for, has no use for it

    raise typer.Exit(platform_.in_foreground(MODULE, [*words, *_absolute(context.args)], _environment()))


def _keep(over: threading.Event) -> None:
    pause, failures = _FIRST_PAUSE, 0
    while not over.is_set() and failures < _TRIES:
        began = time.monotonic()
        try:
            command = ["sidecar", "run", "--follow"]
            with platform_.child(MODULE, command, errors=True, extra=_environment()) as process:
                words = _last_words(process)
                code = _wait(process, over)
                if code == 0:  # it is switched off, or another one has taken its place and ended
                    return
        except OSError as error:
            code, words = None, deque([str(error)])
        if time.monotonic() - began > _STEADY:
            pause, failures = _FIRST_PAUSE, 0
        failures = _TRIES if code == _NEVER else failures + 1
        if failures == _TRIES and not over.is_set():
            said = words[-1].removeprefix("closeread: ") if words else "`closeread sidecar` says why."
            print(f"closeread: there is no sidecar: {said}", file=sys.stderr, flush=True)
            return
        over.wait(pause)
        pause = min(_LAST_PAUSE, pause * 2)


def _last_words(process: subprocess.Popen[bytes]) -> deque[str]:
    """Where the last line of what a process complains of will stand."""
    words: deque[str] = deque(maxlen=1)

    def listen() -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in process.stderr or ():
                words.append(line.decode(errors="replace").strip()[:500])

    threading.Thread(target=listen, name="sidecar's complaints", daemon=True).start()
    return words


def _wait(process: subprocess.Popen[bytes], over: threading.Event) -> int | None:
    while not over.is_set():
        with contextlib.suppress(subprocess.TimeoutExpired):
            return process.wait(0.5)
    return None


def _environment() -> dict[str, str]:
    # Where the user's folders are, and how wide the terminal is.
    names = (
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "XDG_CACHE_HOME",
        "APPDATA",
        "LOCALAPPDATA",
        "COLUMNS",
        "NO_COLOR",
        "TERM",
    )
    return {name: os.environ[name] for name in names if name in os.environ}


def _absolute(arguments: Sequence[str]) -> list[str]:
    # The child works in another folder than the one in which the user typed.
    found: list[str] = []
    for word in arguments:
        if found and found[-1] == "--home":
            word = str(Path(word).absolute())
        elif word.startswith("--home="):
            word = f"--home={Path(word.removeprefix('--home=')).absolute()}"
        found.append(word)
    return found
