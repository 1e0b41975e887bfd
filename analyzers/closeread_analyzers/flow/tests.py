"""Conditions: what decides a branch, and what is known on each of its sides.

`decide` evaluates a test and says whether it is known; `assume` narrows the state to one outcome:
a variable equal to a constant is that constant, one found in a collection of constants is harmless,
and what the models call a guard clears its subject. Only names, attributes and subscripts that name
the same thing again are narrowed; what was computed from them before keeps its taint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import ir
from ..catalogue import Guard, StepModel, TypeModel
from . import assignment, conditions, containers, declared, expressions, folding, library, own, places, protocols
from .arguments import Arguments, argument_node
from .places import NARROWED
from .taints import NONE, Parameter
from .values import UNKNOWN, FunctionRef, Value

if TYPE_CHECKING:
    from .frame import Frame

_OPPOSITE: Final = {
    "==": "!=", "!=": "==", "===": "!==", "!==": "===", "in": "not in", "not in": "in", "is": "is not", "is not": "is",
    "<": ">=", ">=": "<", ">": "<=", "<=": ">",
}  # fmt: skip
MAX_ALTERNATIVES: Final = 4
_MEMBERSHIP_TESTS: Final = ("includes", "has", "contains")
_PREFIX_TESTS: Final = ("startswith", "startsWith")
_EQUAL: Final = ("==", "===", "is")


def decide(frame: Frame, node: ir.Expression) -> bool | None:
    """Evaluate a test, for its effects and its truth; None when it may be either."""
    value = expressions.evaluate(frame, node)
    if value.const is not UNKNOWN:
        return bool(value.const)
    if value.ref:
        shape = frame.heap.get(value.ref)
        if shape is not None and shape.closed and shape.kind in ("list", "dict", "set"):
            return bool(shape.items)
    return None


def compared(frame: Frame, operator: str, left: Value, right: Value) -> Any:
    """The constant a comparison is, or UNKNOWN."""
    if left.const is not UNKNOWN and right.const is not UNKNOWN:
        return folding.compare(operator, left.const, right.const)
    if operator in ("in", "not in") and left.const is not UNKNOWN and right.ref:
        shape = frame.heap.get(right.ref)
        if shape is not None and shape.closed:
            if shape.kind == "dict":
                found: bool | None = left.const in shape.items
            else:
                consts = [item.const for item in shape.items.values()]
                found = True if any(c is not UNKNOWN and c == left.const for c in consts) else None
                if found is None and UNKNOWN not in consts:
                    found = False
            if found is not None:
                return found if operator == "in" else not found
    return UNKNOWN


def assume(frame: Frame, node: ir.Expression, outcome: bool) -> None:
    """Narrow the state to where `node` is `outcome`."""
    while isinstance(node, ir.Unary) and node.operator == "not":
        node, outcome = node.operand, not outcome
    if isinstance(node, ir.Boolean):
        if (node.operator == "and") == outcome and node.operator != "??":
            for operand in node.operands:
                assume(frame, operand, outcome)
        elif node.operator != "??" and len(node.operands) <= MAX_ALTERNATIVES:
            _assume_any(frame, node.operands, outcome)
        return
    if isinstance(node, ir.Bind):
        assume(frame, node.target, outcome)
    elif isinstance(node, ir.Comparison):
        _assume_comparison(frame, node, outcome)
    elif isinstance(node, ir.Call):
        _assume_call(frame, node, outcome)
    elif isinstance(node, ir.Attribute):
        value = quiet(frame, node)
        for entry in frame.models.attributes.get(value.path, ()) if value.path is not None else ():
            if isinstance(entry, Guard) and entry.holds is outcome:
                _narrow(frame, node, entry.clears)


def _assume_any(frame: Frame, operands: list[ir.Expression], outcome: bool) -> None:
    """One of the operands is `outcome`, nobody knows which: what holds in every case."""
    states = []
    for index, operand in enumerate(operands):
        before = frame.save()
        assume(frame, operand, outcome)
        states.append((frame.variables, frame.heap))
        frame.restore(before)
        if index + 1 < len(operands):
            assume(frame, operand, not outcome)
    frame.merge(states)


def _assume_comparison(frame: Frame, node: ir.Comparison, outcome: bool) -> None:
    operator = node.operator if outcome else _OPPOSITE.get(node.operator, "")
    against_none = isinstance(node.right, ir.Constant) and node.right.value is None
    if against_none and isinstance(node.left, ir.Call) and operator in ("is", "is not", "==", "!="):
        # `re.match(...) is None` says what `not re.match(...)` says
        _assume_call(frame, node.left, operator in ("is not", "!="))
        return
    compares = frame.models.compares
    asked = compares.get(node.operator, ()) + compares.get(_OPPOSITE.get(node.operator, ""), ())
    for entry in asked:
        if not isinstance(entry, Guard) or (entry.holds is outcome) is not (node.operator in entry.paths):
            continue
        sides = {"left": quiet(frame, node.left), "right": quiet(frame, node.right)}
        if not conditions.holds(frame, entry, Arguments([], dict(sides)), sides["left"]):
            continue
        for subject in entry.subject:
            _narrow(frame, node.right if subject.name == "right" else node.left, entry.clears)
    # After the guards, which speak of more than the place: narrowing to a constant forgets the data they speak of.
    if operator in _EQUAL:
        _equal(frame, node.left, node.right)
        _equal(frame, node.right, node.left)
    elif operator == "in" and _constants_only(frame, node.right):
        _narrow(frame, node.left, None)


def _equal(frame: Frame, subject: ir.Expression, other: ir.Expression) -> None:
    if isinstance(subject, ir.Constant):
        return
    value = quiet(frame, other)
    if value.const is UNKNOWN or isinstance(other, ir.Call):
        return
    known = _place(frame, subject)
    if known is not None:
        _rebind(frame, subject, Value(NONE, value.const, known.path, known.target, known.ref, None, known.name))


def _constants_only(frame: Frame, node: ir.Expression) -> bool:
    """Whether a collection holds nothing but constants the program wrote itself."""
    value = quiet(frame, node)
    if isinstance(value.const, str):
        return False  # a substring test
    if value.ref:
        shape = frame.heap.get(value.ref)
        if shape is None or value.taints or shape.kind not in ("list", "set", "dict"):
            return False
        if shape.kind == "dict":
            return shape.rest is None or not shape.rest.taints
        return bool(shape.items) and shape.rest is None and all(i.const is not UNKNOWN for i in shape.items.values())
    return isinstance(node, (ir.Name, ir.Attribute)) and _constant_name(node) and not value.taints


def _constant_name(node: ir.Name | ir.Attribute) -> bool:
    name = node.id if isinstance(node, ir.Name) else node.name
    return name.isupper() and len(name) > 2  # by convention a constant; its content is out of sight


def _assume_call(frame: Frame, node: ir.Call, outcome: bool) -> None:
    receiver_node = node.callee.value if isinstance(node.callee, ir.Attribute) else None
    receiver = quiet(frame, receiver_node) if receiver_node is not None else None
    called = node.callee.name if isinstance(node.callee, ir.Attribute) else ""
    callee = quiet(frame, node.callee)
    arguments = quiet_arguments(frame, node)
    for entry, _ in own.entries(frame, callee) or library.entries_for(frame, callee, receiver):
        if (
            isinstance(entry, Guard)
            and entry.holds is outcome
            and conditions.holds(frame, entry, arguments, receiver or Value())
        ):
            for subject in entry.subject:
                place = receiver_node if subject.kind == "self" else argument_node(node, subject)
                if place is not None:
                    _narrow(frame, place, entry.clears)
    if outcome:
        _assume_summary(frame, node, callee)
        member = called in _MEMBERSHIP_TESTS and len(node.arguments) == 1
        if member and receiver_node is not None and _constants_only(frame, receiver_node):
            _narrow(frame, node.arguments[0].value, None)
        if receiver_node is not None and called in _PREFIX_TESTS and arguments.positional:
            _narrow(frame, receiver_node, _behind(frame, arguments.positional[0]))


def _behind(frame: Frame, prefix: Value) -> frozenset[str]:
    """The kinds for which text that starts with `prefix` (a constant, or each of several) is harmless."""
    prefixes = containers.positions(frame, prefix) or [prefix]
    if not all(isinstance(one.const, str) for one in prefixes):
        return frozenset()
    return frozenset.intersection(*(frame.engine.cleared_behind(one.const) for one in prefixes))


def _assume_summary(frame: Frame, node: ir.Call, callee: Value) -> None:
    """A workspace function that is true only of harmless arguments is a guard by what it does."""
    target = callee.target
    shift = 0
    if target.__class__.__name__ == "Bound":
        target, shift = target.function, 1
    if not isinstance(target, FunctionRef):
        return
    summary = frame.engine.summary(frame, target)
    info = frame.engine.function(frame, target)
    if summary is not None and info is not None:
        clear_arguments(frame, node, info.function, shift, summary.guards)


def clear_arguments(
    frame: Frame, node: ir.Call, function: ir.Function, shift: int, cleared: tuple[tuple[int, frozenset[str]], ...]
) -> None:
    """A workspace function has looked at its arguments: those at these places are harmless for these kinds."""
    for index, kinds in cleared:
        name = function.parameters[index].name
        for place, argument in enumerate(node.arguments):
            if argument.spread:
                break
            if argument.name == name or (not argument.name and place == index - shift):
                _narrow(frame, argument.value, kinds)


def _narrow(frame: Frame, node: ir.Expression, clears: frozenset[str] | None) -> None:
    """What `node` names is harmless for `clears` (None: it is one of the program's own constants)."""
    if isinstance(node, ir.Bind):
        node = node.target
    while isinstance(node, ir.Call):  # `x.lower() in (...)` speaks of x
        if isinstance(node.callee, ir.Attribute) and folding.is_text_method(node.callee.name):
            node = node.callee.value
        elif len(node.arguments) == 1 and (
            isinstance(node.callee, ir.Name) or (clears and _of_module(frame, node.callee))
        ):
            node = node.arguments[0].value
        else:
            return
    if isinstance(node, ir.Sequence) and clears is not None:  # `commonpath([root, x])`
        for item in node.items:
            _narrow(frame, item, clears)
        return
    value = _place(frame, node)
    if value is None:
        return
    if clears is None:
        shape = frame.heap.get(value.ref) if value.ref else None
        ref = value.ref if shape is not None and shape.kind == "parameter" else 0  # still the caller's argument
        _rebind(frame, node, Value(NONE, value.const, value.path, value.target, ref, None, value.name))
    elif value.taints:
        _rebind(frame, node, value.clear(clears))
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


def _place(frame: Frame, node: ir.Expression) -> Value | None:
    if isinstance(node, ir.Name):
        return frame.read(node.id)
    if isinstance(node, (ir.Attribute, ir.Subscript)):
        return quiet(frame, node)
    return None


def _rebind(frame: Frame, node: ir.Expression, value: Value) -> None:
    if frame.engine.observer is not None:
        frame.engine.observer.narrowed(frame, node, _place(frame, node) or value, value)
    if isinstance(node, ir.Name):
        frame.variables[node.id] = value
        return
    place = places.place_of(node)
    if place is not None:
        known = frame.variables.get(NARROWED)
        # Any call may change what lies in an object, so only its taint is narrowed, never its constant.
        value = Value(value.taints, UNKNOWN, value.path, value.target, value.ref, None, value.name)
        frame.variables[NARROWED] = Value(target={**(known.target if known is not None else {}), place: value})


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


# --- Patterns --------------------------------------------------------------------------------------


def match(frame: Frame, pattern: ir.Pattern, subject: Value, origin: ir.Expression) -> bool | None:
    """Whether a pattern matches, if that is known; its names are bound."""
    kind = pattern.kind
    if kind == "value" and pattern.value is not None:
        value = expressions.evaluate(frame, pattern.value)
        truth = compared(frame, "==", subject, value)
        if truth is UNKNOWN and value.const is not UNKNOWN:
            _equal(frame, origin, pattern.value)
        return None if truth is UNKNOWN else bool(truth)
    if kind == "capture":
        truth = match(frame, pattern.children[0], subject, origin) if pattern.children else True
        if pattern.name:
            assignment.assign(frame, ir.Name(pattern.start, pattern.end, pattern.name), subject, origin)
        return truth
    if kind == "or":
        outcomes = [match(frame, child, subject, origin) for child in pattern.children]
        if True in outcomes:
            return True
        return False if all(outcome is False for outcome in outcomes) else None
    if kind == "sequence":
        return _match_sequence(frame, pattern, subject, origin)
    if kind == "mapping":
        for key_node, child in zip(pattern.keys, pattern.children, strict=False):
            key = expressions.evaluate(frame, key_node)
            match(frame, child, expressions.item(frame, key_node, subject, key), origin)
        if pattern.name:
            assignment.assign(frame, ir.Name(pattern.start, pattern.end, pattern.name), subject, origin)
        return None
    if kind == "class":
        names = [key.value if isinstance(key, ir.Constant) else "" for key in pattern.keys]
        positional = len(pattern.children) - len(names)
        for index, child in enumerate(pattern.children):
            name = names[index - positional] if index >= positional else ""
            inner = expressions.attribute(frame, child, subject, str(name)) if name else Value(subject.taints)
            match(frame, child, inner, origin)
        return None
    return None


def _rest(frame: Frame, subject: Value, before: int, after: int, origin: ir.Expression) -> Value:
    """What a star takes: all but the items before and after it."""
    known = containers.positions(frame, subject)
    if known is not None and before + after <= len(known):
        return containers.make(frame, "list", dict(enumerate(known[before : len(known) - after])), None, True)
    return containers.make(frame, "list", {}, protocols.element(frame, subject, False, origin), False)


def _match_sequence(frame: Frame, pattern: ir.Pattern, subject: Value, origin: ir.Expression) -> bool | None:
    known = containers.positions(frame, subject)
    stars = [child for child in pattern.children if child.kind == "star"]
    outcomes: list[bool | None] = []
    for index, child in enumerate(pattern.children):
        if child.kind == "star":
            if child.name:
                rest = _rest(frame, subject, index, len(pattern.children) - index - 1, origin)
                assignment.assign(frame, ir.Name(child.start, child.end, child.name), rest, origin)
            known = None
            outcomes.append(None)
        elif known is not None and index < len(known):
            outcomes.append(match(frame, child, known[index], origin))
        else:
            outcomes.append(match(frame, child, protocols.element(frame, subject, False, origin), origin) and None)
    if known is not None and not stars and len(known) != len(pattern.children):
        return False
    if False in outcomes:
        return False
    return True if known is not None and all(outcome is True for outcome in outcomes) else None


def quiet_arguments(frame: Frame, node: ir.Call) -> Arguments:
    """The arguments of a call that has been made, without effects."""
    positional = [quiet(frame, a.value) for a in node.arguments if a.name is None and not a.spread]
    keyword = {a.name: quiet(frame, a.value) for a in node.arguments if a.name is not None}
    return Arguments(positional, keyword)
