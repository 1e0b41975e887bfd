"""A text that holds a whole JSON Web Token, whose header can be read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable

from ... import ir
from ...check import Context, Report
from ...finding import Severity
from ...pattern import later

visits = (ir.Constant,)

_JWT = later(r"(eyJ[A-Za-z0-9_-]{8,})\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{20,}")


def check(node: ir.Constant, context: Context) -> Iterable[Report]:
    """Reports the text."""
    text = node.value
    if type(text) is not str or "eyJ" not in text:
        return ()
    found = _JWT.search(text[:10_000])
    if found is None or not _is_header(found[1]):
        return ()
    return (Report(node, severity=Severity.LOW if context.is_test else None),)


def _is_header(text: str) -> bool:
    try:
        header = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, binascii.Error):
        return False
    return isinstance(header, dict) and "alg" in header
