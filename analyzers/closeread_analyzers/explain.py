"""Why a line was or was not reported: the analysis runs once more under observation, and what was seen is put in words.

The answer is a list of notes, each of one kind: what was found; what reached a sink and was harmless there, and
since where; what a sink, or the models, wanted and did not get; whom nobody calls; why control never comes here;
where data got lost. Rules that look at shape and not at data (`rules/**/*.py`) say no more than that they reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass
from typing import Literal

from . import ir
from .catalogue import Condition, Entry, Sink, Use, builtin
from .finding import FileResult, Finding, Location, Step
from .flow.engine import Engine
from .flow.lines import barred, is_on_the_way, place_of, way_to
from .flow.scopes import Source
from .flow.taints import Parameter, Site, Taint
from .flow.values import UNKNOWN, Bound, ClassRef, FunctionRef
from .flow.watch import Place, SeenCall, Watch, watching
from .presentation import Presentation, line_of, span
from .suppression import answered

Kind = Literal[
    "reported", "suppressed", "cleared", "no-rule", "elsewhere", "no-data", "condition", "position", "unknown-call",
    "passed", "dead", "uncalled", "caller", "parameter", "data", "lost", "nothing", "no-code",
]  # fmt: skip
"""reported      a finding on this line
suppressed    a finding that a comment answers
cleared       data reaches a sink here, harmless by what is said
no-rule       data reaches a sink here, and no rule minds data of its kind there
elsewhere     a rule would speak, and another one speaks for it
no-data       a sink that nothing from outside is known to reach
condition     a sink or a use under a condition that does not hold here
position      data goes into a call that has a sink, by another argument
unknown-call  data goes into a call that no model describes
passed        data goes into a function of the project, where nothing comes of it
dead          control never comes here
parameter     it depends on who calls this function, and with what
uncalled      no call of this function is known
caller        a call of this function, without data from outside
data          data from outside that is here
lost          where data went in and did not come out, on the way to this line
nothing       no data from outside is known here
no-code       there is nothing on this line to evaluate"""

MAX_FILES = 200
"""Files in which callers are looked for."""
MAX_NOTES = 8
MAX_VALUES = 3


@dataclass(frozen=True, slots=True)
class Note:
    """One reason, in words, the place it is about, and (for data) the way there."""

    kind: Kind
    message: str
    location: Location | None = None
    trace: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to say of a line."""

    path: str
    line: int
    findings: tuple[Finding, ...]
    notes: tuple[Note, ...]

    @property
    def is_reported(self) -> bool:
        """Whether there is a finding that no comment answers."""
        return any(finding.suppression is None for finding in self.findings)


class NoSuchLine(LookupError):
    """There is no such file, or no such line in it; the message says which."""


class Explanation:
    """One question. `engine` must not have analysed anything yet; `analyze` gives a file's result by it."""

    def __init__(
        self, engine: Engine, source: Callable[[str], Source | None], analyze: Callable[[str], FileResult]
    ) -> None:
        self.engine = engine
        self.source = source
        self.analyze = analyze
        self.show = Presentation(source)

    def of(
        self,
        path: str,
        line: int,
        others: Iterable[str],
        read: Callable[[str], bytes | None],
        telling: Iterable[str] = (),
    ) -> Answer:
        """The answer. Who calls is looked for in `telling`, and in those of `others` that name the function. Raises `NoSuchLine`."""
        source = self.source(path)
        if source is None:
            raise NoSuchLine(f"{path} cannot be read, or is in no language that is analysed")
        if not 0 < line <= len(source.line_starts()):
            raise NoSuchLine(f"{path} has {len(source.line_starts())} lines; there is no line {line}")
        place = place_of(source, line)
        if place is None:
            found = _on_line(self.analyze(path), path, line)
            return Answer(
                path,
                line,
                found,
                (*self._reported(found), Note("no-code", "There is nothing on this line to evaluate.")),
            )
        line = line_of(source, source.units[place.unit].start + place.start)
        watch = Watch(place)
        findings: dict[str, Finding] = {}
        looked = 0
        with watching(self.engine, watch):
            for other in dict.fromkeys((*telling, *self._files(path, source, place, others, read))):
                looked += 1
                findings |= {finding.fingerprint: finding for finding in _on_line(self.analyze(other), path, line)}
        found = tuple(sorted(findings.values(), key=lambda f: (f.location.start_column, f.rule)))
        notes = list(dict.fromkeys(self._notes(source, watch, found, looked)))
        return Answer(path, line, found, tuple(notes[: 4 * MAX_NOTES]))

    def _files(
        self, path: str, source: Source, place: Place, others: Iterable[str], read: Callable[[str], bytes | None]
    ) -> Iterator[str]:
        """The file itself, then those that name the line's function (or its class)."""
        yield path
        info = source.functions.get(place.unit)
        if info is None:
            return
        name = info.function.name if info.function.name != "__init__" else place.unit.split(".")[-2]
        left = MAX_FILES
        for other in others:
            if other != path and left and name.encode() in (read(other) or b""):
                left -= 1
                yield other

    # --- The notes --------------------------------------------------------------------------------

    def _notes(self, source: Source, watch: Watch, findings: tuple[Finding, ...], looked: int) -> Iterator[Note]:
        yield from self._reported(findings)
        dead = self._dead(source, watch)
        if dead is not None:
            yield dead
            return
        told = list(self._arrivals(watch, findings))
        yield from told
        calls = [note for node, call in watch.calls.items() for note in self._call(watch, node, call)]
        yield from (note for note in calls if note.kind != "condition" or not findings)
        yield from self._beyond(watch)
        empty = any(note.kind == "no-data" for note in calls)
        if empty or not any(taint.kind for taint in _taints(watch)):
            told += self._lost(source, watch)
            yield from (note for note in told if note.kind == "lost")
        if any(note.kind == "parameter" for note in told) or (
            not findings and any(isinstance(taint.origin, Parameter) for taint in _taints(watch))
        ):
            yield from self._callers(watch, looked)
        if not findings:
            data = list(self._data(watch, {arrival.taint.origin for arrival in watch.arrivals.values()}))
            yield from data
            if not data and not told and not empty:
                yield Note("nothing", "No data from outside is known to come to this line.")

    def _reported(self, findings: tuple[Finding, ...]) -> Iterator[Note]:
        for finding in findings:
            answered = finding.suppression
            if answered is None:
                yield Note("reported", f"{finding.rule}: {finding.message}", finding.location, finding.trace)
            else:
                message = f"{finding.rule} is answered by the comment on line {answered.line}: {answered.reason}"
                yield Note("suppressed", message, finding.location, finding.trace)

    def _dead(self, source: Source, watch: Watch) -> Note | None:
        unit, place = source.units[watch.place.unit], watch.place
        found = barred(way_to(unit.statement, place.start, place.end), watch.ran, watch.left)
        if found is None:
            return None
        at = span(source, unit.start + found.node.start, unit.start + found.node.end)
        code = self._code(Site(source.path, place.unit, found.node.start, found.node.end))
        return Note("dead", f"This line is never reached: `{code}` (line {at.start_line}) {found.how}.", at)

    def _arrivals(self, watch: Watch, findings: tuple[Finding, ...]) -> Iterator[Note]:
        rules = {finding.rule for finding in findings}
        for arrival in watch.arrivals.values():
            kind, taint = arrival.kind, arrival.taint
            sink, at = self._code(arrival.site), self.show._location(arrival.site)
            what = f"{self._named(taint)} reaches `{sink}`, which is about {kind}"
            trace = tuple(self.show._steps(taint.trail))
            if kind in taint.cleared:
                yield Note("cleared", f"{what}, and is harmless there: {self._since(watch, taint, kind)}.", at, trace)
            elif isinstance(taint.origin, Parameter):
                yield Note("parameter", f"{what}: it depends on who calls, and with what.", at, trace)
            else:
                waiting = [rule for rule in self.engine.catalogue.flows.get(kind, ()) if taint.kind in rule.flow_from]
                if not waiting:
                    yield Note("no-rule", f"{what}; no rule minds {taint.kind} data there.", at, trace)
                for rule in waiting:
                    if rule.id not in rules:
                        speaker = ", ".join(sorted(rules)) or "another rule in this function"
                        yield Note("elsewhere", f"{what}; {rule.id} leaves the word to {speaker}.", at, trace)

    def _since(self, watch: Watch, taint: Taint, kind: str) -> str:
        """Where data became harmless for a kind: of all such places, those on the way to the line."""
        changes = [c for c in watch.changes.values() if kind in c.kinds and _same_data(c.taint, taint)]
        source = self.source(watch.place.path)
        near = [c for c in changes if source is not None and is_on_the_way(source, watch.place, c)]
        places = [f"{'by a test of' if c.guard else 'made so by'} {self._at(c.site, watch)}" for c in near or changes]
        return " and ".join(dict.fromkeys(places)) or "by what kind of value it is"

    def _at(self, site: Site, watch: Watch) -> str:
        at = self.show._location(site)
        where = f"line {at.start_line}" if at.path == watch.place.path else f"{at.path}:{at.start_line}"
        return f"`{self._code(site)}` ({where})"

    def _beyond(self, watch: Watch) -> Iterator[Note]:
        """What data does in the functions that the line calls."""
        for arrival in list(watch.beyond.values())[:MAX_NOTES]:
            kind, taint = arrival.kind, arrival.taint
            rules = [rule.id for rule in self.engine.catalogue.flows.get(kind, ()) if taint.kind in rule.flow_from]
            if not rules:
                continue
            end = "harmless there" if kind in taint.cleared else f"reported there ({', '.join(rules)})"
            message = (
                f"From here {self._named(taint)} reaches {self._at(arrival.site, watch)}, which is about {kind}: {end}."
            )
            yield Note("passed", message, self.show._location(arrival.site), tuple(self.show._steps(taint.trail)))

    def _call(self, watch: Watch, node: ir.Call, call: SeenCall) -> Iterator[Note]:
        site = Site(watch.place.path, watch.place.unit, node.start, node.end)
        name = self._code(Site(site.path, site.unit, node.callee.start, node.callee.end))
        at = self.show._location(site)
        asked = [(entry, holds) for entry, holds in call.entries if isinstance(entry, Sink | Use)]
        missed: list[str] = []
        for kind in dict.fromkeys(entry.kind for entry, _ in asked if isinstance(entry, Sink | Use)):
            entries = [(entry, holds) for entry, holds in asked if getattr(entry, "kind", "") == kind]
            speaking = [entry for entry, holds in entries if holds]
            if not speaking and (call.tainted or isinstance(entries[0][0], Use)):
                conditions = " or ".join(dict.fromkeys(_condition(entry) for entry, _ in entries))
                yield Note("condition", f"`{name}` counts as {kind} only where {conditions}; not so here.", at)
            elif (
                speaking
                and isinstance(speaking[0], Sink)
                and not any(arrival.kind == kind and arrival.site == site for arrival in watch.arrivals.values())
            ):
                minded = "/".join(dict.fromkeys(_argument(r.kind, r.position, r.name) for r in speaking[0].arguments))
                missed.append(f"{kind} in {minded}")
        if missed:
            yield _unreached(name, " and ".join(missed), call, at)
        if not call.entries and call.tainted:
            names = ", ".join(call.tainted)
            target = call.callee.target
            if target is None:
                said = "no model describes it; if it does harm or clears, a [[sink]] or [[barrier]] can say so"
                yield Note("unknown-call", f"Data goes into `{name}` ({names}), and {said}.", at)
            elif (place := self._defined(target)) is not None:
                where = f"{place.path}:{place.start_line}"
                yield Note("passed", f"Data goes into `{name}` ({names}), which is at {where}.", place)

    def _lost(self, source: Source, watch: Watch) -> Iterator[Note]:
        """Where data went in and did not come out, among what the line's names were computed from."""
        sinks = {arrival.site for arrival in watch.arrivals.values()}
        everything = frozenset(self.engine.catalogue.flows)
        for change in watch.changes.values():
            if change.site in sinks or not is_on_the_way(source, watch.place, change):
                continue
            data, at = self._named(change.taint), self._at(change.site, watch)
            if not change.kinds:
                message = f"{data} goes into {at} and is not followed out of it."
            elif change.guard and change.kinds | change.taint.cleared >= everything:
                message = f"{data} is one of the program's own constants by a test of {at}."
            else:
                continue
            yield Note("lost", message, self.show._location(change.site), tuple(self.show._steps(change.taint.trail)))

    def _callers(self, watch: Watch, looked: int) -> Iterator[Note]:
        source = self.source(watch.place.path)
        info = source.functions.get(watch.place.unit) if source is not None else None
        if info is None:
            return
        if not watch.callers:
            files = f"{looked} file{'s' if looked != 1 else ''}"
            message = (
                f"No call of `{info.function.name}` was found ({files} looked at), and no framework is known to call "
                "it: what its parameters hold is unknown."
            )
            yield Note("uncalled", message)
        for caller in list(watch.callers.values())[:MAX_NOTES]:
            at = self.show._location(caller.site)
            kinds = sorted({taint.kind for taint in caller.taints if taint.kind})
            passes = (
                f"with {' and '.join(kinds)} data"
                if kinds
                else ("with parameters of its own" if caller.taints else "with nothing from outside")
            )
            yield Note("caller", f"`{info.function.name}` is called at {at.path}:{at.start_line}, {passes}.", at)

    def _data(self, watch: Watch, told: Set[object]) -> Iterator[Note]:
        best: dict[object, Taint] = {}
        for taint in _taints(watch):
            if (
                taint.kind
                and taint.origin not in told
                and (taint.origin not in best or len(taint.cleared) < len(best[taint.origin].cleared))
            ):
                best[taint.origin] = taint
        for taint in list(best.values())[:MAX_NOTES]:
            kinds = (
                ", ".join(sorted(taint.cleared)) if len(taint.cleared) <= 6 else f"{len(taint.cleared)} kinds of sinks"
            )
            cleared = f"; harmless for {kinds}" if kinds else ""
            steps = tuple(self.show._steps(taint.trail))
            yield Note("data", f"{self._named(taint)} is here{cleared}.", steps[0].location if steps else None, steps)

    # --- Words ------------------------------------------------------------------------------------

    def _named(self, taint: Taint) -> str:
        return f"`{taint.label}` ({taint.kind})" if taint.kind else f"parameter `{taint.label}`"

    def _code(self, site: Site) -> str:
        source = self.source(site.path)
        if source is None:
            return ""
        text = " ".join(self.show._text(source, site).split())
        return text if len(text) <= 60 else f"{text[:57]}..."

    def _defined(self, target: object) -> Location | None:
        target = target.function if isinstance(target, Bound) else target
        if not isinstance(target, FunctionRef | ClassRef):
            return None
        source = self.source(target.path)
        unit = source.units.get(target.name) if source is not None else None
        return span(source, unit.start, unit.start) if source is not None and unit is not None else None


def _on_line(result: FileResult, path: str, line: int) -> tuple[Finding, ...]:
    return tuple(
        finding
        for finding in answered(result.findings, result.ignores, builtin().rules)
        if finding.location.path == path and finding.location.start_line <= line <= finding.location.end_line
    )


def _taints(watch: Watch) -> Iterator[Taint]:
    return (taint for seen in watch.seen.values() for taint in seen.taints)


def _unreached(name: str, minded: str, call: SeenCall, at: Location) -> Note:
    if call.tainted:
        given = ", ".join(call.tainted)
        message = f"`{name}` is about {minded}; data from outside, or from a caller, is in {given} only."
        return Note("position", message, at)
    constants = [repr(value.const)[:40] for value in call.untainted.values() if value.const is not UNKNOWN]
    because = f" (here: {', '.join(constants)})" if constants else ""
    return Note("no-data", f"`{name}` is about {minded}; nothing from outside is known there{because}.", at)


def _same_data(one: Taint, other: Taint) -> bool:
    return one.kind == other.kind and (
        one.origin == other.origin
        or (
            isinstance(one.origin, Parameter)
            and isinstance(other.origin, Parameter)
            and one.origin.place == other.origin.place
        )
    )


def _condition(entry: Entry) -> str:
    parts = [_tested(condition) for condition in entry.when]
    parts += [f"not ({_tested(condition)})" for condition in entry.unless]
    return " and ".join(parts)


def _tested(condition: Condition) -> str:
    if condition.operator == "any":
        return " or ".join(_tested(inner) for inner in condition.alternatives)
    name = "/".join(_argument(ref.kind, ref.position, ref.name) for ref in condition.arguments)
    if condition.operator == "is":
        values = [repr(value) for value in condition.values]
        return f"{name} is {' or '.join(values[:MAX_VALUES])}{' or...' if len(values) > MAX_VALUES else ''}"
    if condition.values:
        return f"{name} {condition.operator} {condition.values[0]!r}"
    return f"{name} is {condition.operator}"


def _argument(kind: str, position: int, name: str) -> str:
    words = {"all": "any argument", "self": "the object it is called on", "return": "its result"}
    return words.get(kind) or (f"argument {position}" if kind == "position" else f"`{name}`")


__all__ = ["Answer", "Explanation", "NoSuchLine", "Note"]
