"""What a scan found, as bytes. One module a format; the folder is the registry.

A format module offers `render(report) -> bytes` and `suffixes`, the endings of an output file that choose it (the
longest that fits wins). Every format counts every problem; none of them decides what is shown: `Report` holds
what is left after the user's thresholds.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from closeread_analyzers.finding import Finding, Location, Problem, Severity

from ._secrets import masked

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule

    from ..remedies import Remedy

DEFAULT = "gitlab"
"""The format of `--output` where neither `--format` nor the file's ending says another."""

_START = datetime(1970, 1, 1, tzinfo=UTC)


def _no_lines(path: str) -> list[str]:
    return []


@dataclass(frozen=True, slots=True)
class Report:
    """All a format needs. Paths are as the user would write them from the current folder.

    `findings` are in the order of path, line and rule; `suppressed` ones stand apart. `hidden` counts
    what the thresholds left out. `own_models` says how many models of the user's own were in force, and how many of
    them clear data or end a path, and so may hide a finding, and how many more a model inferred. `lines_of` gives a
    file's lines; what is shown of them goes through `line`, which hides the `secrets`. `remedies` makes the patches of
    findings, by fingerprint, when a format asks for them. `failed` says that the scan itself could not be done, wholly
    or in part (a path that does not exist), beyond problems of single files.
    """

    findings: tuple[Finding, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: int = 0
    lines: int = 0
    cached: int = 0
    ignored: int = 0
    hidden: int = 0
    since: str = ""
    existing: int = 0
    unmatched: int = 0
    late: bool = False
    scanned: frozenset[str] = frozenset()
    own_models: tuple[int, int, int] = (0, 0, 0)
    started: datetime = _START
    ended: datetime = _START
    version: str = "0"
    failed: bool = False
    rules: Mapping[str, Rule] = field(default_factory=dict)
    lines_of: Callable[[str], list[str]] = _no_lines
    secrets: Mapping[str, tuple[Location, ...]] = field(default_factory=dict)
    remedies: Callable[[], Mapping[str, Remedy]] = dict

    @property
    def vulnerabilities(self) -> tuple[Finding, ...]:
        """The findings that are about security."""
        return tuple(finding for finding in self.findings if finding.kind == "vulnerability")

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """The findings that are not."""
        return tuple(finding for finding in self.findings if finding.kind == "remark")

    def line(self, path: str, number: int) -> str:
        """One line of a file to be shown, without its end; "" where there is none."""
        lines = self.lines_of(path)
        if not 0 < number <= len(lines):
            return ""
        return masked(lines[number - 1], number, self.secrets.get(path, ()))

    @property
    def gravest_first(self) -> tuple[Finding, ...]:
        """The vulnerabilities, then the remarks, the worst of each first, and of these what is likeliest true."""
        from ..ranking import score

        def order(finding: Finding) -> tuple[bool, int, float]:
            return finding.kind == "remark", -finding.severity, -score(finding, self.rules.get(finding.rule))

        return tuple(sorted(self.findings, key=order))

    def title(self, finding: Finding) -> str:
        """The name of what was found, the same for all findings of a rule."""
        rule = self.rules.get(finding.rule)
        return rule.title if rule is not None else finding.rule

    def doubt(self, finding: Finding) -> str:
        """Why a vulnerability is likely false, for people, or ""; always "" while the ranking's line is off."""
        from ..ranking import likely_false

        if finding.kind != "vulnerability" or not likely_false(finding, self.rules.get(finding.rule)):
            return ""
        return "Likely false, by a score fitted to labelled code; nobody has looked at it."

    def fix(self, finding: Finding) -> str:
        """The hint under a finding, or ""."""
        rule = self.rules.get(finding.rule)
        return rule.fix if rule is not None else ""


class Format(Protocol):
    """What a format module offers."""

    suffixes: tuple[str, ...]

    def render(self, report: Report) -> bytes:
        """The whole report."""
        ...


def names() -> list[str]:
    """Every format there is."""
    return sorted(info.name for info in pkgutil.iter_modules(__path__) if not info.name.startswith("_"))


def named(name: str) -> Format:
    """The format of that name. Raises KeyError."""
    if name not in names():
        raise KeyError(name)
    module: Format = importlib.import_module(f"{__name__}.{name}")
    return module


def for_file(output: str) -> str:
    """The name of the format that an output file's ending asks for."""
    fitting = [
        (len(suffix), name) for name in names() for suffix in named(name).suffixes if output.lower().endswith(suffix)
    ]
    return max(fitting)[1] if fitting else DEFAULT


def shown(text: str) -> str:
    """`text` (of a hostile file, perhaps) that can stand in any report: valid Unicode."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def place(problem: Problem) -> str:
    """Where a problem is: "path:line" or "path"."""
    return shown(f"{problem.path}:{problem.line}" if problem.line else problem.path)


def cwe_url(cwe: int) -> str:
    """The public page of a weakness."""
    return f"https://cwe.mitre.org/data/definitions/{cwe}.html"


def tally(findings: tuple[Finding, ...]) -> dict[Severity, int]:
    """How many of each severity, the worst first; only those there are."""
    counts = {level: sum(finding.severity is level for finding in findings) for level in reversed(Severity)}
    return {level: count for level, count in counts.items() if count}
