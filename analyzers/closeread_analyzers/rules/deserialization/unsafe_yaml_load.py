"""YAML from a file, or from whoever calls, read by a loader that runs what is written in it."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...pattern import later
from ...shapes import argument, last_name, own_nodes

visits = (ir.Call,)
calls = frozenset({"load", "load_all", "unsafe_load", "unsafe_load_all"})

mends = (ir.Call,)
title = "Read it with safe_load"

_LOADS = later(r"yaml\.(unsafe_)?load(_all)?")
_SAFE = later(r"C?(Safe|Base)Loader")


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the call."""
    path = context.path(node.callee) or ""
    if not _LOADS.fullmatch(path) or context.is_test:
        return
    loader = argument(node, 1, "Loader")
    if "unsafe" not in path and loader is not None and _may_be_safe(loader):
        return
    stream = argument(node, 0, "stream")
    if stream is not None and _comes_from_outside(stream, context):
        yield Report(node)


def _may_be_safe(loader: ir.Expression) -> bool:
    name = last_name(loader)
    return bool(_SAFE.fullmatch(name)) or name not in (
        "Loader",
        "CLoader",
        "UnsafeLoader",
        "CUnsafeLoader",
        "FullLoader",
        "CFullLoader",
    )


def _comes_from_outside(stream: ir.Expression, context: Context) -> bool:
    while isinstance(stream, (ir.Attribute, ir.Call)):
        if isinstance(stream, ir.Call):
            if context.path(stream.callee) == "open":
                return True
            stream = stream.callee
        else:
            stream = stream.value
    if type(stream) is not ir.Name:
        return False
    function = context.function
    if function is not None and stream.id in {parameter.name for parameter in function.parameters} - {"self", "cls"}:
        return True
    body = list(own_nodes(function)) if function is not None else context.parents
    names = {stream.id}
    for part in body:
        if not isinstance(part, ir.Assign) or not isinstance(part.value, ir.Call):
            continue
        read = part.value.callee
        assigned = any(isinstance(target, ir.Name) and target.id == stream.id for target in part.targets)
        if assigned and isinstance(read, ir.Attribute) and read.name == "read":
            names.add(last_name(read.value))
    return any(
        isinstance(part, ir.WithItem)
        and part.target is not None
        and last_name(part.target) in names
        and isinstance(part.context, ir.Call)
        and last_name(part.context.callee) == "open"
        for part in body
    )


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`yaml.load(x, Loader=...)` becomes `yaml.safe_load(x)`."""
    name = last_name(node.callee)
    if not _LOADS.fullmatch(context.path(node.callee) or "") or not isinstance(node.callee, ir.Attribute):
        return
    yield from context.rename(node.callee, "safe_load_all" if name.endswith("_all") else "safe_load")
    for given in node.arguments[1:]:
        yield context.drop_argument(node, given)
