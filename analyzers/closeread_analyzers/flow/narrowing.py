"""What is known of a place from here on: of a variable, or of a chain that starts at one, without evaluating it again.

Only names, attributes and subscripts that name the same thing again are narrowed; what was computed from them before
keeps its taint. Deliberately absent: when anything is known, which is the business of tests.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .. import ir
from ..catalogue import Guard, StepModel, TypeModel
from . import declared, expressions, folding, places
from .arguments import Arguments
from .places import NARROWED
from .summaries import Vouched
from .taints import NONE, Parameter, Taint
from .values import UNKNOWN, Value

if TYPE_CHECKING:
    from .frame import Frame

_SAYS_LITTLE: Final = frozenset(("len", "hash", "id", "bool", "ord", "any", "all", "callable", "sum", "min", "max"))
"""Functions of whose result much may be known and nothing of their argument."""


def vouch(frame: Frame, node: ir.Call, function: ir.Function, shift: int, vouched: tuple[Vouched, ...]) -> None:
    """A workspace function has looked at its arguments (`shift`: 1 where the first of them is the receiver)."""
    for index, kinds, attribute in vouched:
        name = function.parameters[index].name
        if index < shift and isinstance(node.callee, ir.Attribute):
            _narrow_part(frame, node.callee.value, attribute, kinds)
        for position, argument in enumerate(node.arguments):
            if argument.spread:
                break
            if argument.name == name or (not argument.name and position == index - shift):
                _narrow_part(frame, argument.value, attribute, kinds)


def _narrow_part(frame: Frame, node: ir.Expression, attribute: str, clears: frozenset[str]) -> None:
    if not attribute:
        narrow(frame, node, clears)
    elif isinstance(node, (ir.Name, ir.Attribute)):
        narrow(frame, ir.Attribute(node.start, node.end, node, attribute), clears)


def guarded(frame: Frame, guard: Guard, subject: ir.Expression) -> None:
    """A guard of the models holds of `subject`."""
    narrow(frame, subject, guard.clears, guard.after)
    if guard.whole and isinstance(subject, ir.Name):
        _spread(frame, frame.read(subject.id), guard.clears)


def harmless_for(taint: Taint, kinds: frozenset[str]) -> bool:
    """Whether data is harmless for all of these sink kinds: for each, or for what it is a variant of."""
    return all(kind in taint.cleared or kind.partition(":")[0] in taint.cleared for kind in kinds)


def narrow(
    frame: Frame, node: ir.Expression, clears: frozenset[str] | None, after: frozenset[str] = frozenset()
) -> None:
    """What `node` names is harmless for `clears` (None: it is one of the program's own constants).

    But only what is harmless for `after` already: what starts with a folder's name may still climb out of it.
    """
    if isinstance(node, ir.Bind):
        node = node.target
    while isinstance(node, ir.Call):  # `x.lower() in (...)` speaks of x
        if isinstance(node.callee, ir.Attribute) and folding.is_text_method(node.callee.name):
            node = node.callee.value
        elif len(node.arguments) == 1 and (
            (isinstance(node.callee, ir.Name) and node.callee.id not in _SAYS_LITTLE)
            or (clears and _of_module(frame, node.callee))
        ):
            node = node.arguments[0].value
        else:
            return
    if isinstance(node, ir.Sequence) and clears is not None:  # `commonpath([root, x])`
        for item in node.items:
            narrow(frame, item, clears, after)
        return
    value = value_of(frame, node)
    if value is None:
        return
    if clears is None:
        shape = frame.heap.get(value.ref) if value.ref else None
        ref = value.ref if shape is not None and shape.kind == "parameter" else 0  # still the caller's argument
        rebind(frame, node, Value(NONE, value.const, value.path, value.target, ref, None, value.name))
    elif value.taints and all(harmless_for(taint, after) for taint in value.taints):
        rebind(frame, node, value.clear(clears))
        if isinstance(node, ir.Attribute):
            _spread(frame, value, clears)


def _of_module(frame: Frame, callee: ir.Expression) -> bool:
    """Whether a function is a library module's own: what a guard says of its result, it says of its argument."""
    path = quiet(frame, callee).path
    return path is not None and path.partition(".")[0] in frame.models.known_modules


def _spread(frame: Frame, part: Value, clears: frozenset[str]) -> None:
    """A guard over a part (`url.netloc`) speaks of the whole: of every variable with the part's data."""
    origins = {taint.origin for taint in part.taints}
    origins |= {Parameter(o.place, o.inside[:-1]) for o in origins if isinstance(o, Parameter) and o.inside}
    for name, value in frame.variables.items():
        if any(taint.origin in origins for taint in value.taints):
            frame.variables[name] = value.tainted(
                tuple(taint.clear(clears) if taint.origin in origins else taint for taint in value.taints)
            )


def value_of(frame: Frame, node: ir.Expression) -> Value | None:
    """What a place holds now; None for what is none, a call's result."""
    if isinstance(node, ir.Name):
        return frame.read(node.id)
    if isinstance(node, (ir.Attribute, ir.Subscript)):
        return quiet(frame, node)
    return None


def rebind(frame: Frame, node: ir.Expression, value: Value) -> None:
    """From here on a place holds `value`."""
    if frame.engine.observer is not None:
        frame.engine.observer.narrowed(frame, node, value_of(frame, node) or value, value)
    if isinstance(node, ir.Name):
        frame.variables[node.id] = value
        return
    where = places.place_of(node)
    if where is not None:
        known = frame.variables.get(NARROWED)
        # Any call may change what lies in an object, so only its taint is narrowed, never its constant.
        value = Value(value.taints, UNKNOWN, value.path, value.target, value.ref, None, value.name)
        frame.variables[NARROWED] = Value(target={**(known.target if known is not None else {}), where: value})


def quiet(frame: Frame, node: ir.Expression) -> Value:
    """The value of something already evaluated, without effects: calls inside are not made again."""
    if isinstance(node, (ir.Name, ir.Constant)):
        return expressions.evaluate(frame, node)
    if isinstance(node, (ir.Attribute, ir.Subscript)):
        inner: ir.Expression = node
        while isinstance(inner, (ir.Attribute, ir.Subscript)):
            inner = inner.value
        known = isinstance(inner, ir.Name) or (isinstance(inner, ir.Call) and _only_types(frame, inner))
        return expressions.evaluate(frame, node) if known else Value()
    if isinstance(node, (ir.Sequence, ir.Mapping)) or (isinstance(node, ir.Call) and _only_types(frame, node)):
        return expressions.evaluate(frame, node)
    if isinstance(node, ir.Call):
        callee = declared.plain_path(frame, node.callee)
        if callee is not None and callee.path is not None:
            return Value(path=f"{callee.path}()")
    return Value()


def _only_types(frame: Frame, node: ir.Call) -> bool:
    """Whether a call is of a library that makes something of what it is given, `urlparse(x)`, and is as good as made once."""
    value = declared.plain_path(frame, node.callee)
    entries = frame.models.calls.get(value.path, ()) if value is not None and value.path is not None else ()
    parts = [argument.value for argument in node.arguments]
    if len(parts) == 1 and isinstance(parts[0], ir.Sequence):
        parts = parts[0].items
    plain = all(isinstance(part, (ir.Name, ir.Attribute, ir.Constant)) for part in parts)
    return plain and bool(entries) and all(isinstance(entry, (StepModel, TypeModel)) for entry in entries)


def quiet_arguments(frame: Frame, node: ir.Call) -> Arguments:
    """The arguments of a call that has been made, without effects."""
    positional = [quiet(frame, a.value) for a in node.arguments if a.name is None and not a.spread]
    keyword = {a.name: quiet(frame, a.value) for a in node.arguments if a.name is not None}
    return Arguments(positional, keyword)
