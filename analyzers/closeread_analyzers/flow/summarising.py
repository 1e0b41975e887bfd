"""From a function interpreted on symbols to its summary: returns, effects, and what it vouches for."""

from __future__ import annotations

from typing import Any

from .. import ir
from . import kept
from .frame import Answers, Frame
from .places import NARROWED
from .states import Variables
from .summaries import Effect, Summary, Vouched
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
    answers = frame.answers or Answers()
    return Summary(
        returns or UNKNOWN_VALUE,
        max(alias, -1),
        tuple(frame.record.sinks.values()),
        (
            *(Effect(index, key, value, aliases.get((index, key), -1)) for (index, key), value in effects.items()),
            *(kept.effects(frame, frame.exits) if frame.stores else ()),
        ),
        _vouched(function, parameters, answers.true, kinds),
        _vouched(function, parameters, answers.false, kinds),
        _vouched(function, parameters, [variables for _, variables, _ in frame.exits], kinds),
    )


def _vouched(
    function: ir.Function, parameters: dict[int, int], states: list[Variables], kinds: frozenset[str]
) -> tuple[Vouched, ...]:
    """Which parameters, still what the caller gave, and which of their attributes, are harmless in all of some states."""
    found: list[Vouched] = []
    for index, ref in parameters.items() if states else ():
        cleared = kinds
        attributes: dict[str, frozenset[str]] | None = None
        name = function.parameters[index].name
        for variables in states:
            value = variables.get(name)
            if value is None or value.ref != ref:
                cleared, attributes = frozenset(), None
                break
            for taint in value.taints if cleared else ():
                origin = taint.origin
                if isinstance(origin, Parameter) and origin.place == index and not origin.inside:
                    cleared &= taint.cleared
            narrowed = variables.get(NARROWED)
            if narrowed is None:
                attributes = {}
                if not cleared:
                    break
                continue
            told = _attributes(narrowed.target, f"{name}.", index, kinds)
            if attributes is not None:
                told = {key: clears & attributes[key] for key, clears in told.items() if key in attributes}
            attributes = told
        if cleared:
            found.append(Vouched(index, cleared))
        found += [Vouched(index, clears, key) for key, clears in (attributes or {}).items() if clears]
    return tuple(found)


def _attributes(narrowed: dict[str, Value], start: str, index: int, kinds: frozenset[str]) -> dict[str, frozenset[str]]:
    """For which kinds the attributes of a parameter are harmless by what tests have said of them."""
    found: dict[str, frozenset[str]] = {}
    for place, value in narrowed.items():
        name = place[len(start) :]
        if place.startswith(start) and name.isidentifier():
            held = [taint for taint in value.taints if taint.origin == Parameter(index, (name,))]
            found[name] = kinds.intersection(*(taint.cleared for taint in held))
    return found
