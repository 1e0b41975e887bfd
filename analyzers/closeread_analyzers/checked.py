"""What the rules written in Python report of a file's units, remembered by unit: only those that changed are walked again.

Interpreted also where the analysers are compiled: between one unit and the next, other threads get their turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from . import ir
from .catalogue import Rule
from .check import Context, Report, walk_checks
from .flow.scopes import Source

Reported = tuple[str, Rule, Report]
"""In which unit, which rule, what."""


class Checked(NamedTuple):
    """What was reported in a unit; `rests` are the digests of the unit and of what else was looked at."""

    rests: tuple[bytes, bytes]
    wide: bool
    reports: list[tuple[Rule, Report]]


class Checks:
    """The checks of a project; `tick` is called before each unit that is walked, and may raise to end the work."""

    def __init__(self, rules: tuple[Rule, ...], tick: Callable[[], None]) -> None:
        self._rules = rules
        self._tick = tick
        self._checked: dict[str, dict[str, Checked]] = {}

    def of(self, source: Source, crashes: dict[str, str]) -> list[Reported]:
        """What they report in a file: remembered by unit, or by file where they looked at other units.

        A rule that raises is noted in `crashes` with its error, and nothing of that file is remembered.
        """
        before = self._checked.get(source.path, {})
        now: dict[str, Checked] = {}
        found: list[Reported] = []
        for key, unit in source.units.items():
            known = before.get(key)
            if known is None or known.rests != (unit.digest, source.digest if known.wide else source.skeleton):
                self._tick()
                context = Context(unit, source.module, source.language)
                reports = walk_checks(context, source.language, self._rules, crashes)
                wide = context.wide or isinstance(unit.statement, ir.ClassDefinition)  # its methods are other units
                known = Checked((unit.digest, source.digest if wide else source.skeleton), wide, reports)
            now[key] = known
            if known.reports:
                found += [(key, rule, report) for rule, report in known.reports]
        self._checked[source.path] = {} if crashes else now
        return found
