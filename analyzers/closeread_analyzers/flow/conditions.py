"""Whether an entry of the library models speaks of a call: its `when` and `unless`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from ..admitted import admits_anything, captures_narrow, finds_narrow, is_every_sign, is_narrow
from ..catalogue import ArgRef, Condition, Entry
from ..regex import is_exponential
from . import containers, folding, rendering
from .arguments import Arguments
from .values import UNKNOWN, Value, deep_taints

if TYPE_CHECKING:
    from .frame import Frame

_OF_TEXTS: Final[dict[str, Callable[[str], bool]]] = {
    "exponential": is_exponential,
    "narrow": is_narrow,
    "finds narrow": finds_narrow,
    "captures narrow": captures_narrow,
    "anything": admits_anything,
    "every sign": is_every_sign,
    "domain": lambda text: text.startswith(".") and len(text) > 2,
}
"""What a constant text must be."""


def within(frame: Frame, value: Value, ref: ArgRef) -> Value | None:
    """What lies in an argument at the keys a reference names; None where there is none."""
    for key in ref.keys:
        shape = frame.heap.get(value.ref) if value.ref else None
        found = shape.items.get(key) if shape is not None else None
        if found is None and shape is not None and key.isdigit():
            found = shape.items.get(int(key))
        if found is None:
            return None
        value = found
    return value


def holds(frame: Frame, entry: Entry, arguments: Arguments, receiver: Value) -> bool:
    """Whether an entry's `when` and `unless` let it speak here."""
    for condition in entry.when:
        if not _satisfied(frame, condition, arguments, receiver):
            return False
    return not any(_satisfied(frame, condition, arguments, receiver) for condition in entry.unless)


def _satisfied(frame: Frame, condition: Condition, arguments: Arguments, receiver: Value) -> bool:
    operator = condition.operator
    if operator == "any":
        return any(_satisfied(frame, inner, arguments, receiver) for inner in condition.alternatives)
    value: Value | None = None
    for ref in condition.arguments:
        if ref.kind == "keyword" and ref.name == "route":
            value = Value(const="literal") if frame.route == "literal" else None
        else:
            value = arguments.at(ref, receiver)
            if value is not None and ref.keys:
                value = within(frame, value, ref)
        if value is not None:
            break
    if value is None:
        return operator == "absent" and arguments.spread is None
    const = value.const
    if operator == "is":
        if value.ref and const is UNKNOWN:  # `isinstance(x, (int, float))`: each of them is
            items = containers.positions(frame, value)
            if items:
                return all(_among(item, condition) for item in items)
        return _among(value, condition)
    if operator == "unknown":
        return const is UNKNOWN
    test = _OF_TEXTS.get(operator)
    if test is not None:
        return isinstance(const, str) and test(const)
    if operator == "text":
        return isinstance(const, str) and bool(const)
    if operator == "template":
        return isinstance(value.target, rendering.TemplateRef)
    if operator == "tainted":
        return bool(deep_taints(value, frame.heap))
    if operator == "absent" or isinstance(const, bool) or not isinstance(const, (int, float)):
        return False
    return bool(folding.compare(operator, const, condition.values[0]))


def _among(value: Value, condition: Condition) -> bool:
    const = value.const
    if const is UNKNOWN:
        return value.path is not None and value.path in condition.values
    for known in condition.values:
        if type(const) is type(known) and const == known:
            return True
    return value.path is not None and value.path in condition.values
