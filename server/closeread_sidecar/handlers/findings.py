"""`findings [PATH]`: what there is to say of a workspace; unchanged files are answered from the cache."""

from __future__ import annotations

from ..findings import counts, folder, lines
from ..findings import report as report_of
from . import Task

usage = "findings [PATH]"
about = "List the findings of a workspace, or of all of them."


async def handle(task: Task) -> str:
    """See the folder's own words."""
    names = [task.argument] if task.argument else sorted(task.sidecar.workspaces)
    told: list[str] = []
    for name in names or [""]:
        path = folder(task, name)
        report = await report_of(task, path)
        told += [
            f"**{name}**: {counts(report['findings'])}",
            *lines(task, path, report["findings"], 30 if task.argument else 5),
        ]
    return "\n".join(told)
