"""How likely a finding is true: a score that orders findings of one severity and fills a report's "likely false positive".

A plain logistic regression over what the analysis says of a finding. Its coefficients are data (`ranking.toml`), made by
`benchmarks/ranking.py` from labelled code and judged there by cross-validation over applications. No feature names a file,
a helper or a text of the program, so nothing that is written in the code under review moves a score but what moves the
analysis itself. No rule has a weight of its own, since that did worse on applications that were left out, and no model is
asked, since small ones are near chance here. Deliberately absent: removing a finding, lowering its severity, and any say in
whether a gate fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from closeread_analyzers.finding import Finding

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule

_FILE = Path(__file__).with_name("ranking.toml")


def features(finding: Finding, rule: Rule | None) -> dict[str, float]:
    """What counts of a finding, by name; `rule` is its rule, or None where it is unknown. Absent names count as 0."""
    places = {step.location.path for step in finding.trace}
    found = {
        "severity": finding.severity / 4,
        "confidence": finding.confidence / 2,
        "flow": float(bool(finding.trace)),
        "steps": math.log1p(len(finding.trace)),
        "files": math.log1p(max(0, len(places) - 1)),
        "module-level": float(not finding.function),
    }
    if rule is not None:
        found["doubt"] = (rule.confidence - finding.confidence) / 2
        found["remote"] = float("remote" in rule.flow_from)
        found["use"] = float(bool(rule.use))
    return found


def score(finding: Finding, rule: Rule | None) -> float:
    """The estimated probability that a finding is true, between 0 and 1."""
    return probability(features(finding, rule), _fitted()["weight"])


def likely_false(finding: Finding, rule: Rule | None) -> bool:
    """Whether a finding is below the line. Never of any while the line is off (see `ranking.toml`)."""
    line = _fitted().get("line")
    return line is not None and score(finding, rule) < line


def probability(of: Mapping[str, float], weights: Mapping[str, float]) -> float:
    """The logistic function of the weighted sum; the weight "" is the constant."""
    total = weights[""] + sum(weights.get(name, 0.0) * value for name, value in of.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@cache
def _fitted() -> Mapping[str, Any]:
    return tomli.loads(_FILE.read_text("utf-8"))
