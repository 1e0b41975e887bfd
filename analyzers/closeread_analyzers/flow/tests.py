"""Conditions: what decides a branch, and what is known on each of its sides.

`decide` evaluates a test and says whether it is known; `assume` narrows the state to one outcome:
a variable equal to a constant is that constant, one found in a collection of constants is harmless,
and what the models call a guard clears its subject. A variable that holds a test's answer stands for the test.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from .. import ir
from ..catalogue import Guard
from . import conditions, containers, expressions, folding, library, own, protocols
from .arguments import Arguments, argument_node
from .membership import constants_only
from .narrowing import guarded, narrow, quiet, quiet_arguments, rebind, value_of, vouch
from .taints import NONE
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
_QUANTIFIERS: Final = ("any", "all")


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
    while True:
        if isinstance(node, ir.Unary) and node.operator == "not":
            node, outcome = node.operand, not outcome
        elif isinstance(node, ir.Name) and (told := frame.engine.told_by(frame.function, node)) is not None:
            node = told
        else:
            break
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
                guarded(frame, entry, node)


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
    if against_none and operator in ("is", "is not", "==", "!="):
        left = node.left
        if isinstance(left, ir.Name):
            left = frame.engine.told_by(frame.function, left) or left
        elif isinstance(left, ir.Bind):
            left = left.value
        if isinstance(left, ir.Call):
            # `re.match(...) is None` says what `not re.match(...)` says
            _assume_call(frame, left, operator in ("is not", "!="))
            return
    compares = frame.models.compares
    asked = compares.get(node.operator, ()) + compares.get(_OPPOSITE.get(node.operator, ""), ())
    sides: Arguments | None = None
    for entry in asked:
        if not isinstance(entry, Guard) or (entry.holds is outcome) is not (node.operator in entry.paths):
            continue
        if sides is None:
            sides = Arguments([], {"left": quiet(frame, node.left), "right": quiet(frame, node.right)})
        if not conditions.holds(frame, entry, sides, sides.keyword["left"]):
            continue
        for subject in entry.subject:
            guarded(frame, entry, node.right if subject.name == "right" else node.left)
    # After the guards, which speak of more than the place: narrowing to a constant forgets the data they speak of.
    if operator in _EQUAL:
        equal(frame, node.left, node.right)
        equal(frame, node.right, node.left)
    elif (operator == "in" and constants_only(frame, node.right)) or (
        operator == "<=" and _is_set(node.left) and constants_only(frame, node.right)
    ):
        narrow(frame, node.left, None)


def equal(frame: Frame, subject: ir.Expression, other: ir.Expression) -> None:
    """What `subject` names is equal to what `other` is: a constant, if that is one."""
    if isinstance(subject, ir.Constant):
        return
    value = quiet(frame, other)
    if value.const is UNKNOWN or isinstance(other, ir.Call):
        return
    known = value_of(frame, subject)
    if known is not None:
        rebind(frame, subject, Value(NONE, value.const, known.path, known.target, known.ref, None, known.name))


def _assume_call(frame: Frame, node: ir.Call, outcome: bool) -> None:
    receiver_node = node.callee.value if isinstance(node.callee, ir.Attribute) else None
    receiver = quiet(frame, receiver_node) if receiver_node is not None else None
    called = node.callee.name if isinstance(node.callee, ir.Attribute) else ""
    callee = quiet(frame, node.callee)
    arguments: Arguments | None = None
    for entry, _ in own.entries(frame, callee) or library.entries_for(frame, callee, receiver):
        if not isinstance(entry, Guard) or entry.holds is not outcome:
            continue
        arguments = arguments or quiet_arguments(frame, node)
        if conditions.holds(frame, entry, arguments, receiver or Value()):
            for subject in entry.subject:
                place = argument_node(node, subject)
                if place is not None:
                    guarded(frame, entry, place)
    _assume_summary(frame, node, callee, outcome)
    if callee.path in _QUANTIFIERS and len(node.arguments) == 1:
        each = node.arguments[0].value
        if isinstance(each, ir.Comprehension) and len(each.clauses) == 1:
            if outcome is (callee.path == "all"):
                _assume_each(frame, each, each.clauses[0], outcome)
            elif outcome:
                _assume_some(frame, each, each.clauses[0])
    elif outcome:
        member = called in _MEMBERSHIP_TESTS and len(node.arguments) == 1
        if member and receiver_node is not None and constants_only(frame, receiver_node):
            narrow(frame, node.arguments[0].value, None)
        subset = called == "issubset" and receiver_node is not None and _is_set(receiver_node)
        if subset and receiver_node is not None and constants_only(frame, node.arguments[0].value):
            narrow(frame, receiver_node, None)
        if receiver_node is not None and called in _PREFIX_TESTS and node.arguments:
            narrow(frame, receiver_node, _behind(frame, quiet(frame, node.arguments[0].value)))


def _is_set(node: ir.Expression) -> bool:
    """`set(x)`, of which a comparison with another set speaks of each part of x."""
    return isinstance(node, ir.Call) and isinstance(node.callee, ir.Name) and node.callee.id in ("set", "frozenset")


def _assume_each(frame: Frame, each: ir.Comprehension, clause: ir.Clause, outcome: bool) -> None:
    """`all(test(c) for c in x)`: what the test makes harmless of each part, it makes so of the whole."""
    if not isinstance(clause.target, ir.Name) or clause.conditions:
        return
    before = frame.save()
    item = protocols.element(frame, quiet(frame, clause.iterable), False, clause.iterable)
    frame.variables[clause.target.id] = item
    assume(frame, each.element, outcome)
    left = frame.variables[clause.target.id].taints if frame.alive else ()
    frame.restore(before)
    if item.taints:
        narrow(frame, clause.iterable, frozenset.intersection(*(taint.cleared for taint in left)) if left else None)


def _assume_some(frame: Frame, each: ir.Comprehension, clause: ir.Clause) -> None:
    """`any(x == one for one in ALLOWED)`: membership, written out."""
    test = each.element
    if not isinstance(test, ir.Comparison) or test.operator not in _EQUAL or not isinstance(clause.target, ir.Name):
        return
    for side, other in ((test.left, test.right), (test.right, test.left)):
        if isinstance(side, ir.Name) and side.id == clause.target.id and constants_only(frame, clause.iterable):
            narrow(frame, other, None)


def _behind(frame: Frame, prefix: Value) -> frozenset[str]:
    """The kinds for which text that starts with `prefix` (a constant, or each of several) is harmless."""
    prefixes = containers.positions(frame, prefix) or [prefix]
    if not all(isinstance(one.const, str) for one in prefixes):
        return frozenset()
    return frozenset.intersection(*(frame.engine.cleared_behind(one.const) for one in prefixes))


def _assume_summary(frame: Frame, node: ir.Call, callee: Value, outcome: bool) -> None:
    """A workspace function that is true (or false) only of harmless arguments is a guard by what it does."""
    target = callee.target
    shift = 0
    if target.__class__.__name__ == "Bound":
        target, shift = target.function, 1
    if not isinstance(target, FunctionRef):
        return
    summary = frame.engine.summary(frame, target)
    info = frame.engine.function(frame, target)
    if summary is not None and info is not None:
        vouch(frame, node, info.function, shift, summary.guards if outcome else summary.denials)
