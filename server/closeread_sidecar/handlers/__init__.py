"""What can be asked for, one module each; the folder is the registry.

A module has `usage` (`"scan PATH"`: its own name first), `about` (a sentence), `handle(task)`, and, if it only tells what the
sidecar knows already, `instant = True`: the gateway then answers at once, without a place in the queue.
Whatever needs the analysers asks `task.closeread(...)`, which is a process of its own.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
import sqlite3
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

T = TypeVar("T")


class Sidecar(Protocol):
    """What a handler may ask of the process that it runs in."""

    @property
    def workspaces(self) -> Mapping[str, Path]:
        """The folders that may be scanned."""

    async def status(self) -> dict[str, Any]:
        """What `status` tells."""

    async def closeread(self, arguments: Sequence[str]) -> bytes:
        """What `closeread` prints. Raises HandlerError."""

    async def book(self, operation: Callable[[sqlite3.Connection], T]) -> T:
        """Carry out an operation on the database."""


@dataclass(frozen=True, slots=True)
class Task:
    """What a built-in handler is given. `code` says whether lines of code may be told on this channel."""

    argument: str
    sender: str
    code: bool
    sidecar: Sidecar
    progress: Callable[[str], None]


class Handler(Protocol):
    """A module of this folder."""

    usage: str
    about: str
    handle: Callable[[Task], Awaitable[str]]


@functools.cache
def names() -> tuple[str, ...]:
    """The built-in handlers."""
    return tuple(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))


def named(name: str) -> Handler:
    """The built-in handler of that name."""
    return cast(Handler, importlib.import_module(f"{__name__}.{name}"))


@functools.cache
def is_instant(name: str) -> bool:
    """Whether it only tells what the sidecar knows already."""
    return bool(getattr(named(name), "instant", False))
