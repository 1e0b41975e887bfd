"""A text that holds a private key in PEM form, with its body."""

from __future__ import annotations

from collections.abc import Iterable

from ... import ir
from ...check import Context, Report
from ...finding import Severity
from ...pattern import later

visits = (ir.Constant,)

_PEM = later(
    r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----\s*(?:[\w-]+: [^\r\n]*[\r\n]+)*(?:[A-Za-z0-9+/=]\s*){40,}"
)


def check(node: ir.Constant, context: Context) -> Iterable[Report]:
    """Reports the text."""
    text = node.value
    if isinstance(text, bytes):
        if b"PRIVATE KEY" not in text:
            return ()
        text = text.decode("latin-1")
    if type(text) is not str or "PRIVATE KEY" not in text or not _PEM.search(text[:10_000]):
        return ()
    return (Report(context.first_line(node), severity=Severity.LOW if context.is_test else None),)
