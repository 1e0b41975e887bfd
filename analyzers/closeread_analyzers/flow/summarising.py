"""From a function interpreted on symbols to its summary: returns, effects, and what it vouches for."""

from __future__ import annotations

from typing import Any

from .. import ir
from . import kept
from .frame import Frame
from .states import Variables
from .summaries import Effect, Summary
from .taints import Parameter
from .values import UNKNOWN_VALUE, Shape, Value, freeze, join_frozen


def summarise(frame: Frame, function: ir.Function, parameters: dict[int, int], kinds: frozenset[str]) -> Summary:
    """The summary of a function that has been interpreted on symbols."""
    returns: Value | None = None
    alias = -2
    by_ref = {ref: index for index, ref in parameters.items() if ref}
    for value, _, heap in frame.exits:
        this = by_ref.get(value.ref, -1) if value.ref else -1
        alias = this if alias in (-2, this) else -1
        frozen = freeze(value, heap)
        if frozen.shape is not None and frozen.shape.kind == "parameter":
            frozen = Value(frozen.taints, frozen.const, frozen.path, frozen.target, 0, None, frozen.name)
        returns = frozen if returns is None else join_frozen(returns, frozen)
    if function.is_generator:
        inner = frame.yields or UNKNOWN_VALUE
        shape = Shape("list", {}, freeze(inner, frame.heap), closed=False)
        returns, alias = Value(shape=shape), -1
    effects: dict[tuple[int, Any], Value] = {}
    aliases: dict[tuple[int, Any], int] = {}
    for index, ref in parameters.items():
        for _, _, heap in frame.exits:
            shape_at_exit = heap.get(ref)
            if shape_at_exit is None or shape_at_exit.kind != "parameter":
                continue
            for key, value in shape_at_exit.items.items():
                if value.ref and frame.loaded.get(value.ref, frame) is heap.get(value.ref):
                    continue  # a field that was read, and is as it was
                frozen = freeze(value, heap)
                known = effects.get((index, key))
                itself = by_ref.get(value.ref, -1) if value.ref else -1
                aliases[index, key] = itself if aliases.get((index, key), itself) == itself else -1
                effects[index, key] = frozen if known is None else join_frozen(known, frozen)
            if shape_at_exit.rest is not None:
                frozen = freeze(shape_at_exit.rest, heap)
                known = effects.get((index, None))
                effects[index, None] = frozen if known is None else join_frozen(known, frozen)
    return Summary(
        returns or UNKNOWN_VALUE,
        max(alias, -1),
        tuple(frame.record.sinks.values()),
        (
            *(Effect(index, key, value, aliases.get((index, key), -1)) for (index, key), value in effects.items()),
            *(kept.effects(frame, frame.exits) if frame.stores else ()),
        ),
        _cleared(function, parameters, frame.truths or [], kinds),
        _cleared(function, parameters, [variables for _, variables, _ in frame.exits], kinds),
    )


def _cleared(
    function: ir.Function, parameters: dict[int, int], states: list[Variables], kinds: frozenset[str]
) -> tuple[tuple[int, frozenset[str]], ...]:
    """Which parameters, still what the caller gave, are harmless in all of some states."""
    found: list[tuple[int, frozenset[str]]] = []
    for index, ref in parameters.items() if states else ():
        cleared = kinds
        for variables in states:
            value = variables.get(function.parameters[index].name)
            if value is None or value.ref != ref:
                cleared = frozenset()
                break
            symbols = [taint for taint in value.taints if taint.origin == Parameter(index)]
            cleared = cleared.intersection(*(taint.cleared for taint in symbols)) if symbols else cleared
        if cleared:
            found.append((index, cleared))
    return tuple(found)
