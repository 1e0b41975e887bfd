"""Secrets that were found are not shown: a report is copied to where the source never was.

Of a text in quotes the first characters stay, so that its owner knows which it is; its length stays, so that marks under
the code are right.
"""

from __future__ import annotations

import re

from closeread_analyzers.finding import Finding, Location

_SECRETS = frozenset({259, 321, 522, 540, 798})
_QUOTED = re.compile(r"(?P<quote>[\"'`])(?P<text>.*?)(?P=quote)")
_KEPT = 3


def secret_places(findings: list[Finding]) -> dict[str, tuple[Location, ...]]:
    """Where secrets stand, by path."""
    places: dict[str, tuple[Location, ...]] = {}
    for finding in findings:
        if finding.cwe in _SECRETS:
            at = finding.location
            places[at.path] = (*places.get(at.path, ()), at)
    return places


def masked(text: str, number: int, places: tuple[Location, ...]) -> str:
    """A line without the secrets in it."""
    for at in places:
        if not at.start_line <= number <= at.end_line:
            continue
        start = at.start_column if number == at.start_line else 0
        end = at.end_column if number == at.end_line else len(text)
        part = text[start:end]
        if at.start_line == at.end_line and _QUOTED.search(part):
            part = _QUOTED.sub(lambda found: found["quote"] + _stars(found["text"]) + found["quote"], part)
        else:
            part = _stars(part)
        text = text[:start] + part + text[end:]
    return text


def _stars(text: str) -> str:
    kept = _KEPT if len(text) > 2 * _KEPT else 0
    return text[:kept] + re.sub(r"\S", "*", text[kept:])
