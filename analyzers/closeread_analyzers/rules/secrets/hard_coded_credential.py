"""A literal that looks like a secret, under a name that promises one."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import entries, secret_in
from ...finding import Confidence, Severity
from ...shapes import arguments_by_name, last_name
from ...words import COMMON_PASSWORDS, is_random, is_weak_key, likeness, promise

visits = (ir.Assign, ir.Call, ir.Mapping, ir.Comparison, ir.Parameter)

_LITERALS = (ir.Constant, ir.Binary, ir.Boolean)
_LOG_INS = frozenset({"login", "HTTPBasicAuth", "HTTPDigestAuth", "BasicAuth", "basic_auth"})
_LOOK_UPS = frozenset({"get", "getenv", "setdefault", "pop", "config", "env", "str"})
_USER = frozenset(["user", "username", "user_name", "login", "email", "userid", "uid", "account"])


def check(node: ir.Node, context: Context) -> Iterator[Report]:
    """Reports the literal, or what is compared with it."""
    kind = type(node)
    if "settings" in context.traits:
        return _in_settings(node, context)
    if kind is ir.Call:
        return _in_call(node, context)  # type: ignore[arg-type]
    if kind is ir.Assign:
        return _in_assignment(node, context)  # type: ignore[arg-type]
    if kind is ir.Mapping:
        return _in_mapping(node, context)  # type: ignore[arg-type]
    if kind is ir.Comparison:
        return _in_comparison(node, context)  # type: ignore[arg-type]
    return _in_parameter(node, context)  # type: ignore[arg-type]


def _in_settings(node: ir.Node, context: Context) -> Iterator[Report]:
    """Configuration: every value is in use, and many are placeholders or defaults of a container on a desk."""
    named: list[tuple[str, ir.Expression]] = []
    if type(node) is ir.Assign and node.value is not None:
        named = [(_name(target), node.value) for target in node.targets]
    elif type(node) is ir.Mapping:
        named = [(name, value) for name, _, value in entries(node)]
    for name, value in named:
        sure = secret_in(name, value, node, context) if promise(name) else ""
        if sure == "strong" and not context.is_test:
            yield Report(value, name=name)
        elif sure == "strong" or (sure and not context.is_test):
            yield Report(value, name=name, severity=Severity.LOW, confidence=Confidence.LOW)


def _in_assignment(node: ir.Assign, context: Context) -> Iterator[Report]:
    if node.value is None or type(node.value) not in _LITERALS:
        return
    for target in node.targets:
        name = _name(target)
        if promise(name):
            yield from _in_value(node.value, name, context, stored=True)
            return
        if name.lower() == "token" and type(node.value) is ir.Constant and is_random(node.value.value):
            yield from _judge(node.value, name, context, stored=True, most=Severity.MEDIUM)


def _in_call(node: ir.Call, context: Context) -> Iterator[Report]:
    arguments = node.arguments
    for given in arguments:
        if given.name is not None and type(given.value) in _LITERALS and promise(given.name):
            named = any(other.name in _USER for other in arguments)
            yield from _in_value(given.value, given.name, context, stored=named)
        elif given.name == "auth" and isinstance(given.value, ir.Sequence) and len(given.value.items) == 2:
            yield from _judge(given.value.items[1], "auth", context, stored=True)
    if len(arguments) < 2 or type(arguments[1].value) is not ir.Constant:
        return
    first, last = arguments[0].value, last_name(node.callee)
    if last in _LOG_INS and len(arguments) == 2 and not any(given.name or given.spread for given in arguments):
        yield from _judge(arguments[1].value, f"{last}()", context, stored=True)
    elif last in _LOOK_UPS and len(arguments) == 2 and type(first) is ir.Constant:
        if type(first.value) is str and promise(first.value):
            # a default in case the setting is missing: it stays in use where somebody forgets the setting
            yield from _judge(arguments[1].value, first.value, context, stored=True, most=Severity.MEDIUM)
    elif type(first) is ir.Constant and type(first.value) is str:
        yield from _by_place(node, context)


def _by_place(node: ir.Call, context: Context) -> Iterator[Report]:
    """A user and a password handed by place to a function of this module."""
    named = list(arguments_by_name(node, context))
    if any(name in _USER for name, _ in named):
        for name, value in named:
            if promise(name) == "password" and type(value) is ir.Constant:
                yield from _judge(value, name, context, stored=True)


def _in_mapping(node: ir.Mapping, context: Context) -> Iterator[Report]:
    for key, value in node.entries:
        if type(key) is ir.Constant and type(value) in _LITERALS and type(key.value) is str and promise(key.value):
            named = any(type(k) is ir.Constant and k.value in _USER for k, _ in node.entries)
            yield from _in_value(value, key.value, context, stored=named)


def _in_value(value: ir.Expression, name: str, context: Context, *, stored: bool) -> Iterator[Report]:
    """A value, or the one that steps in for a missing setting (`setting or "literal"`)."""
    if isinstance(value, ir.Boolean):
        last = value.operands[-1]
        if value.operator in ("or", "??") and type(last) is ir.Constant:
            yield from _judge(last, name, context, stored=True, most=Severity.MEDIUM)
    else:
        yield from _judge(value, name, context, stored=stored)


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
    if like == "no" and not (kind == "key" and stored and is_weak_key(text, name)):
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
        confidence = Confidence.MEDIUM if kind == "key" and stored else Confidence.LOW
        yield Report(value, name=name, severity=min(most, Severity.MEDIUM), confidence=confidence)
