"""What an annotation or a dotted name means, without running anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import ir
from .values import MAX_PATH, ClassRef, Instance, Shape, Value

if TYPE_CHECKING:
    from .frame import Frame


def annotated(frame: Frame, annotation: ir.Expression) -> Value | None:
    """What an annotation says a value is: an instance of a workspace class or of a library's. Optional is looked through."""
    checks: dict[str, Value] = {}
    for _ in range(3):
        if isinstance(annotation, ir.Subscript):
            outer = annotation.value
            name = outer.name if isinstance(outer, ir.Attribute) else outer.id if isinstance(outer, ir.Name) else ""
            if name == "Literal":
                return Value(path="typing.Literal")
            if name not in ("Optional", "Annotated"):
                return None
            key = annotation.key
            annotation = key.items[0] if isinstance(key, ir.Sequence) and key.items else key
            more = key.items[1:] if name == "Annotated" and isinstance(key, ir.Sequence) else []
            checks |= {str(at): made for at, one in enumerate(more) if (made := called(frame, one)) is not None}
        elif isinstance(annotation, ir.Binary) and annotation.operator == "|":
            annotation = annotation.left
    made = called(frame, annotation)
    if made is not None:  # `constr(pattern="[a-z]+")`
        return Value(path="str", shape=Shape("object", {**checks, "type": made}))
    if isinstance(annotation, ir.Constant) and isinstance(annotation.value, str):
        return frame.engine.annotation_text(frame, annotation.value)
    if not isinstance(annotation, (ir.Name, ir.Attribute)):
        return None
    value = plain_path(frame, annotation)
    if value is None:
        return None
    if isinstance(value.target, ClassRef):
        return Value(target=Instance(value.target))
    if value.path is not None:
        shape = Shape("object", dict(checks)) if checks else None
        return Value(path=frame.engine.canonical(frame, value.path), shape=shape)
    return None


def called(frame: Frame, node: ir.Expression | None) -> Value | None:
    """A call in an annotation or a default, as the library's object it makes: its path, and the constants it is given."""
    if not isinstance(node, ir.Call):
        return None
    callee = plain_path(frame, node.callee)
    if callee is None or callee.path is None:
        return None
    given: dict[Any, Value] = {
        argument.name or str(at): Value(const=argument.value.value)
        for at, argument in enumerate(node.arguments)
        if isinstance(argument.value, ir.Constant)
    }
    return Value(path=callee.path, shape=Shape("object", given))


def plain_path(frame: Frame, node: ir.Expression) -> Value | None:
    """A dotted name's value, with no effects and no models: for annotations, bases and decorators."""
    names: list[str] = []
    while isinstance(node, ir.Attribute):
        names.append(node.name)
        node = node.value
    if not isinstance(node, ir.Name):
        return None
    value = frame.read(node.id)
    for name in reversed(names):
        if value.target is not None:
            member = frame.engine.member(frame, value.target, name, value)
            if member is not None:
                value = member
                continue
        if value.path is None:
            return None
        value = Value(path=f"{value.path}.{name}"[:MAX_PATH], name=name)
    return value
