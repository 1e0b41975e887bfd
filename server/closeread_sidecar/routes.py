"""Which words go to which handler: `routes.yaml`, reloaded while running, before the built-in ones.

    routes:
      - pattern: "check_logs*"        # as in a shell, over the whole first line
        handler: log_analyzer.py      # in the folder `handlers` beside this file, or a built-in one's name
        timeout: 30s
    builtin: [scan, status]           # all of them, if this is left out

A file that is broken changes nothing: the routes before it stay in force, and it is said where it is broken.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from . import configuration, handlers, platform_
from .configuration import ConfigurationError, Model
from .settings import Home

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def seconds(value: object) -> float:
    """`30s`, `2m`, `500ms` or a number of seconds. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a time, as in `30s`, `500ms` or `2m`")
    return float(match[1]) * _UNITS[match[2]]


class Route(Model):
    """One line of the file."""

    pattern: Annotated[str, Field(min_length=1, max_length=200)]
    handler: Annotated[str, Field(pattern=r"^\w[\w-]*(\.py)?$")]
    timeout: Annotated[float, BeforeValidator(seconds), Field(gt=0, le=3600)] | None = None
    network: bool = False
    """Whether the handler may use the network; needs to be said for each."""

    platforms: tuple[str, ...] = ()
    """Where it may be asked for; everywhere if none is named."""


class File(Model):
    """The whole of `routes.yaml`."""

    routes: tuple[Route, ...] = ()
    builtin: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What is to be run: a built-in handler's name, or a file. `argument` is what follows the first word."""

    name: str
    argument: str
    file: Path | None = None
    timeout: float | None = None
    network: bool = False


class Routes:
    """The routes in force. `problem` is what was wrong with the file when it was read last."""

    def __init__(self, home: Home) -> None:
        """Raises ConfigurationError if the file is broken: at the start there are no old routes to keep."""
        self._home = home
        self.problem = ""
        self._routes: tuple[Route, ...] = ()
        self._builtin: tuple[str, ...] = handlers.names()
        self._read()

    def reload(self) -> bool:
        """Read the file again. Whether it could be; otherwise the old routes stay in force."""
        try:
            self._read()
        except ConfigurationError as error:
            self.problem = str(error)
            return False
        self.problem = ""
        return True

    def find(self, content: str, platform: str) -> Target | None:
        """Where these words go."""
        line = content.strip().split("\n", 1)[0].strip()
        command, _, argument = line.partition(" ")
        for route in self._routes:
            if route.platforms and platform not in route.platforms:
                continue
            if fnmatch.fnmatchcase(line, route.pattern):
                file = self._home.handlers / route.handler if route.handler.endswith(".py") else None
                return Target(route.handler, argument.strip(), file, route.timeout, route.network)
        if command.lower() in self._builtin:
            return Target(command.lower(), argument.strip())
        return None

    def untrusted(self, name: str) -> str:
        """See `untrusted` below."""
        return untrusted(self._home, name)

    def all(self) -> tuple[Route, ...]:
        """The file's routes."""
        return self._routes

    def usages(self, platform: str) -> list[str]:
        """What can be asked for, for people."""
        own = [route.pattern for route in self._routes if not route.platforms or platform in route.platforms]
        return [*own, *(handlers.named(name).usage for name in self._builtin)]

    def _read(self) -> None:
        path = self._home.routes
        if not path.exists():
            self._routes, self._builtin = (), handlers.names()
            return
        if platform_.writable_by_others(path):
            raise ConfigurationError(path, 0, "others could change it; `chmod 600` it")
        file = configuration.load(path, File)
        root = configuration.composed(path)
        for number, route in enumerate(file.routes):
            place = ("routes", number, "handler")
            if route.handler.endswith(".py"):
                trouble = untrusted(self._home, route.handler)
            else:
                trouble = (
                    ""
                    if route.handler in handlers.names()
                    else f"there are {', '.join(handlers.names())}, and files ending in .py"
                )
            if trouble:
                raise ConfigurationError(path, configuration.line_of(root, place), f"`{route.handler}`: {trouble}")
        for number, name in enumerate(file.builtin or ()):
            if name not in handlers.names():
                line = configuration.line_of(root, ("builtin", number))
                raise ConfigurationError(path, line, f"`{name[:60]}`: there are {', '.join(handlers.names())}")
        self._routes = file.routes
        self._builtin = handlers.names() if file.builtin is None else file.builtin


def untrusted(home: Home, name: str) -> str:
    """Why a handler's file must not be run, in words; "" if it may."""
    file = home.handlers / name
    if not file.is_file():
        return f"there is no such file in {home.handlers}"
    if file.is_symlink() or home.handlers.is_symlink():
        return "a handler is a file in the handlers folder, not a link"
    for path in (file, home.handlers, home.folder):
        if platform_.writable_by_others(path):
            return f"others could change {path}"
    return ""
