"""What a form or a schema holds once it has been filled: under each name, what the field of that name lets through.

`form.cleaned_data["order"]` is one of the choices if the class says `order = ChoiceField(...)`, and free text if it says
`CharField()`, unless one of its validators says more. Deliberately absent: fields that a constructor adds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..catalogue import StepModel
from . import conditions
from .arguments import Arguments
from .containers import make
from .taints import Taints
from .values import ClassRef, Instance, Shape, Value

if TYPE_CHECKING:
    from .frame import Frame


def record(frame: Frame, holder: Any, taints: Taints) -> Value | None:
    """A dict of what `taints` are under each field of the workspace class that `holder` is an instance of."""
    if not isinstance(holder, Instance):
        return None
    engine = frame.engine
    items: dict[Any, Value] = {}
    for owner in (holder.cls, *engine.bases(holder.cls)):
        info = engine._class(owner) if isinstance(owner, ClassRef) else None
        for name in engine._class_names(info) if info is not None else ():
            field = engine._noted(("attribute", owner, name)) if name not in items else None
            if field is not None and field.path is not None:
                clears = engine.cleared_by_type(frame, field.path.removesuffix("()")) | cleared(
                    frame, field, field.shape
                )
                items[name] = Value(tuple(taint.clear(clears) for taint in taints), name=name)
    return make(frame, "dict", items, Value(taints), False)


def cleared(frame: Frame, field: Value, made_of: Shape | None) -> frozenset[str]:
    """The sink kinds for which what a field holds is harmless by what it was made of: its validators, its pattern."""
    if made_of is None or made_of.kind != "object":
        return frozenset()
    clears = _by(frame, field, made_of) if field.path is not None else frozenset()
    for given in made_of.items.values():
        for one in [given, *_items(frame, given)]:
            shape = one.shape if one.shape is not None else frame.heap.get(one.ref) if one.ref else None
            if one.path is not None and shape is not None:
                clears |= _by(frame, one, shape)
    return clears


def _by(frame: Frame, made: Value, made_of: Shape) -> frozenset[str]:
    """What the models say that something is a barrier for, given what it was made of."""
    positional = [made_of.items[key] for key in ("0", "1", "2") if key in made_of.items]
    arguments = Arguments(positional, {key: item for key, item in made_of.items.items() if isinstance(key, str)})
    clears: frozenset[str] = frozenset()
    for entry in frame.models.calls.get(made.path or "", ()):
        if isinstance(entry, StepModel) and entry.barrier and conditions.holds(frame, entry, arguments, made):
            clears |= entry.clears
    return clears


def _items(frame: Frame, given: Value) -> list[Value]:
    shape = given.shape if given.shape is not None else frame.heap.get(given.ref) if given.ref else None
    return shape.values() if shape is not None and shape.kind == "list" else []
