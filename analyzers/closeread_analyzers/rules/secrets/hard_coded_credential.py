"""A literal that looks like a secret, under a name that promises one."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...finding import Confidence, Severity
from ...shapes import last_name
from ...words import COMMON_PASSWORDS, likeness, promise

visits = (ir.Assign, ir.Call, ir.Mapping, ir.Comparison, ir.Parameter)

_LOOK_UPS = frozenset({"get", "getenv", "setdefault", "pop", "config", "env", "str"})
_USER = frozenset(["user", "username", "user_name", "login", "email", "userid", "uid", "account"])


def check(node: ir.Node, context: Context) -> Iterator[Report]:
    """Reports the literal, or what is compared with it."""
    kind = type(node)
    if kind is ir.Call:
        return _in_call(node, context)  # type: ignore[arg-type]
    if kind is ir.Assign:
        return _in_assignment(node, context)  # type: ignore[arg-type]
    if kind is ir.Mapping:
        return _in_mapping(node, context)  # type: ignore[arg-type]
    if kind is ir.Comparison:
        return _in_comparison(node, context)  # type: ignore[arg-type]
    return _in_parameter(node, context)  # type: ignore[arg-type]


def _in_assignment(node: ir.Assign, context: Context) -> Iterator[Report]:
    value = node.value
    if type(value) is not ir.Constant and type(value) is not ir.Binary:
        return
    for target in node.targets:
        name = _name(target)
        if promise(name):
            yield from _judge(value, name, context, stored=True)
            return


def _in_call(node: ir.Call, context: Context) -> Iterator[Report]:
    arguments = node.arguments
    for given in arguments:
        if given.name is not None and type(given.value) is ir.Constant and promise(given.name):
            named = any(other.name in _USER for other in arguments)
            yield from _judge(given.value, given.name, context, stored=named)
    if len(arguments) == 2 and type(arguments[1].value) is ir.Constant and type(arguments[0].value) is ir.Constant:
        name = arguments[0].value.value
        if type(name) is str and promise(name) and last_name(node.callee) in _LOOK_UPS:
            # a default in case the setting is missing: it stays in use where somebody forgets the setting
            yield from _judge(arguments[1].value, name, context, stored=True, most=Severity.MEDIUM)


def _in_mapping(node: ir.Mapping, context: Context) -> Iterator[Report]:
    for key, value in node.entries:
        if type(key) is ir.Constant and type(value) is ir.Constant and type(key.value) is str and promise(key.value):
            named = any(type(k) is ir.Constant and k.value in _USER for k, _ in node.entries)
            yield from _judge(value, key.value, context, stored=named)


def _in_comparison(node: ir.Comparison, context: Context) -> Iterator[Report]:
    if node.operator not in ("==", "==="):
        return
    for side, other in ((node.left, node.right), (node.right, node.left)):
        if type(other) is ir.Constant and type(other.value) is str:
            name = _name(side)
            if promise(name):
                yield from _judge(other, name, context, stored=True)
            return


def _in_parameter(node: ir.Parameter, context: Context) -> Iterator[Report]:
    if type(node.default) is ir.Constant and promise(node.name):
        yield from _judge(node.default, node.name, context, stored=False, most=Severity.MEDIUM)


def _name(target: ir.Expression) -> str:
    """The last name of a target: a variable, an attribute, a constant key."""
    if type(target) is ir.Subscript:
        return target.key.value if type(target.key) is ir.Constant and type(target.key.value) is str else ""
    return last_name(target)


def _judge(
    value: ir.Expression, name: str, context: Context, *, stored: bool, most: Severity = Severity.HIGH
) -> Iterator[Report]:
    """`stored` says that the place leaves little doubt that the value is used as a secret."""
    text = context.constant(value)
    if isinstance(text, bytes):
        text = text.decode("latin-1")
    if not isinstance(text, str):
        return
    like = likeness(text)
    kind = promise(name)
    if like == "no" and not (kind == "key" and stored and _is_weak_key(text, name)):
        return
    if like == "weak" and not stored:
        return
    if text in COMMON_PASSWORDS and kind == "token":
        return
    if context.is_test:
        yield Report(value, name=name, severity=Severity.LOW, confidence=Confidence.LOW)
    elif like == "strong":
        yield Report(value, name=name, severity=most)
    else:
        yield Report(value, name=name, severity=min(most, Severity.MEDIUM), confidence=Confidence.LOW)


def _is_weak_key(text: str, name: str) -> bool:
    """A key that signs is one even if it is a plain word: where a setting is named so, that is what it is."""
    return (
        text.isalpha()
        and text.islower()
        and 4 <= len(text) <= 16
        and name.upper().endswith("SECRET_KEY")
        and not promise(text)
    )
