"""A text with a password in it: in an address, in a list of settings, in a piece of XML."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ... import ir
from ...check import Context, Report
from ...finding import Confidence, Severity
from ...pattern import later
from ...words import likeness

visits = (ir.Constant,)

_ADDRESS = later(r"\b([a-z][a-z0-9+]{2,20})://([^\s:/@<>{}$%]{1,60}):([^\s/@<>{}$]{3,80})@([\w.\[-]+)")
_SETTING = later(r"(?:^|[;\s])(?:password|pwd)=([^\s;&<>{}$%'\"]{4,80})(?:[;\s]|$)", re.IGNORECASE)
_SIBLING = later(r"(?:^|[;\s])(?:host|server|user|user id|uid|dbname|database|data source)=", re.IGNORECASE)
_ELEMENT = later(r"<(password|passwd|pwd|secret|api_?key)>([^<>{}$%\s]{4,80})</\1>", re.IGNORECASE)
_PROSE = frozenset(["pass", "password", "passwd", "pwd", "secret", "user", "token"])
_EXAMPLE_HOST = later(r"(^|\.)example\.|^host|^hostname|^server$|\.test$|\.invalid$", re.IGNORECASE)


def check(node: ir.Constant, context: Context) -> Iterable[Report]:
    """Reports the text."""
    text = node.value
    if type(text) is not str or len(text) < 12:
        return ()
    if context.parents and type(context.parents[-1]) is ir.ExpressionStatement:
        return ()  # documentation
    if not ("://" in text and "@" in text) and "=" not in text and "</" not in text:
        return ()
    password = _password(text[:10_000])
    if not password:
        return ()
    if context.is_test:
        return (Report(context.first_line(node), severity=Severity.LOW, confidence=Confidence.LOW),)
    if likeness(password) == "strong":
        return (Report(context.first_line(node)),)
    # in configuration it is the default of a container on somebody's desk more often than not
    least = Severity.LOW if "settings" in context.traits else Severity.MEDIUM
    return (Report(context.first_line(node), severity=least, confidence=Confidence.LOW),)


def _password(text: str) -> str:
    """The first password in the text that is none of the words that documentation uses."""
    for found in _ADDRESS.finditer(text):
        user, password, host = found[2], found[3], found[4]
        known = password.lower() in _PROSE or (likeness(password) == "no" and not _is_default(user, password))
        if not known and not _EXAMPLE_HOST.search(host):
            return password
    setting = _SETTING.search(text)
    if setting and _SIBLING.search(text) and likeness(setting[1]) != "no":
        return setting[1]
    element = _ELEMENT.search(text)
    if element and likeness(element[2]) != "no":
        return element[2]
    return ""


def _is_default(user: str, password: str) -> bool:
    """postgres:postgres and the like: a password that is the user's name is one still, outside of prose."""
    return user == password and user.lower() not in (*_PROSE, "username", "name", "foo", "login")
