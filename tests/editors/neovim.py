"""A real Neovim, headless, with the plug-in on its runtime path and folders of its own for everything it keeps."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import pynvim

import needs

T = TypeVar("T")

HERE = Path(__file__).parent
PLUGIN = HERE.parents[1] / "editors" / "neovim"
PATIENCE = 60.0
"""Seconds; a server on a loaded machine takes long to import."""


@cache
def program() -> Path:
    """Where Neovim is: what `install-neovim` installed."""
    return needs.installed(HERE / "install-neovim", "make editor-tools")


class Neovim:
    """One running Neovim. What it notified of is kept, in order."""

    def __init__(self, home: Path, init: str, environment: dict[str, str] | None = None) -> None:
        kept = {f"XDG_{name}_HOME": str(home / name.lower()) for name in ("CONFIG", "DATA", "STATE", "CACHE")}
        kept |= {"HOME": str(home), **(environment or {})}
        script = home / "init.lua"
        script.write_text(
            f"vim.opt.runtimepath:prepend({str(PLUGIN)!r})\n"
            "notified = {}\n"
            "vim.notify = function(message, level) table.insert(notified, { message, level or 2 }) end\n"
            f"{init}\n"
        )
        variables = [f"{name}={value}" for name, value in kept.items()]
        command = [str(program()), "--embed", "--headless", "-n", "-u", str(script)]
        self.vim = pynvim.attach("child", argv=["env", *variables, *command])

    def lua(self, code: str, *arguments: Any) -> Any:
        """Run Lua code; `...` are the arguments."""
        return self.vim.exec_lua(code, *arguments)

    def open(self, path: Path) -> None:
        """Edit a file in the current window."""
        self.vim.command(f"edit {path}")

    def until(self, ask: Callable[[], T], patience: float = PATIENCE) -> T:
        """The first answer that is true."""
        end = time.monotonic() + patience
        while not (answer := ask()):
            if time.monotonic() > end:
                raise AssertionError(f"not within {patience} s; notified: {self.notified()}; log: {self.log()}")
            time.sleep(0.02)
        return answer

    def diagnostics(self, buffer: int = 0) -> list[dict[str, Any]]:
        """Rule, line, message and number of trace steps of what a buffer shows, by line."""
        found = self.lua(
            """return vim.tbl_map(function(d)
                 local steps = vim.tbl_get(d, "user_data", "lsp", "relatedInformation") or {}
                 return { rule = d.code, line = d.lnum + 1, message = d.message, steps = #steps, source = d.source }
               end, vim.diagnostic.get(...))""",
            buffer,
        )
        return sorted(found, key=lambda diagnostic: (diagnostic["line"], diagnostic["rule"]))

    def rules(self, buffer: int = 0) -> list[str]:
        """The rules of what a buffer shows, by line."""
        return [diagnostic["rule"] for diagnostic in self.diagnostics(buffer)]

    def notified(self, level: int = 0) -> list[str]:
        """What was shown to the user at this level (2 information, 3 warning, 4 error) or above."""
        return [message for message, said in self.lua("return notified") if said >= level]

    def servers(self) -> list[int]:
        """The process numbers of the servers it started, all of them its own children."""
        mine = self.lua("return vim.uv.os_getpid()")
        listed = subprocess.run(["ps", "-o", "pid=,args=", "--ppid", str(mine)], capture_output=True, text=True)
        return [int(line.split()[0]) for line in listed.stdout.splitlines() if "-m closeread serve" in line]

    def log(self) -> str:
        """The end of the protocol's log."""
        path = Path(self.lua("return vim.lsp.get_log_path()"))
        return path.read_text()[-2000:] if path.exists() else ""

    def close(self) -> None:
        """End it; its servers end with it."""
        with suppress(EOFError, OSError):
            self.vim.command("qall!")
        with suppress(EOFError, OSError):
            self.vim.close()


@contextmanager
def neovim(home: Path, init: str, environment: dict[str, str] | None = None) -> Iterator[Neovim]:
    """A Neovim for the time of a test."""
    home.mkdir(parents=True, exist_ok=True)
    editor = Neovim(home, init, environment)
    try:
        yield editor
    finally:
        editor.close()


def clean_path() -> str:
    """The search path without any folder that has a `closeread` in it."""
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / "closeread").exists())
