"""`mute FINDING`: do not tell of it here any more. The report, the editor and CI's gate are as before."""

from __future__ import annotations

import re
import sqlite3
import time

from .. import audit
from ..findings import folder
from ..findings import report as report_of
from ..runner import HandlerError
from . import Task

usage = "mute FINDING"
about = "Leave a finding out of what is told by chat; reports and gates do not change."


async def handle(task: Task) -> str:
    """The finding is named by its fingerprint, or by enough of it to be the only one."""
    if not re.fullmatch(r"[0-9a-f]{8,64}", task.argument):
        raise HandlerError("Say which finding, by the number in brackets after it: `mute 1a2b3c4d5e6f`.")
    known = set()
    for name in task.sidecar.workspaces:
        known |= {finding["fingerprint"] for finding in (await report_of(task, folder(task, name)))["findings"]}
    found = [fingerprint for fingerprint in known if fingerprint.startswith(task.argument)]
    if len(found) != 1:
        raise HandlerError(
            "There is no such finding." if not found else "There are several findings like that; say more of it."
        )

    def operation(db: sqlite3.Connection) -> None:
        db.execute("INSERT OR REPLACE INTO muted VALUES (?, ?, ?)", (found[0], task.sender, time.time()))
        audit.append(db, time.time(), "muted", finding=found[0], sender=task.sender[:100])

    await task.sidecar.book(operation)
    return f"Muted `{found[0][:12]}` here; reports and gates still have it."
