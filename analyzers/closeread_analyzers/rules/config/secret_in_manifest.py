"""The values of a cluster's `Secret`, whatever they are called."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...configuration import entries, is_manifest_of, revealed, text_of
from ...finding import Confidence, Severity
from ...words import is_random, likeness, promise

visits = (ir.Assign,)

_FIELDS = frozenset({"data", "stringData"})
_NAMES = ("token", "key", "pass", "auth", "credentials", "dockerconfigjson")


def check(node: ir.Assign, context: Context) -> Iterator[Report]:
    """Reports each value that is a secret."""
    for target in node.targets:
        if type(target) is ir.Name and target.id in _FIELDS and is_manifest_of("Secret", context):
            for name, _, value in entries(node.value):
                text = text_of(value)
                if _is_secret(name, revealed(text) if target.id == "data" else text):
                    low = context.is_test
                    yield Report(
                        value,
                        name=name,
                        severity=Severity.LOW if low else None,
                        confidence=Confidence.LOW if low else None,
                    )


def _is_secret(name: str, text: str) -> bool:
    if "PRIVATE KEY-----" in text or '"auth"' in text:
        return True
    named = promise(name) or name.lower().endswith(_NAMES)
    return is_random(text) or (bool(named) and likeness(text) == "strong")
