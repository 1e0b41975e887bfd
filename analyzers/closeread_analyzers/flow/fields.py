"""What a form or a schema holds once it has been filled: under each name, what the field of that name lets through.

`form.cleaned_data["order"]` is one of the choices if the class says `order = ChoiceField(...)`, and free text if it says
`CharField()`. Deliberately absent: fields that a constructor adds, and what a field's validators do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .containers import make
from .taints import Taint
from .values import ClassRef, Instance, Value

if TYPE_CHECKING:
    from .frame import Frame


def record(frame: Frame, holder: Any, taint: Taint) -> Value | None:
    """A dict of what `taint` is under each field of the workspace class that `holder` is an instance of."""
    if not isinstance(holder, Instance):
        return None
    engine = frame.engine
    items: dict[Any, Value] = {}
    for owner in (holder.cls, *engine.bases(holder.cls)):
        info = engine._class(owner) if isinstance(owner, ClassRef) else None
        for name in engine._class_names(info) if info is not None else ():
            field = engine._noted(("attribute", owner, name)) if name not in items else None
            if field is not None and field.path is not None:
                items[name] = Value((taint.clear(engine.cleared_by_type(frame, field.path)),), name=name)
    return make(frame, "dict", items, Value((taint,)), False)
