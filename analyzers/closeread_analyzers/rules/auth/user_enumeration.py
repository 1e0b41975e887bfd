"""Log-ins, and helps for a forgotten password, that tell an unknown user from a known one."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...check import Report
from ...flow.routes import Route, RouteContext
from ...pattern import later
from .missing_rate_limit import log_in

visits = (Route,)

_NEGATIVE = r"(?:\bno\b|\bnot\b|n't\b|unknown|invalid|incorrect|wrong|unregistered|does ?n[o']t|bad|mismatch)"
_WHO = r"(?:user ?name|user|account|e-?mail|login)"
_UNKNOWN = later(rf"(?i){_NEGATIVE}.{{0,30}}\b{_WHO}\b|\b{_WHO}\b.{{0,30}}{_NEGATIVE}")
_WRONG = later(rf"(?i){_NEGATIVE}.{{0,30}}\bpassword\b|\bpassword\b.{{0,30}}{_NEGATIVE}")
_RECOVERS = later(r"(?:^|_)(?:forgot\w*|recover\w*|reset_request|request_reset|password_reset_request)(?:_|$)")
_BOTH = later(r"(?i)\b(?:or|and|/)\b|password")


def check(route: Route, context: RouteContext) -> Iterator[Report]:
    """Reports the text that an unknown user is answered with."""
    recovers = bool(_RECOVERS.search(route.words))
    if not recovers and log_in(route, context) is None:
        return
    texts = [node for node in route.body.nodes if isinstance(node, ir.Constant) and isinstance(node.value, str)]
    unknown = [
        n for n in texts if _UNKNOWN.search(str(n.value)) and not _BOTH.search(str(n.value)) and len(str(n.value)) < 120
    ]
    wrong = [n for n in texts if _WRONG.search(str(n.value)) and len(str(n.value)) < 120 and not _either(str(n.value))]
    if unknown and recovers:
        yield Report(unknown[0], name=str(unknown[0].value))
    elif unknown and wrong:
        yield Report(unknown[0], name=" / ".join((str(unknown[0].value), str(wrong[0].value))))


def _either(text: str) -> bool:
    """Whether a text leaves open which of the two was wrong."""
    return bool(re.search(rf"(?i)\b{_WHO}\b\s*(?:or|and|/)\s*password|password\s*(?:or|and|/)\s*{_WHO}", text))
