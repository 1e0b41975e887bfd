"""A default that is shared by all calls, in a function that changes it or lets it out."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Edit
from ...fixing import FixContext
from ...shapes import is_fresh_container, is_mutation_of, own_nodes, rebinds

visits = (ir.Function,)
mends = (ir.Function,)
title = "Make a new one in each call"

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


def fix(node: ir.Function, context: FixContext) -> Iterator[Edit]:
    """The default becomes None, and the body starts by replacing that. Another default of the same head is left alone."""
    found = next(check(node, context), None)
    parameter = next((one for one in node.parameters if found is not None and one.default is found.node), None)
    body = [part for part in node.body if not _is_text(part)]
    if parameter is None or parameter.default is None or not body:
        return
    indent = _indent(context, body[0])
    if indent is None:
        return
    default = context.text(parameter.default)
    if "\n" in default:
        return
    yield context.replace(parameter.default, "None")
    if parameter.annotation is not None and not isinstance(parameter.annotation, ir.Constant):
        yield context.edit(parameter.annotation.end, parameter.annotation.end, " | None")
    name = parameter.name
    lines = f"if {name} is None:\n{indent}    {name} = {default}\n{indent}"
    yield context.edit(body[0].start, body[0].start, lines)


def _is_text(part: ir.Statement) -> bool:
    return isinstance(part, ir.ExpressionStatement) and isinstance(part.value, ir.Constant)


def _indent(context: FixContext, statement: ir.Statement) -> str | None:
    """What stands before a statement on its line, if that is space alone."""
    before = context.bytes(0, statement.start).rpartition(b"\n")
    return before[2].decode() if before[1] and not before[2].strip() else None
