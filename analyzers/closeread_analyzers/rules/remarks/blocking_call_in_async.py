"""A call that blocks, directly in the body of an async function."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext

visits = (ir.Call,)
mends = (ir.Call,)
title = "Sleep without blocking"
safe = False

_BLOCKING = frozenset(
    [
        "time.sleep",
        "os.system",
        "os.wait",
        "socket.create_connection",
        "urllib.request.urlopen",
        "subprocess.run",
        "subprocess.call",
        "subprocess.check_call",
        "subprocess.check_output",
        "subprocess.getoutput",
        *(
            f"{library}.{verb}"
            for library in ("requests", "httpx")
            for verb in ["get", "post", "put", "patch", "delete", "head"]
        ),
        "requests.request",
        "httpx.request",
        *(f"child_process.{name}" for name in ("execSync", "execFileSync", "spawnSync")),
        *(f"fs.{name}Sync" for name in ("readFile", "writeFile", "appendFile", "copyFile", "readdir")),
    ]
)
calls = frozenset(path.rpartition(".")[2] for path in _BLOCKING)


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    function = context.function
    if function is None or not function.is_async or context.is_test:
        return
    path = context.path(node.callee)
    if path is not None and path.removeprefix("node:") in _BLOCKING:
        yield Report(node, name=context.text(node.callee))


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`time.sleep(1)` becomes `await asyncio.sleep(1)`. What else blocks has no form that surely does the same."""
    if context.path(node.callee) == "time.sleep":
        yield from context.use(node.callee, "asyncio", "sleep", "await {}")
