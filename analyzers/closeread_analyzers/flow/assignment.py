"""What assignment and deletion do: names are bound, containers stored into, patterns taken apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ir
from . import containers, expressions, library, places, protocols, sinks
from .places import NARROWED
from .taints import join_taints
from .values import UNKNOWN, UNKNOWN_VALUE, Value, join

if TYPE_CHECKING:
    from .frame import Frame


def assign(frame: Frame, target: ir.Expression, value: Value, origin: ir.Node) -> None:
    """Bind, store or take apart. `origin` is the node the value came from, for traces."""
    if NARROWED in frame.variables and isinstance(target, (ir.Name, ir.Attribute, ir.Subscript)):
        place = places.place_of(target)
        if place is not None:
            places.forget(frame, place)
    if isinstance(target, ir.Name):
        name = target.id
        if value.taints:
            site = frame.site(target)
            value = value.tainted(tuple(taint.step(site, f"assigned to `{name}`") for taint in value.taints))
        if value.name != name:
            value = Value(value.taints, value.const, value.path, value.target, value.ref, value.shape, name)
        sinks.named(frame, name, value, origin)
        if name in frame.models.assigns:
            library.assigned(frame, target, origin, name, value)
        frame.write(name, value)
    elif isinstance(target, ir.Attribute):
        receiver = expressions.evaluate(frame, target.value)
        sinks.named(frame, target.name, value, origin)
        library.assigned_attribute(frame, target, origin, receiver, target.name, value)
        if receiver.ref:
            containers.store(frame, receiver, target.name, value)
    elif isinstance(target, ir.Subscript):
        receiver = expressions.evaluate(frame, target.value)
        key = expressions.evaluate(frame, target.key)
        if isinstance(key.const, str):
            sinks.named(frame, key.const, value, origin)
        library.assigned_item(frame, target, origin, receiver, key, value)
        if receiver.ref:
            containers.store(frame, receiver, key.const if not isinstance(target.key, ir.Slice) else UNKNOWN, value)
            if key.taints and key.const is UNKNOWN:
                containers.store(frame, receiver, UNKNOWN, Value(key.taints))
        elif isinstance(target.value, ir.Name) and value.taints:
            # A container nobody knows the inside of: what is put in comes out again.
            known = frame.variables.get(target.value.id)
            if known is not None:
                frame.variables[target.value.id] = known.tainted(
                    join_taints(known.taints, tuple(taint.doubt() for taint in value.taints))
                )
    elif isinstance(target, ir.Sequence):
        _unpack(frame, target, value, origin)
    elif isinstance(target, ir.Mapping):
        for key_node, inner in target.entries:
            if key_node is None:
                assign(frame, inner, value, origin)
                continue
            key = expressions.evaluate(frame, key_node)
            if isinstance(key.const, str):
                found = expressions.attribute(frame, key_node, value, key.const)
            else:
                found = expressions.item(frame, key_node, value, key)
            assign(frame, inner, found, origin)
    elif isinstance(target, ir.WithDefault):
        default = expressions.evaluate(frame, target.default)
        assign(frame, target.target, value if value is default else join(value, default, frame.heap), origin)
    elif isinstance(target, ir.Spread):
        assign(frame, target.value, value, origin)
    else:
        expressions.evaluate(frame, target)


def _unpack(frame: Frame, target: ir.Sequence, value: Value, origin: ir.Node) -> None:
    known = containers.positions(frame, value)
    after = len(target.items)
    for index, inner in enumerate(target.items):
        after -= 1
        if isinstance(inner, ir.Spread):
            if known is not None and index + after <= len(known):
                middle = dict(enumerate(known[index : len(known) - after]))
                assign(frame, inner.value, containers.make(frame, "list", dict(middle), None, True), origin)
                known = [*known[:index], UNKNOWN_VALUE, *known[len(known) - after :]]
                continue
            rest = protocols.element(frame, value, False, origin)
            assign(frame, inner.value, containers.make(frame, "list", {}, rest, False), origin)
            known = None
        elif known is not None and index < len(known):
            assign(frame, inner, known[index], origin)
        else:
            assign(frame, inner, protocols.element(frame, value, False, origin), origin)


def remove(frame: Frame, target: ir.Expression) -> None:
    """`del container[key]`."""
    if isinstance(target, ir.Subscript):
        receiver, key = expressions.evaluate(frame, target.value), expressions.evaluate(frame, target.key)
        if receiver.ref:
            containers.discard(frame, receiver, key.const)
    elif isinstance(target, ir.Attribute):
        receiver = expressions.evaluate(frame, target.value)
        if receiver.ref:
            containers.discard(frame, receiver, target.name)
