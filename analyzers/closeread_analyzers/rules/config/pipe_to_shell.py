"""A fetched script that is piped into a shell."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import within
from ...pattern import later

visits = (ir.Constant,)

_PIPED = later(
    r"\b(curl|wget)\b(?=[^\n|;&]*(?:://|\$))[^\n|;&]{1,500}\|\s*(?:sudo\s+(?:-\S+\s+)*)?(?:/usr)?(?:/bin/)?(?:env\s+)?(?:ba|z|da|k)?sh\b"
)


def check(node: ir.Constant, context: Context) -> Iterator[Report]:
    """Reports the command."""
    text = node.value
    if isinstance(text, str) and "|" in text and "sh" in text and ("curl" in text or "wget" in text):
        for place, found in within(node, context, _PIPED):
            yield Report(place, name=found[1])
