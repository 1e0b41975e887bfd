"""A variable or field that is called a password, handed to a logger as it is."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...catalogue import name_words
from ...check import Context, Report
from ...flow.bodies import is_password, key_of
from ...flow.inventory import GATE
from ...words import promise

visits = (ir.Call,)

_LEVELS = frozenset(["debug", "info", "warning", "warn", "error", "critical", "exception", "log"])
_LOGGERS = frozenset(["log", "logger", "logging", "app_logger", "_log", "_logger"])


def check(node: ir.Call, context: Context) -> Iterator[Report]:
    """Reports the argument, or the part of a text, that is the password."""
    callee = node.callee
    prints = isinstance(callee, ir.Name) and callee.id == "print"
    if not (prints or _is_logger(callee)) or context.is_test:
        return
    for argument in node.arguments:
        for part in _parts(argument.value):
            name = _name(part)
            if name and (is_password(name) or promise(name) == "password") and not _only_about(name):
                # What a service prints is kept like its log; what a command prints is for who asked.
                if not prints or GATE.search(context.module.source):
                    yield Report(part, source=context.text(part), sink=context.text(callee))
                return


def _is_logger(callee: ir.Expression) -> bool:
    if not isinstance(callee, ir.Attribute) or callee.name not in _LEVELS:
        return False
    of = callee.value
    last = of.name if isinstance(of, ir.Attribute) else of.id if isinstance(of, ir.Name) else ""
    return last in _LOGGERS


def _parts(value: ir.Expression) -> Iterator[ir.Expression]:
    if isinstance(value, ir.Template):
        yield from value.parts
    elif isinstance(value, ir.Binary) and value.operator in ("%", "+"):
        yield from _parts(value.left)
        yield from _parts(value.right)
    elif isinstance(value, ir.Sequence):
        yield from value.items
    elif isinstance(value, ir.Call) and isinstance(value.callee, ir.Attribute) and value.callee.name == "format":
        yield from (argument.value for argument in value.arguments)
    else:
        yield value


def _name(part: ir.Expression) -> str:
    if isinstance(part, ir.Name):
        return part.id
    if isinstance(part, ir.Attribute):
        return part.name
    return key_of(part)


def _only_about(name: str) -> bool:
    """Whether a name speaks of a password's kind, place or state and not of the password."""
    words = name_words(name).split("_")
    return words[0] in ("has", "is", "no", "need", "needs", "use", "require", "requires", "hashed", "masked") or words[-1] in (
        "hash", "hashed", "length", "field", "file", "path", "policy", "type", "prompt", "digest",
    )  # fmt: skip
