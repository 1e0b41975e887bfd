"""Values that arrive at sinks: by a call, or by the name of what they are assigned to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ir
from . import conditions, library
from .arguments import Arguments
from .taints import Taint
from .values import Value, deep_taints

if TYPE_CHECKING:
    from .frame import Frame


def reach(frame: Frame, kind: str, value: Value, node: ir.Node, sure: int, shallow: bool = False) -> None:
    """A value arrives at a sink. A literal that stands where none should is a source of its own."""
    taints = deep_taints(value, frame.heap) if value.ref and not shallow else value.taints
    if not taints:
        if isinstance(value.const, (str, bytes)) and value.const and kind in frame.engine.literal_kinds:
            site = frame.site(node)
            frame.reach(kind, Taint("literal", site, library.excerpt(frame, node), frozenset(), None, sure), site, sure)
        return
    site = frame.site(node)
    for taint in taints:
        frame.reach(kind, taint, site, sure)


def named(frame: Frame, name: Any, value: Value, node: ir.Node) -> None:
    """Sinks that a variable, attribute or key is by its name."""
    if not isinstance(name, str) or (not value.taints and not value.ref):
        return
    for entry in frame.engine.named_sinks(frame.models, name):
        if conditions.holds(frame, entry, Arguments([value], {}), value):
            reach(frame, entry.kind, value, node, 1)
