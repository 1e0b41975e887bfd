"""The user's own `sidecar.yaml`, and where the sidecar's files are. Never anything from a workspace.

Every default is closed: without the file nothing runs; with an empty one a gateway on loopback, for whoever can read the token, and
no platform, no collector, no folder that may be scanned, nobody who may ask by chat.

The file may hold secrets, so that nobody but the user may be able to read it; otherwise the sidecar does not start.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, SecretStr, field_validator, model_validator

from . import configuration, platform_
from .configuration import ConfigurationError, Model

P = TypeVar("P", bound=Model)


@dataclass(frozen=True, slots=True)
class Home:
    """Where everything is: `folder` has what the user writes, `state` what the sidecar does."""

    folder: Path
    state: Path

    @classmethod
    def of(cls, folder: Path | None = None) -> Home:
        """The user's, or one in a folder of its own."""
        if folder is not None:
            return cls(folder.absolute(), folder.absolute() / "state")
        config = Path(platformdirs.user_config_dir("closeread", appauthor=False))
        state = Path(platformdirs.user_state_dir("closeread", appauthor=False))
        return cls(config / "sidecar", state / "sidecar")

    @property
    def settings(self) -> Path:
        """What the user allows."""
        return self.folder / "sidecar.yaml"

    @property
    def routes(self) -> Path:
        """Which words go to which handler."""
        return self.folder / "routes.yaml"

    @property
    def handlers(self) -> Path:
        """The user's own handlers."""
        return self.folder / "handlers"

    @property
    def token(self) -> Path:
        """What a program shows the gateway."""
        return self.state / "token"

    @property
    def queue(self) -> Path:
        """The database."""
        return self.state / "queue.db"

    @property
    def anchor(self) -> Path:
        """What the audit log's end was last seen to be."""
        return self.state / "audit.anchor"

    @property
    def lock(self) -> Path:
        """Held by the one sidecar that runs."""
        return self.state / "lock"

    @property
    def running(self) -> Path:
        """Where the gateway of the running sidecar listens, as JSON."""
        return self.state / "running.json"


def is_loopback(host: str) -> bool:
    """Whether an address is this machine alone. A name other than localhost is not: who knows what it resolves to."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def is_any(host: str) -> bool:
    """Whether it stands for all addresses of this machine at once."""
    return host.strip("[]") in ("", "0.0.0.0", "::")


def private_url(url: str, what: str) -> str:
    """`url`, if nobody can listen in: https, or this machine. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{what} must be an address with https://")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError(f"{what} must be https://; http:// is for this machine alone")
    return url


def filled(secret: SecretStr) -> SecretStr:
    """`secret`, if there is one. Raises ValueError."""
    if not secret.get_secret_value().strip():
        raise ValueError("must not be blank")
    return secret


class Tls(Model):
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path


class Gateway(Model):
    """Where programs of this machine connect."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 7391
    tls: Tls | None = None
    names: tuple[str, ...] = ()
    """How else clients may call this machine (`build.example.org`); `host` itself, as a rule."""

    origins: tuple[str, ...] = ()
    """Pages of a browser that may connect; none, as a rule."""

    clients: Annotated[int, Field(ge=1, le=10_000)] = 1200
    per_minute: Annotated[int, Field(ge=1)] = 600
    """Messages of one connection."""

    code: bool = False
    """Whether lines of code may be told."""

    @model_validator(mode="after")
    def _closed(self) -> Gateway:
        if not is_loopback(self.host) and self.tls is None:
            raise ValueError("an address that others can reach needs `tls` (certificate and key); 127.0.0.1 does not")
        if is_any(self.host) and not self.names:
            raise ValueError(
                "all addresses at once have no name of their own: `names` says how clients call this machine"
            )
        return self


class Queue(Model):
    """How much is kept, and for how long."""

    redis: str = ""
    max_waiting: Annotated[int, Field(ge=1)] = 10_000
    max_megabytes: Annotated[int, Field(ge=4)] = 256
    keep_days: Annotated[float, Field(ge=0)] = 30
    attempts: Annotated[int, Field(ge=1)] = 3
    """Of a handler; an answer has eight, and what cannot be reached has as many as it takes."""

    workers: Annotated[int, Field(ge=1, le=64)] = 2

    @field_validator("redis")
    @classmethod
    def _near(cls, url: str) -> str:
        parts = urlsplit(url)
        if url and parts.scheme not in ("redis", "rediss", "unix"):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        if parts.scheme == "redis" and not is_loopback(parts.hostname or ""):
            raise ValueError("Redis on another machine needs rediss://")
        return url


class Collector(Model):
    """Where results and audit lines go."""

    url: str
    key: SecretStr
    ca: Path | None = None
    """The authority that signed its certificate, if it is one of your own (PEM)."""

    code: bool = False
    """Whether lines of code may be in results."""

    _private = field_validator("url")(lambda url: private_url(url, "the collector's url"))
    _filled = field_validator("key")(filled)


class Handlers(Model):
    """Limits of handlers; a route may lower them."""

    timeout: Annotated[float, Field(gt=0, le=3600)] = 60
    memory_megabytes: Annotated[int, Field(ge=64)] = 1024
    output_kilobytes: Annotated[int, Field(ge=1, le=65536)] = 1024
    unconfined: bool = False
    """Run them even where the system cannot cut their network."""


class Channel(Model):
    """What every platform's settings have. An empty list is nobody."""

    allow: tuple[int | str, ...] = ()
    """Senders who may ask."""

    conversations: tuple[int | str, ...] = ()
    """Groups in which those may ask, where everybody reads the answer."""

    code: bool = False
    """Whether lines of code may leave by this channel."""

    per_minute: Annotated[int, Field(ge=1)] = 20
    """Messages of one sender."""


class Settings(Model):
    """The whole of `sidecar.yaml`."""

    enabled: bool = True
    gateway: Gateway = Gateway()
    queue: Queue = Queue()
    collector: Collector | None = None
    workspaces: dict[Annotated[str, Field(pattern=r"^[\w.-]+$")], Path] = {}
    """Folders that may be scanned, by the name under which one asks for them."""

    handlers: Handlers = Handlers()
    platforms: dict[str, dict[str, Any]] = {}
    """By the name of a module of `platforms/`, which says what its settings are."""

    @field_validator("workspaces")
    @classmethod
    def _absolute(cls, folders: dict[str, Path]) -> dict[str, Path]:
        for name, folder in folders.items():
            if not folder.is_absolute():
                raise ValueError(f"the folder of {name} must be an absolute path")
        return folders


def read(home: Home) -> Settings:
    """The user's settings. Raises ConfigurationError, also if others could read or change them."""
    settings = configuration.load(home.settings, Settings)
    exposed = platform_.exposure(home.settings)
    if exposed:
        raise ConfigurationError(home.settings, 0, f"it may hold secrets, but {exposed}; `chmod 600` it")
    if platform_.writable_by_others(home.folder):
        raise ConfigurationError(home.folder, 0, "others could change what is in this folder; `chmod 700` it")
    return settings


def of_platform(home: Home, settings: Settings, name: str, model: type[P]) -> P:
    """The settings of one platform. Raises ConfigurationError."""
    below = ("platforms", name)
    return configuration.checked(
        home.settings, settings.platforms[name], model, configuration.composed(home.settings), below
    )
