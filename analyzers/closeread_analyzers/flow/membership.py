"""Collections of which it is known what they hold: to be found in one is to be what the program itself wrote there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import ir
from ..admitted import is_harmless_text
from ..tree import walk
from . import kept
from .narrowing import quiet
from .taints import Parameter
from .values import ClassRef, Value

if TYPE_CHECKING:
    from .frame import Frame

_COPIES: Final = frozenset(("list", "set", "tuple", "frozenset", "sorted", "dict"))
_VIEWS: Final = ("keys", "values", "copy")
_MEMBERS: Final = ("__members__", "_value2member_map_")


def constants_only(frame: Frame, node: ir.Expression) -> bool:
    """Whether a collection holds nothing but constants the program wrote itself."""
    if isinstance(node, ir.Call):
        callee = node.callee
        if isinstance(callee, ir.Name):
            return callee.id in _COPIES and len(node.arguments) == 1 and constants_only(frame, node.arguments[0].value)
        if not isinstance(callee, ir.Attribute) or callee.name not in _VIEWS or node.arguments:
            return False
        return constants_only(frame, callee.value)
    if isinstance(node, ir.Comprehension):
        return _made_of_constants(frame, node)
    if isinstance(node, ir.Attribute) and node.name in _MEMBERS:
        return _is_enumeration(frame, quiet(frame, node.value))
    value = quiet(frame, node)
    if isinstance(value.const, str):
        return is_harmless_text(value.const)  # a substring test
    if _is_enumeration(frame, value):
        return True
    constant = isinstance(node, (ir.Name, ir.Attribute)) and _constant_name(node)
    if not value.ref:
        return constant and not value.taints
    shape = frame.heap.get(value.ref)
    if shape is None or (value.taints and not _of_class(frame, node, value)):
        return False
    if shape.kind == "dict":
        return shape.rest is None or not shape.rest.taints
    if shape.kind not in ("list", "set"):
        return False
    return shape.holds_constants() or (constant and all(not item.taints for item in shape.values()))


def _of_class(frame: Frame, node: ir.Expression, value: Value) -> bool:
    """Whether a collection that an instance has is its class's own, which no function of the file changes."""
    if not isinstance(node, ir.Attribute) or node.name in kept.changed_names(frame.engine, frame.source):
        return False
    origins = [taint.origin for taint in value.taints]
    return all(isinstance(origin, Parameter) and origin.inside == (node.name,) for origin in origins)


def _made_of_constants(frame: Frame, node: ir.Comprehension) -> bool:
    """`[c.value for c in Colour]`: of constants, and of nothing else but what is not tainted."""
    if not all(constants_only(frame, clause.iterable) for clause in node.clauses):
        return False
    bound = {inner.id for clause in node.clauses for inner in walk(clause.target) if isinstance(inner, ir.Name)}
    names = {inner.id for inner in walk(node.element) if isinstance(inner, ir.Name)}
    return all(not frame.read(name).taints for name in names - bound)


def _is_enumeration(frame: Frame, value: Value) -> bool:
    if not isinstance(value.target, ClassRef):
        return False
    return any(isinstance(base, str) and base.startswith("enum.") for base in frame.engine.bases(value.target))


def _constant_name(node: ir.Name | ir.Attribute) -> bool:
    name = node.id if isinstance(node, ir.Name) else node.name
    return name.isupper() and len(name) > 2  # by convention a constant; its content is out of sight
