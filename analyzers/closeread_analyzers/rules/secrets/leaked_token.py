"""Texts that have the form of some service's token."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from ... import ir
from ...check import Context, Report
from ...finding import Confidence, Severity
from ...pattern import later
from ...words import entropy

visits = (ir.Constant, ir.Binary)

_FORMS = (
    ("an access key of AWS", r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])"),
    ("a token of GitHub", r"gh[pousr]_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("a token of GitHub", r"github_pat_[A-Za-z0-9]{22}_[A-Za-z0-9]{59}"),
    ("a token of GitLab", r"glpat-[A-Za-z0-9_-]{20}"),
    ("a token of Slack", r"xox[abeoprs]-[0-9]{8,}-[A-Za-z0-9-]{16,}"),
    ("a webhook of Slack", r"hooks\.slack\.com/services/T[A-Z0-9]{7,}/B[A-Z0-9]{7,}/[A-Za-z0-9]{20,}"),
    ("a secret key of Stripe", r"[sr]k_live_[A-Za-z0-9]{20,}"),
    ("an API key of Google", r"AIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])"),
    ("a key of SendGrid", r"SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
    ("a token of npm", r"npm_[A-Za-z0-9]{36}(?![A-Za-z0-9])"),
    ("a token of the Python package index", r"pypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}"),
    ("a token of DigitalOcean", r"do[opr]_v1_[a-f0-9]{64}"),
    ("a key of an Azure account", r"AccountKey=[A-Za-z0-9+/]{86}=="),
)
_TOKEN = later("|".join(f"(?P<f{at}>{form})" for at, (_, form) in enumerate(_FORMS)))
_START = later(r"A[KS]IA|gh[pousr]_|github_pat_|glpat-|xox|hooks\.|k_live_|AIza|SG\.|npm_|pypi-|_v1_|AccountKey=")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


def check(node: ir.Constant | ir.Binary, context: Context) -> Iterable[Report]:
    """Reports the text."""
    if type(node) is ir.Binary:
        if node.operator != "+" or (context.parents and type(context.parents[-1]) is ir.Binary):
            return ()
        text = context.constant(node)
    else:
        text = node.value  # type: ignore[union-attr]
    if not isinstance(text, str) or len(text) < 20 or not _START.search(text):
        return ()
    return list(_tokens(node, text, context))


def _tokens(node: ir.Node, text: str, context: Context) -> Iterable[Report]:
    for found in _TOKEN.finditer(text):
        token = found[0]
        if "EXAMPLE" in token.upper() or entropy(token[4:]) < 3:
            continue
        name = _FORMS[int((found.lastgroup or "f0")[1:])][0]
        certain = _checksum(token)
        severity = Severity.LOW if context.is_test else None
        yield Report(node, severity=severity, confidence=None if certain else Confidence.LOW, name=name)


def _checksum(token: str) -> bool:
    """Whether a token that ends in the CRC-32 of the part before does so rightly; true of all others."""
    if token[:2] != "gh" or token[3:4] != "_":
        return True
    body, written = token[4:-6], token[-6:]
    rest, digits = zlib.crc32(body.encode()), ""
    while rest:
        rest, digit = divmod(rest, 62)
        digits = _BASE62[digit] + digits
    return digits.rjust(6, "0") == written
