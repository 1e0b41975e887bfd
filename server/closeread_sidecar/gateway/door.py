"""Who is let in. Pure: what a request says goes in, a reason to refuse comes out."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path

from .. import platform_
from ..settings import is_any, is_loopback


class DoorError(Exception):
    """The gateway must not open; says why."""


def token(path: Path) -> str:
    """The token, made if there is none. Raises DoorError if others could have read it, or if it is too short to be one."""
    if not path.exists():
        platform_.private_folder(path.parent)
        platform_.write_private(path, secrets.token_urlsafe(32).encode() + b"\n")
    exposed = platform_.exposure(path)
    if exposed:
        raise DoorError(f"{path}: others may know the token: {exposed}; remove the file, and a new one is made")
    text = path.read_text("ascii", "replace").strip()
    if len(text) < 32:
        raise DoorError(f"{path}: a token has 32 characters or more; remove the file, and a new one is made")
    return text


@dataclass(frozen=True, slots=True)
class Door:
    """What a request must show."""

    host: str
    names: tuple[str, ...]
    port: int
    origins: tuple[str, ...]
    token: str
    """"" lets nobody in."""

    def refusal(self, host: list[str], origin: list[str], authorization: list[str]) -> tuple[int, str]:
        """A status and the reason; (0, "") lets in. The headers are given with all of their values."""
        if len(host) != 1 or host[0].lower() not in self._hosts():
            # A page whose name was made to resolve to this machine still sends that name.
            return 403, "the Host is not this gateway"
        if len(origin) > 1 or (origin and origin[0] not in self.origins):
            return 403, "pages of this origin may not connect"
        if len(authorization) != 1 or not self.knows(authorization[0]):
            return 401, "the token is missing or wrong"
        return 0, ""

    def knows(self, authorization: str) -> bool:
        """Whether the value of an Authorization header holds the token; takes as long whatever it holds."""
        scheme, _, value = authorization.partition(" ")
        right = hmac.compare_digest(value.strip().encode(), self.token.encode())
        return right and scheme.lower() == "bearer" and self.token != ""

    def _hosts(self) -> set[str]:
        """What may stand in a Host header, in lower case: the port can be left out if it is the one that goes without saying."""
        names = {name.strip("[]").lower() for name in (self.host, *self.names)}
        if is_loopback(self.host) or is_any(self.host):
            names |= {"127.0.0.1", "localhost", "::1"}
        names = {f"[{name}]" if ":" in name else name for name in names}
        return {f"{name}:{self.port}" for name in names} | (names if self.port in (80, 443) else set())
