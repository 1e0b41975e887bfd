"""The address of a server of models: on this machine, or elsewhere where the machine's policy names it.

Read here, connected to in `endpoint.py`. Deliberately absent: what a host's name stands for. That is looked up where the
connection is made, so that what was checked is what is connected to.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from .. import policy

_PORTS = {"http": 80, "https": 443}


class WrongAddress(ValueError):
    """It is no address of a server; the message says why."""


@dataclass(frozen=True, slots=True)
class Address:
    """`path` is where the protocol begins on the server, mostly `/v1`."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def origin(self) -> str:
        """As a policy names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"

    def __str__(self) -> str:
        return self.origin + self.path


def is_address(text: str) -> bool:
    """Whether somebody meant an address by it, and no file or name."""
    return "://" in text


def parse(text: str) -> Address:
    """The address in a text such as `http://localhost:8080` or `http://127.0.0.1:11434/v1`. Raises `WrongAddress`."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise WrongAddress(f"{text} is no address: {str(error).lower()}") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise WrongAddress(f"{text} is no address: write http://127.0.0.1:PORT")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise WrongAddress(f"{text} has a user, a query or a fragment, and none is sent: write http://127.0.0.1:PORT")
    return Address(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], parts.path.rstrip("/") or "/v1")


def may_be_elsewhere(address: Address) -> bool:
    """Whether the policy names this server, so that it need not be on this machine. Raises `policy.PolicyProblem`."""
    return address.origin in policy.read().model_servers
