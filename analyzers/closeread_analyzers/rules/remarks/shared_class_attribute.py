"""A container of the class's body that a method changes through its instance."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from ... import ir
from ...check import Context, Report
from ...pattern import later
from ...scope import methods
from ...shapes import is_fresh_container, is_mutation_of, own_nodes

visits = (ir.Function,)

_SHARED_BY_NAME = later(r"^(?-i:[A-Z_0-9]+)$|cache|registr|pool|instances|shared|memo|^_?all_", re.IGNORECASE)


def check(node: ir.Function, context: Context) -> Iterator[Report]:
    """Reports the change."""
    owner = context.class_at(node)
    if owner is None or node.decorators or not node.parameters:
        return
    if not _containers(owner):
        return
    context.wide = True
    shared = _shared(owner)
    receiver = node.parameters[0].name
    if receiver in ("cls", "mcs", "metacls"):
        return
    for part in own_nodes(node):
        if not isinstance(part, ir.Call):
            continue  # a dict filled key by key is mostly a table that is shared on purpose
        for name in shared:
            if is_mutation_of(part, ir.Attribute(0, 0, ir.Name(0, 0, receiver), name)):
                yield Report(part, name=name)


@lru_cache(maxsize=64)
def _containers(owner: ir.Class) -> list[str]:
    """The attributes that the class's body sets to a container."""
    return [
        statement.targets[0].id
        for statement in owner.body
        if isinstance(statement, ir.Assign)
        and statement.annotation is None
        and is_fresh_container(statement.value)
        and isinstance(statement.targets[0], ir.Name)
    ]


@lru_cache(maxsize=64)
def _shared(owner: ir.Class) -> list[str]:
    """The class's containers that no method ever replaces by one of the instance's own."""
    replaced = {
        target.name
        for method in methods(owner)
        for part in own_nodes(method)
        if isinstance(part, ir.Assign)
        for target in part.targets
        if isinstance(target, ir.Attribute)
    }
    return [name for name in _containers(owner) if name not in replaced and not _SHARED_BY_NAME.search(name)]
