"""`status`: how the sidecar is, in a few lines."""

from __future__ import annotations

from . import Task

usage = "status"
about = "Tell how the sidecar is: queue, platforms, collector."
instant = True


async def handle(task: Task) -> str:
    """See the folder's own words."""
    status = await task.sidecar.status()
    tasks = status["queue"].get("task", {})
    waiting = sum(tasks.get(state, 0) for state in ("held", "ready", "leased"))
    told = [
        f"closeread {status['version']}, up {status['uptime'] / 60:.0f} min",
        f"{waiting:,} waiting, {sum(kind.get('dead', 0) for kind in status['queue'].values()):,} dead",
        "platforms: " + (", ".join(f"{name} {state}" for name, state in sorted(status["platforms"].items())) or "none"),
        f"collector: {status['collector']}",
    ]
    if status["redis"] != "not used":
        told.append(f"redis: {status['redis']}")
    if status["problem"]:
        told.append(f"problem: {status['problem']}")
    return "\n".join(told)
