"""`closeread doctor --security`: what is open, who may ask, what may leave, which files others could read; and whether that drifted.

Two kinds of bad news, both with a non-zero exit: what is unsafe whatever the user wants (`unsafe`), and what is not as it was when
the user last said `--accept` (`drift`). Machine-readable with `--json`.
"""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from . import audit, platform_
from .configuration import ConfigurationError
from .settings import Home, is_loopback


def posture(home: Home) -> dict[str, Any]:
    """What is open. Keys: enabled, gateway, platforms, leaves, handlers, files, audit, unsafe."""
    from . import settings as settings_

    unsafe: list[str] = []
    found: dict[str, Any] = {"enabled": False, "files": _files(home, unsafe), "audit": _audit(home, unsafe)}
    if not home.settings.exists():
        return found | {"gateway": None, "platforms": {}, "leaves": [], "handlers": {}, "unsafe": unsafe}
    try:
        settings = settings_.read(home)
    except ConfigurationError as error:
        unsafe.append(str(error))
        return found | {"gateway": None, "platforms": {}, "leaves": [], "handlers": {}, "unsafe": unsafe}
    gateway = settings.gateway
    found["enabled"] = settings.enabled
    found["gateway"] = {
        "bind": f"{gateway.host}:{gateway.port}",
        "loopback": is_loopback(gateway.host),
        "tls": gateway.tls is not None,
        "auth": "token",
        "names": list(gateway.names),
        "origins": list(gateway.origins),
        "code": gateway.code,
    }
    if gateway.tls is not None and gateway.tls.key.exists() and platform_.exposure(gateway.tls.key):
        unsafe.append(f"{gateway.tls.key}: {platform_.exposure(gateway.tls.key)}")
    found["platforms"], leaves = _platforms(home, settings, unsafe)
    if settings.collector is not None:
        leaves.append(f"results and audit lines, to {settings.collector.url}")
    if settings.queue.redis:
        leaves.append("numbers of entries, to Redis")
    found["leaves"] = leaves
    found["handlers"] = _handlers(home, unsafe) | {"unconfined": settings.handlers.unconfined}
    found["workspaces"] = {name: str(path) for name, path in settings.workspaces.items()}
    if settings.handlers.unconfined:
        unsafe.append("handlers.unconfined: handlers run with a network where it cannot be cut")
    return found | {"unsafe": unsafe}


def drift(now: dict[str, Any], accepted: dict[str, Any]) -> list[str]:
    """What differs between two postures, as `gateway.bind: was ..., is ...`."""
    was, is_ = dict(flat(accepted)), dict(flat(now))
    return [
        f"{name}: was {was.get(name, 'absent')}, is {is_.get(name, 'absent')}"
        for name in sorted(was.keys() | is_.keys())
        if was.get(name) != is_.get(name) and not name.startswith(("unsafe", "audit"))
    ]


def flat(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Nested facts as `a.b.c` and JSON."""
    if isinstance(value, dict) and value:
        return [pair for key, part in value.items() for pair in flat(part, f"{name}.{key}" if name else str(key))]
    return [(name, json.dumps(value, sort_keys=True))]


def _files(home: Home, unsafe: list[str]) -> dict[str, str]:
    modes = {}
    for path in (home.settings, home.state, home.token, home.queue, home.anchor):
        if not path.exists():
            continue
        exposed = platform_.exposure(path)
        modes[str(path)] = exposed or "private"
        if exposed:
            unsafe.append(f"{path}: {exposed}")
    return modes


def _audit(home: Home, unsafe: list[str]) -> dict[str, Any]:
    if not home.queue.exists():
        return {"lines": 0, "holds": True}
    try:
        verdict = verify(home)
    except (sqlite3.Error, ValueError, OSError) as error:
        unsafe.append(f"the audit log cannot be read: {error}")
        return {"lines": 0, "holds": False}
    if verdict.broken:
        unsafe.append(f"the audit log is broken: {verdict.broken}")
    return {"lines": verdict.lines, "holds": not verdict.broken}


def verify(home: Home) -> audit.Verdict:
    """The audit log's verdict. Opens the database for reading alone."""
    connection = sqlite3.connect(f"file:{home.queue}?mode=ro", uri=True, timeout=20)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("BEGIN")
        return audit.verify(connection, audit.read_anchor(home.anchor))
    finally:
        connection.close()


def _platforms(home: Home, settings: Any, unsafe: list[str]) -> tuple[dict[str, Any], list[str]]:
    from . import platforms

    found, leaves = {}, []
    for name in settings.platforms:
        try:
            channel = platforms.settings(home, settings, name)
        except (ConfigurationError, LookupError) as error:
            unsafe.append(f"platforms.{name}: {error}")
            continue
        found[name] = {
            "allow": sorted(map(str, channel.allow)),
            "paired": _paired(home.queue, name),
            "conversations": sorted(map(str, channel.conversations)),
            "code": channel.code,
        }
        leaves.append(f"answers{' with lines of code' if channel.code else ''}, to {name}")
    return found, leaves


def _paired(queue: Path, platform: str) -> list[str]:
    if not queue.exists():
        return []
    connection = sqlite3.connect(f"file:{queue}?mode=ro", uri=True, timeout=20)
    try:
        return [
            row[0]
            for row in connection.execute("SELECT sender FROM known WHERE platform = ? ORDER BY sender", (platform,))
        ]
    except sqlite3.Error:
        return []
    finally:
        connection.close()


def _handlers(home: Home, unsafe: list[str]) -> dict[str, Any]:
    from .routes import Routes, untrusted

    files = sorted(path.name for path in home.handlers.glob("*.py")) if home.handlers.is_dir() else []
    for name in files:
        trouble = untrusted(home, name)
        if trouble:
            unsafe.append(f"handlers/{name}: {trouble}")
    try:
        network = sorted(route.handler for route in Routes(home).all() if route.network)
    except ConfigurationError as error:
        unsafe.append(str(error))
        network = []
    return {"files": files, "network": network}
