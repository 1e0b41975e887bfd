"""`scan PATH`: look at a folder now."""

from __future__ import annotations

from ..findings import counts, folder, lines
from ..findings import report as report_of
from . import Task

usage = "scan PATH"
about = "Scan a workspace, or a path in one, and tell the gravest findings."


async def handle(task: Task) -> str:
    """See the folder's own words."""
    path = folder(task, task.argument)
    task.progress(f"scanning {task.argument}")
    report = await report_of(task, path)
    head = f"**{task.argument}**: {counts(report['findings'])} in {report['files']:,} files"
    if report["problems"]:
        head += f"; {len(report['problems'])} could not be analysed whole"
    if report["muted"]:
        head += f"; {report['muted']} muted"
    return "\n".join([head, *lines(task, path, report["findings"])])
