"""`review COMMIT`: what a commit introduced and fixed."""

from __future__ import annotations

import json
import re

from ..findings import counts, folder, lines
from ..runner import HandlerError
from . import Task

usage = "review COMMIT"
about = "Tell what a commit of a workspace introduced and fixed: `review COMMIT`, or `review WORKSPACE COMMIT` where there are several."


async def handle(task: Task) -> str:
    """The workspace may be left out where there is only one, and the commit is then the newest."""
    *named, commit = task.argument.split() or ["HEAD"]
    name = named[0] if named else next(iter(task.sidecar.workspaces), "")
    if len(named) > 1 or (not named and len(task.sidecar.workspaces) > 1):
        raise HandlerError(
            "Say which: `review WORKSPACE COMMIT`, of " + ", ".join(sorted(task.sidecar.workspaces)) + "."
        )
    path = folder(task, name)
    if not re.fullmatch(r"[0-9A-Za-z][\w./~^@-]{0,80}", commit):
        raise HandlerError("That is no commit.")
    task.progress(f"reviewing {commit}")
    told = json.loads(await task.sidecar.closeread(["review", commit, "--path", str(path), "--format", "json"]))
    findings, fixed = told["findings"], told.get("fixed", [])
    head = f"**{name} {told.get('commit', commit)[:12]}**: {counts(findings)} introduced, {len(fixed)} fixed"
    return "\n".join([head, *lines(task, path, findings)])
