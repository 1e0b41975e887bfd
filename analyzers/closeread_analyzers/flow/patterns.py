"""Patterns of `match`: whether one matches, what its names are bound to, and what is known of the subject then.

Deliberately absent: what is known where a pattern did not match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import ir
from . import assignment, containers, expressions, narrowing, protocols, tests
from .declared import plain_path
from .taints import NONE
from .values import UNKNOWN, Value

if TYPE_CHECKING:
    from .frame import Frame
    from .states import State


def match(frame: Frame, pattern: ir.Pattern, subject: Value, origin: ir.Expression) -> bool | None:
    """Whether a pattern matches, if that is known; its names are bound."""
    kind = pattern.kind
    if kind == "value" and pattern.value is not None:
        value = expressions.evaluate(frame, pattern.value)
        outcome = tests.compared(frame, "==", subject, value)
        if outcome is UNKNOWN and value.const is not UNKNOWN:
            tests.equal(frame, origin, pattern.value)
        return None if outcome is UNKNOWN else bool(outcome)
    if kind == "capture":
        truth = match(frame, pattern.children[0], subject, origin) if pattern.children else True
        if pattern.name and truth is not False:
            taken = _taken(frame, pattern.children[0], subject) if pattern.children else subject
            assignment.assign(frame, ir.Name(pattern.start, pattern.end, pattern.name), taken, origin)
        return truth
    if kind == "or":
        return _match_any(frame, pattern, subject, origin)
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
        cleared = _cleared_by(frame, pattern)
        if cleared:
            narrowing.narrow(frame, origin, cleared)
            subject = subject.clear(cleared)
        names = [key.value if isinstance(key, ir.Constant) else "" for key in pattern.keys]
        positional = len(pattern.children) - len(names)
        for index, child in enumerate(pattern.children):
            name = names[index - positional] if index >= positional else ""
            inner = expressions.attribute(frame, child, subject, str(name)) if name else Value(subject.taints)
            match(frame, child, inner, origin)
        return None
    return None


def _match_any(frame: Frame, pattern: ir.Pattern, subject: Value, origin: ir.Expression) -> bool | None:
    """One of several patterns; what is known of the subject afterwards holds for each that can have matched."""
    states: list[State] = []
    truth: bool | None = False
    for child in pattern.children:
        before = frame.save()
        outcome = match(frame, child, subject, origin)
        if outcome is not False:
            states.append((frame.variables, frame.heap))
            truth = outcome
        frame.restore(before)
        if outcome is True:
            break
    if states:
        frame.merge(states)
    return truth


def _taken(frame: Frame, pattern: ir.Pattern, subject: Value) -> Value:
    """What a name before a pattern, `"a" | "b" as name`, is bound to."""
    alternatives = pattern.children if pattern.kind == "or" else [pattern]
    if alternatives and all(one.kind == "class" for one in alternatives):
        return subject.clear(frozenset.intersection(*(_cleared_by(frame, one) for one in alternatives)))
    if alternatives and all(one.kind == "value" and isinstance(one.value, ir.Constant) for one in alternatives):
        only = alternatives[0].value if len(alternatives) == 1 else None
        return Value(NONE, only.value if isinstance(only, ir.Constant) else UNKNOWN, name=subject.name)
    return subject


def _cleared_by(frame: Frame, pattern: ir.Pattern) -> frozenset[str]:
    """What being of a built-in class, `int()`, makes harmless: what a call of the class does."""
    if not isinstance(pattern.value, ir.Name):
        return frozenset()
    value = plain_path(frame, pattern.value)
    if value is None or value.path is None or "." in value.path:
        return frozenset()
    return frame.engine.cleared_by_type(frame, value.path)


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
