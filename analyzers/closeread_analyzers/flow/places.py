"""Places that have no name of their own ("request.args['x']"), and what tests have said of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import ir
from .values import Value

if TYPE_CHECKING:
    from .frame import Frame

NARROWED: Final = "."
"""The variable under which a frame keeps what tests have said of places without a name: "request.path" -> Value."""


def step_of(link: ir.Expression) -> str:
    """How one link of a chain is written in a place's name; what no other link can be for an unknown key."""
    if isinstance(link, ir.Attribute):
        return f".{link.name}"
    if isinstance(link, ir.Subscript) and isinstance(link.key, ir.Constant):
        return f"[{link.key.value!r}]"
    return f"[{link.start}:{link.end}]"


def place_of(node: ir.Expression) -> str | None:
    """The name of a place reached from a variable without calls: "request.args['x']"."""
    steps: list[str] = []
    while isinstance(node, (ir.Attribute, ir.Subscript)):
        steps.append(step_of(node))
        node = node.value
    return node.id + "".join(reversed(steps)) if isinstance(node, ir.Name) else None


def forget(frame: Frame, place: str) -> None:
    """A place was written: what tests said of it and of what lies inside holds no more."""
    narrowed = frame.variables.get(NARROWED)
    if narrowed is None:
        return
    kept = {
        p: v
        for p, v in narrowed.target.items()
        if not (p.startswith(place) and p[len(place) : len(place) + 1] in ("", ".", "["))
    }
    if kept:
        frame.variables[NARROWED] = Value(target=kept)
    else:
        del frame.variables[NARROWED]
