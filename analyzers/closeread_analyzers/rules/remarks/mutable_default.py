"""A default that is shared by all calls, in a function that changes it or lets it out."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...shapes import is_fresh_container, is_mutation_of, own_nodes, rebinds

visits = (ir.Function,)

_MAKERS = ("list", "dict", "set", "collections.defaultdict", "collections.OrderedDict", "collections.deque")


def check(node: ir.Function, context: Context) -> Iterator[Report]:
    """Reports the default."""
    for parameter in node.parameters:
        default = parameter.default
        if default is None or type(default) is ir.Constant or type(default) is ir.Name:
            continue
        if not _is_container(default, context) or _is_memory(parameter.name):
            continue
        nodes = list(own_nodes(node))
        if not rebinds(nodes, parameter.name) and any(_escapes(part, parameter.name) for part in nodes):
            yield Report(default, name=parameter.name)


def _is_memory(name: str) -> bool:
    """Whether the name says that the default is shared on purpose."""
    return name.startswith("_") or "cache" in name or "memo" in name


def _is_container(default: ir.Expression, context: Context) -> bool:
    if is_fresh_container(default):
        return True
    return isinstance(default, ir.Call) and context.path(default.callee) in _MAKERS


def _escapes(node: ir.Node, name: str) -> bool:
    if is_mutation_of(node, ir.Name(0, 0, name)):
        return True
    if isinstance(node, ir.Return | ir.Yield):
        return isinstance(node.value, ir.Name) and node.value.id == name
    if isinstance(node, ir.Assign) and isinstance(node.value, ir.Name) and node.value.id == name:
        return any(isinstance(target, ir.Attribute) for target in node.targets)
    return False
