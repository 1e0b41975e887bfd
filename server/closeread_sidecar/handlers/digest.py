"""`digest`: each workspace in two lines, and what is new or gone since the last digest."""

from __future__ import annotations

import json
import sqlite3

from ..findings import counts, folder, lines
from ..findings import report as report_of
from . import Task

usage = "digest"
about = "Sum up all workspaces, and what changed since the last digest."


async def handle(task: Task) -> str:
    """What was told last is kept in the sidecar's own database."""
    told: list[str] = []
    for name in sorted(task.sidecar.workspaces) or [""]:
        path = folder(task, name)
        task.progress(f"looking at {name}")
        findings = (await report_of(task, path))["findings"]
        now = {finding["fingerprint"] for finding in findings}
        before = await task.sidecar.book(lambda db, name=name, now=now: _remember(db, name, now))  # type: ignore[misc]
        fresh = [finding for finding in findings if finding["fingerprint"] not in before] if before is not None else []
        change = "" if before is None else f"; {len(fresh)} new, {len(before - now)} gone since the last digest"
        told += [f"**{name}**: {counts(findings)}{change}", *lines(task, path, fresh, 5)]
    return "\n".join(told)


def _remember(db: sqlite3.Connection, name: str, now: set[str]) -> set[str] | None:
    row = db.execute("SELECT value FROM note WHERE name = ?", (f"digest:{name}",)).fetchone()
    db.execute("INSERT OR REPLACE INTO note VALUES (?, ?)", (f"digest:{name}", json.dumps(sorted(now))))
    return set(json.loads(row["value"])) if row else None
