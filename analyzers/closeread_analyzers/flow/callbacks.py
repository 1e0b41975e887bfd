"""Functions handed to a call that calls them: threads, executors, task queues, `map`, `partial`; what the models say of it.

The function is interpreted where it is handed over, whenever it will run. Deliberately absent: the order in which the two
go on, and what a function run elsewhere leaves in its own copies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import ir
from ..catalogue import ArgRef, CallbackModel
from . import containers, expressions, invocation, protocols
from .arguments import Arguments
from .values import UNKNOWN_VALUE, Bound, ClassRef, Closure, FunctionRef, Partial, Value

if TYPE_CHECKING:
    from .frame import Frame

CALLED: Final = (FunctionRef, Bound, ClassRef, Closure, Partial)


def call(frame: Frame, node: ir.Call, entry: CallbackModel, given: Arguments, receiver: Value) -> Value | None:
    """Call what is handed over. The value of the whole call, where the model gives it one; else None."""
    callee, behind = _function(frame, node, entry, given, receiver)
    if callee is None:
        return None
    if entry.items:
        element = _item(frame, node, entry.items, given, receiver)
        result = invocation.invoke(frame, node, callee, [element], None)
        return containers.make(frame, "list", {}, result, False) if entry.gives else None
    handed = _handed(frame, node, entry, given, receiver, behind)
    if _awaits_itself(frame, callee):
        handed = Arguments([UNKNOWN_VALUE, *handed.positional], handed.keyword, handed.spread)
    if entry.gives == "function":
        return Value(target=Partial(callee, tuple(handed.positional), handed.keyword), name=callee.name)
    result = invocation.invoke(frame, node, callee, handed.positional, None, handed)
    return result if entry.gives else None


def _awaits_itself(frame: Frame, callee: Value) -> bool:
    """Whether a plain function wants a `self`: a task queue hands it the task, before what the caller gives."""
    info = frame.engine.function(frame, callee.target) if isinstance(callee.target, FunctionRef) else None
    if info is None or info.owner is not None or not info.function.parameters:
        return False
    return info.function.parameters[0].name == "self"


def _function(
    frame: Frame, node: ir.Call, entry: CallbackModel, given: Arguments, receiver: Value
) -> tuple[Value | None, int]:
    """The function, and how many positional arguments stand before what is behind it."""
    for ref in entry.function:
        value = given.at(ref, receiver)
        for key in ref.keys if value is not None else ():
            value = expressions.attribute(frame, node, value or UNKNOWN_VALUE, key)
        if value is not None and isinstance(value.target, CALLED):
            return value, ref.position + 1
    return None, 0


def _handed(
    frame: Frame, node: ir.Call, entry: CallbackModel, given: Arguments, receiver: Value, behind: int
) -> Arguments:
    positional: list[Value] = []
    keyword: dict[str, Value] = {}
    spread: Value | None = None
    if entry.rest:
        names = {ref.name for ref in entry.function}
        positional = given.positional[behind:]
        keyword = {name: value for name, value in given.keyword.items() if name not in names}
        spread = given.spread
    sequence = _first(entry.arguments, given, receiver)
    if sequence is not None:
        known = containers.positions(frame, sequence)
        positional += known or ()
        if known is None:
            spread = protocols.element(frame, sequence, False, node)
    mapping = _first(entry.keywords, given, receiver)
    shape: Any = frame.heap.get(mapping.ref) if mapping is not None and mapping.ref else None
    if shape is not None:
        keyword |= {key: value for key, value in shape.items.items() if isinstance(key, str)}
    return Arguments(positional, keyword, spread)


def _first(refs: tuple[ArgRef, ...], given: Arguments, receiver: Value) -> Value | None:
    return next((value for ref in refs if (value := given.at(ref, receiver)) is not None), None)


def _item(frame: Frame, node: ir.Call, refs: tuple[ArgRef, ...], given: Arguments, receiver: Value) -> Value:
    sequence = _first(refs, given, receiver)
    return UNKNOWN_VALUE if sequence is None else protocols.element(frame, sequence, False, node)
