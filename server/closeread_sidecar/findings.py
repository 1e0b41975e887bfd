"""Findings for chat: which folder is meant, what `closeread analyze` says of it, and the words for that.

Deliberately absent: analysis of our own. A report is the JSON that `closeread analyze --format json` prints.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from .handlers import Task
from .runner import HandlerError


def folder(task: Task, path: str) -> Path:
    """The folder or file that a PATH means: a workspace's name, and what follows in it. Raises HandlerError.

    Whoever asks chooses the words, so that nothing outside the workspaces of the settings is ever looked at.
    """
    if not task.sidecar.workspaces:
        raise HandlerError("No folder may be scanned: `workspaces` in sidecar.yaml names none.")
    name, _, rest = path.replace("\\", "/").partition("/")
    root = task.sidecar.workspaces.get(name)
    if root is None:
        raise HandlerError("Say which: " + ", ".join(sorted(task.sidecar.workspaces)) + ", or a path in one of them.")
    try:
        root = root.resolve(strict=True)
        found = (root / rest).resolve(strict=True)
    except (OSError, ValueError) as error:
        raise HandlerError(f"{name} has no such path.") from error
    if not found.is_relative_to(root):
        raise HandlerError(f"{name} has no such path.")
    return found


async def report(task: Task, path: Path, *more: str) -> dict[str, Any]:
    """The JSON report of a folder, without the findings that were muted."""
    printed = await task.sidecar.closeread(["analyze", "--path", str(path), "--format", "json", "--quiet", *more])
    told = cast(dict[str, Any], json.loads(printed))
    muted = {
        row["finding"] for row in await task.sidecar.book(lambda db: db.execute("SELECT finding FROM muted").fetchall())
    }
    told["muted"] = sum(finding["fingerprint"] in muted for finding in told["findings"])
    told["findings"] = [finding for finding in told["findings"] if finding["fingerprint"] not in muted]
    return told


SEVERITIES = ("critical", "high", "medium", "low", "info")


def counts(findings: Sequence[Mapping[str, Any]]) -> str:
    """`3 findings (1 high, 2 low)`."""
    each = [(level, sum(finding["severity"] == level for finding in findings)) for level in SEVERITIES]
    words = ", ".join(f"{count} {level}" for level, count in each if count)
    return f"{len(findings)} finding{'' if len(findings) == 1 else 's'}" + (f" ({words})" if words else "")


def lines(task: Task, root: Path, findings: Sequence[Mapping[str, Any]], most: int = 10) -> list[str]:
    """The gravest findings, one line each; with the line of code where the channel may have it."""
    told = []
    for finding in sorted(findings, key=lambda finding: SEVERITIES.index(finding["severity"]))[:most]:
        at = finding["location"]
        told.append(
            f"- {finding['severity']} `{finding['rule']}` {_inside(root, at['path'])}:{at['start_line']}: {finding['message']} "
            f"(`{finding['fingerprint'][:12]}`)"
        )
        line = _line(root, at["path"], at["start_line"]) if task.code else ""
        if line:
            told.append(f"```\n{line}\n```")
    if len(findings) > most:
        told.append(f"- and {len(findings) - most} more")
    return told


def _inside(root: Path, path: str) -> str:
    """A path as it is called in the workspace: where that lies on the machine is nobody's business."""
    base = root if root.is_dir() else root.parent
    return Path(path).relative_to(base).as_posix() if Path(path).is_relative_to(base) else Path(path).name


def _line(root: Path, path: str, number: int) -> str:
    base = root if root.is_dir() else root.parent
    try:
        file = (base / path).resolve()
        if not file.is_relative_to(base) or file.stat().st_size > 5_000_000:
            return ""
        return file.read_text("utf-8", "replace").splitlines()[number - 1].strip()[:200]
    except (OSError, ValueError, IndexError):
        return ""
