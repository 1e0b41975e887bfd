"""A call's arguments, once evaluated: found by the references of the models, and bound to parameters."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .. import ir
from ..catalogue import ArgRef
from . import containers
from .taints import NONE, Taints, join_taints
from .values import Value, deep_taints

if TYPE_CHECKING:
    from .frame import Frame


class Arguments:
    """A call's evaluated arguments. `spread` is what `*x` and `**x` may hold, or None without any."""

    __slots__ = ("keyword", "positional", "spread")

    def __init__(self, positional: list[Value], keyword: dict[str, Value], spread: Value | None = None) -> None:
        self.positional = positional
        self.keyword = keyword
        self.spread = spread

    def all(self) -> list[Value]:
        """Every argument."""
        found = self.positional + list(self.keyword.values()) if self.keyword else self.positional
        return [*found, self.spread] if self.spread is not None else found

    def at(self, ref: ArgRef, receiver: Value) -> Value | None:
        """The argument a reference means, None when it is not given (or hidden in a spread)."""
        if ref.kind == "position":
            return self.positional[ref.position] if ref.position < len(self.positional) else None
        if ref.kind == "keyword":
            return self.keyword.get(ref.name)
        if ref.kind == "self":
            return receiver
        return self.spread if ref.kind == "spread" else None


def argument_node(node: ir.Call, ref: ArgRef) -> ir.Expression | None:
    """The expression an argument reference means in a call."""
    if ref.kind == "self":
        return node.callee.value if isinstance(node.callee, ir.Attribute) else None
    if ref.kind == "position":
        positional = [a.value for a in node.arguments if a.name is None and not a.spread]
        return positional[ref.position] if ref.position < len(positional) else None
    return next((a.value for a in node.arguments if a.name == ref.name), None)


def join_all(values: Iterable[Value], frame: Frame) -> Taints:
    """The taints of all, insides included."""
    taints: Taints = NONE
    for value in values:
        if value.taints or value.ref:
            taints = join_taints(taints, deep_taints(value, frame.heap))
    return taints


def bound_parameters(frame: Frame, function: ir.Function, given: Arguments) -> dict[int, Value]:
    """Which parameter gets which argument, by index. `*rest` and `**rest` get containers."""
    values: dict[int, Value] = {}
    left = list(given.positional)
    named = dict(given.keyword)
    for index, parameter in enumerate(function.parameters):
        if parameter.kind == "*":
            if left or given.spread is not None:
                rest = given.spread
                values[index] = containers.make(frame, "list", dict(enumerate(left)), rest, rest is None)
                left = []
        elif parameter.kind == "**":
            if named or given.spread is not None:
                values[index] = containers.make(frame, "dict", dict(named), given.spread, given.spread is None)
                named = {}
        elif parameter.name and parameter.name in named and parameter.kind != "only-positional":
            values[index] = named.pop(parameter.name)
        elif left and parameter.kind != "only-keyword":
            values[index] = left.pop(0)
        elif given.spread is not None:
            values[index] = given.spread
    return values
