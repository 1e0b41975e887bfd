"""`explain RULE`: why a rule matters and what to do."""

from __future__ import annotations

import re

from ..runner import HandlerError
from . import Task

usage = "explain RULE"
about = "Explain a rule: why it matters, what to do."


async def handle(task: Task) -> str:
    """The rule's page without its examples: they are code, and long."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9/-]{0,80}", task.argument):
        raise HandlerError("Say which rule, as a finding names it: `explain command-injection`.")
    page = (await task.sidecar.closeread(["explain", task.argument])).decode()
    prose, _, rest = page.partition("\n## Flagged")
    tail = rest.rpartition("\n---\n")[2]
    return re.sub(r"^# (.*)", r"**\1**", prose.strip()) + ("\n" + tail.strip() if tail.strip() else "")
