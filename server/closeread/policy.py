"""What whoever administers this machine allows beyond what Closeread allows by itself. Nothing, where nobody wrote it down.

One file, `policy.toml`: in the machine's folder of settings (`/etc/xdg/closeread` on Linux), or where there is none, in the
user's. Never in a workspace. Today it has one word:

    model-servers = ["https://gpu.example.org:8000"]    # servers of models that may be asked though they are elsewhere

Deliberately absent: anything that a project may choose (`settings.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import platformdirs
import tomli

from . import platform_

FILE = "policy.toml"
_LARGEST = 100_000


class PolicyProblem(Exception):
    """The file cannot be understood, so nothing is allowed; the message says where it is and what is wrong."""


@dataclass(frozen=True, slots=True)
class Policy:
    """`model_servers` are origins, as `https://host:port`."""

    model_servers: frozenset[str] = frozenset()


def places() -> tuple[Path, ...]:
    """Where the file may be; the first that there is counts alone."""
    folders = (
        platformdirs.site_config_dir("closeread", appauthor=False),
        platformdirs.user_config_dir("closeread", False),
    )
    return tuple(Path(folder) / FILE for folder in folders)


def read() -> Policy:
    """The policy of this machine. Raises `PolicyProblem`."""
    for place in places():
        if not place.exists():
            continue
        try:
            words = tomli.loads((platform_.read_regular(place, _LARGEST) or b"").decode("utf-8-sig"))
        except OSError as error:
            raise PolicyProblem(f"{place} cannot be read ({platform_.reason(error)})") from None
        except (UnicodeDecodeError, tomli.TOMLDecodeError) as error:
            raise PolicyProblem(f"{place} is not valid TOML: {error}") from None
        servers = words.pop("model-servers", [])
        if words or not isinstance(servers, list) or not all(isinstance(server, str) for server in servers):
            raise PolicyProblem(f'{place} may say `model-servers = ["https://host:port"]` and nothing else')
        return Policy(frozenset(server.rstrip("/") for server in servers))
    return Policy()
