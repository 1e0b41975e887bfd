"""The façade: text in, findings out. The four drivers (edit, commit, workspace, CI) call only this.

`Project` holds the files' texts as the driver gives them and remembers every step by content: trees
of files that are edited, lowered units by their text, summaries by what they rest on, checks by unit.
What a finding looks like to users is made in presentation.py; which comments answer it, in suppression.py.
"""

from __future__ import annotations

import hashlib
import sys
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from . import addressed, fixing, presentation, suppression
from .catalogue import Catalogue, builtin
from .checked import Checks, Reported
from .finding import Edit, FileResult, Finding, Fix, Ignore, Problem
from .flow.engine import Engine
from .flow.frame import Hit, Record, UseHit, better
from .flow.memory import Interrupted
from .flow.routes import Routes
from .flow.scopes import Source, index
from .flow.unknown import Api, Unknown
from .invented import Exists, Objection, forgotten, invented
from .languages import Tree, language_of
from .outline import Calls, RouteFact, route_fact

if TYPE_CHECKING:
    from .explain import Answer

RECURSION_LIMIT = 12_000
"""Summaries in progress, each with nested statements and expressions. Python-to-Python calls take no C stack."""

MAX_SOURCES = 4_000
"""Lowered files kept; the oldest is made again when it is asked for."""


class Files(Protocol):
    """How the analysers see a project: the driver's business, so that no I/O happens here.

    Paths are relative to the project's root, with forward slashes.
    """

    def read(self, path: str) -> bytes | None:
        """The file's text in UTF-8, or None if there is no such file (or it is not readable or too large)."""
        ...

    def exists(self, path: str) -> bool:
        """Whether `read` would give a text; of a path that ends with a slash, whether there is such a folder.

        Whoever has no use for `FileResult.dependencies` may say of every folder that it is not there.
        """
        ...


class Cancelled(Exception):
    """The caller's `cancelled()` said so; nothing was lost and nothing was half-remembered."""


class Project:
    """A set of files under analysis. Not thread-safe: one thread at a time."""

    def __init__(self, files: Files, catalogue: Catalogue | None = None) -> None:
        """`catalogue` defaults to the built-in rules and models (`catalogue.builtin()`)."""
        self.files = files
        self.catalogue = catalogue if catalogue is not None else builtin()
        self._engine = Engine(self.catalogue, self._source, files.exists)
        self._routes = Routes(self._engine)
        self._sources: OrderedDict[str, Source | None] = OrderedDict()
        self._before: dict[str, Source] = {}
        self._trees: dict[str, Tree] = {}
        self._checks = Checks(self.catalogue.checks, self._engine.tick)
        self._rests_on: dict[str, frozenset[str]] = {}
        self._trial: tuple[str, bytes] | None = None
        self._present = presentation.Presentation(self._source)

    def change(self, path: str, edits: Iterable[tuple[int, int, int]] = ()) -> None:
        """The text of `path` is different from what `files.read` gave before.

        `edits`, if known: (start byte, old end byte, new end byte), in order, for incremental parsing.
        """
        source = self._sources.pop(path, None)
        if source is not None:
            self._before[path] = source
        tree = self._trees.get(path)
        if tree is not None:
            edits = list(edits)
            if not edits:
                del self._trees[path]
            for start, old_end, new_end in edits:
                tree.edit(start, old_end, new_end, (0, start), (0, old_end), (0, new_end))
        self._engine.change(path, source)

    def glance(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileResult:
        """`analyze`, but of the rules over routes only what they said before, where the code is still what it was.

        For the moment after a keystroke: these rules look at all of a file and at the files around it.
        """
        return self.analyze(path, cancelled, _glance=True)

    def analyze(self, path: str, cancelled: Callable[[], bool] = lambda: False, *, _glance: bool = False) -> FileResult:
        """All findings of one file: those in it, and those in other files that its data flows into.

        A finding's location is that of the sink, which may be in another file than `path`; the same finding
        then comes with the other file's result too if its own code leads there. `merged` removes repeats.

        Raises `Cancelled`. A rule or a unit that fails becomes a `Problem` of kind "crash".
        """
        if sys.getrecursionlimit() < RECURSION_LIMIT:
            sys.setrecursionlimit(RECURSION_LIMIT)
        self._engine.cancelled = cancelled
        try:
            self._engine.settle()
            return self._analyze(path, _glance)
        except Interrupted:
            self._engine.reset()
            raise Cancelled from None

    def dependents(self, path: str) -> frozenset[str]:
        """The analysed files whose last result rests on the content of `path`, or on there being no such file."""
        waiting: frozenset[str] = frozenset()
        if self._sources.get(path) is None and path not in self._before:
            waiting = self._engine.waiting_for(path)
        return frozenset(
            other
            for other, files in self._rests_on.items()
            if other != path and (path in files or not waiting.isdisjoint(files))
        )

    def functions(self, path: str) -> dict[str, bytes]:
        """The functions of a file by qualified name, each with the digest of its text; nothing is interpreted."""
        source = self._source(path)
        return {} if source is None else {name: unit.digest for name, unit in source.units.items()}

    def why(
        self,
        path: str,
        line: int,
        others: Iterable[str] = (),
        cancelled: Callable[[], bool] = lambda: False,
        *,
        telling: Iterable[str] = (),
    ) -> Answer:
        """Why a line was or was not reported; callers are looked for in `others`, and in those that are known to be `telling`.

        Nothing that is remembered serves: all that matters is analysed anew. Raises `NoSuchLine` and `Cancelled`.
        """
        from .explain import Explanation  # a second set of tables: nobody else pays for it

        fresh = Project(self.files, self.catalogue)
        fresh._engine.cancelled = cancelled
        question = Explanation(fresh._engine, fresh._source, lambda other: fresh.analyze(other, cancelled))
        return question.of(path, line, others, self.files.read, telling)

    # --- For the editor ---------------------------------------------------------------------------

    def routes(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> tuple[RouteFact, ...]:
        """The routes of a file, in its order. Raises `Cancelled`."""
        self.analyze(path, cancelled)
        source = self._source(path)
        return tuple(route_fact(source, route) for route in self._routes.of(path)) if source is not None else ()

    @property
    def calls(self) -> Calls:
        """Who calls whom, of the files that were analysed."""
        return Calls(self._engine, self._source)

    # --- Fixes ------------------------------------------------------------------------------------

    def fix(self, finding: Finding, cancelled: Callable[[], bool] = lambda: False) -> Fix | None:
        """What mends a finding of the texts as they are, without any judgement; None where nothing surely does.

        A fix was tried: the edited text parses no worse, the finding is gone, and nothing new appeared, neither in the
        file nor in those that rest on it. Raises `Cancelled`.
        """
        source = self._source(finding.location.path)
        rule = self.catalogue.rules.get(finding.rule)
        fix = fixing.proposed(rule, source, finding) if rule is not None and source is not None else None
        return fix if fix is not None and self._mends(fix, [finding], cancelled) else None

    def fix_all(
        self, findings: Sequence[Finding], cancelled: Callable[[], bool] = lambda: False, *, title: str = "Fix all"
    ) -> tuple[Fix | None, tuple[Finding, ...]]:
        """One fix for as many of one file's findings as go together, verified as a whole, and which they are.

        Of fixes that touch the same place the first is taken; another round takes the next. Raises `Cancelled`.
        """
        edits: list[Edit] = []
        mended: list[Finding] = []
        safe = True
        for finding in findings:
            fix = self.fix(finding, cancelled)
            if fix is None:
                continue
            together = sorted({*edits, *fix.edits})
            if not fixing.overlap(together):
                edits, safe = together, safe and fix.safe
                mended.append(finding)
        if not mended:
            return None, ()
        whole = Fix(title, mended[0].location.path, tuple(edits), safe)
        if len(mended) > 1 and not self._mends(whole, mended, cancelled):
            return self.fix(mended[0], cancelled), (mended[0],)
        return whole, tuple(mended)

    def objection(
        self, fix: Fix, finding: Finding, exists: Exists, cancelled: Callable[[], bool] = lambda: False
    ) -> Objection:
        """Why a fix of one function that somebody else made is none; with reason "" where nothing speaks against it.

        It parses no worse, the finding is gone, nothing new is there, it still uses the function's parameters and
        variables, and it uses no name that it made up: `exists` says which modules and members of modules there are that
        neither the file nor a model names. Raises `Cancelled`.
        """
        before = self._source(fix.path)
        gone, new, after = self._tried(fix, cancelled)
        if before is None or after is None or any(one[1] == "syntax" for one in new):
            return Objection("it does not parse")
        if names := invented(before, after, finding.function, exists):
            return Objection(f"it uses {_listed(names)}, which nothing defines", names)
        if not gone[_identity(finding)]:
            return Objection("the finding is still there")
        if new:
            return Objection(f"it brings {next(iter(new))[0]}")
        lost = forgotten(before, after, finding.function)
        return Objection(f"it no longer uses {_listed(lost)}" if lost else "")

    def statement_of(self, finding: Finding) -> tuple[int, int]:
        """The bytes of the smallest statement around a finding, or of its own place where that holds others."""
        source = self._source(finding.location.path)
        assert source is not None  # it has findings
        return fixing.statement_around(source, finding)

    def function_texts(self, path: str) -> dict[str, tuple[int, bytes]]:
        """The functions of a file by qualified name: the line that each begins on, and its text."""
        source = self._source(path)
        text = source.module.source if source is not None else b""
        units = [source.units[name] for name in source.functions if name in source.units] if source is not None else []
        return {
            one.name: (text.count(b"\n", 0, one.start) + 1, text[one.start : one.start + one.statement.end])
            for one in units
        }

    def function_of(self, finding: Finding) -> tuple[int, int] | None:
        """The bytes of the function that a finding lies in, as first and last but one; None where it lies in none."""
        source = self._source(finding.location.path)
        unit = source.units.get(finding.function) if source is not None and finding.function else None
        return (unit.start, unit.start + unit.statement.end) if unit is not None else None

    def _mends(self, fix: Fix, findings: Sequence[Finding], cancelled: Callable[[], bool]) -> bool:
        """Whether these findings are gone once the fix is applied, and nothing is there that was not."""
        gone, new, _ = self._tried(fix, cancelled)
        return not new and gone >= Counter(map(_identity, findings))

    def _tried(
        self, fix: Fix, cancelled: Callable[[], bool]
    ) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]], Source | None]:
        """What is gone once the fix is applied, what is new, and the file as it is then."""
        path = fix.path
        paths = [path, *sorted(self.dependents(path))]
        before = [self.analyze(one, cancelled) for one in paths]
        source = self._source(path)
        assert source is not None  # it has findings
        self._trial = path, fix.applied(source.module.source)
        self.change(path, _byte_edits(fix.edits))
        try:
            after = [self.analyze(one, cancelled) for one in paths]
            fixed = self._source(path)
        finally:
            self._trial = None
            self.change(path, _byte_edits(fix.edits, undo=True))
        return *_difference(before, after), fixed

    def unknown(
        self, paths: Iterable[str], sinks: Iterable[str], cancelled: Callable[[], bool] = lambda: False
    ) -> list[Api]:
        """The library calls that no model describes, where it could matter for `sinks` (kinds); those met most come first.

        That is: data from outside goes into them, or what they give reaches a known sink. Like `why`, it analyses anew
        what it looks at. A file that cannot be analysed is left out. Raises `Cancelled`.
        """
        wanted = frozenset(sinks)
        rules = [rule for kind in wanted for rule in self.catalogue.flows.get(kind, ())]
        observer = Unknown(frozenset().union(*(rule.flow_from for rule in rules)), wanted)
        fresh = Project(self.files, self.catalogue)
        fresh._engine.observer = observer
        for path in paths:
            try:
                fresh.analyze(path, cancelled)
            except Cancelled:
                raise
            except (Exception, RecursionError):
                continue  # told where the file itself is analysed
        return sorted(observer.found, key=lambda api: (-observer.found[api], api))

    # --- Sources ----------------------------------------------------------------------------------

    def _read(self, path: str) -> bytes | None:
        if self._trial is not None and self._trial[0] == path:
            return self._trial[1]
        return self.files.read(path)

    def _source(self, path: str) -> Source | None:
        known = self._sources.get(path)
        if known is not None or path in self._sources:
            return known
        language = language_of(path)
        text = self._read(path) if language is not None else None
        source: Source | None = None
        if text is not None and language is not None:
            before = self._before.pop(path, None)
            edited = before is not None
            tree = language.parse(text, self._trees.get(path)) if path in self._trees else language.parse(text)
            module = language.lower(path, text, tree, before.module if before is not None else None)
            digest = hashlib.blake2b(text, digest_size=16).digest()
            source = index(path, module, language, self.catalogue.models(language.name), digest)
            if before is not None and before.skeleton == source.skeleton:
                source.skeleton = before.skeleton  # the very same, so that hundreds of comparisons to come cost nothing
            if edited or path in self._trees:
                self._trees[path] = tree  # edited once, it will be edited again: keep the tree for that
        self._sources[path] = source
        if len(self._sources) > MAX_SOURCES:
            self._sources.popitem(last=False)
        return source

    # --- One file ---------------------------------------------------------------------------------

    def _analyze(self, path: str, glance: bool) -> FileResult:
        source = self._source(path)
        if source is None:
            if language_of(path) is None:
                return FileResult(path)
            return FileResult(path, problems=(Problem(path, 0, "the file could not be read", "unreadable"),))
        problems = [
            Problem(path, presentation.line_of(source, problem.start), problem.message)
            for problem in source.module.problems
        ]
        hits: dict[tuple[str, Any], Hit] = {}
        uses: dict[tuple[str, Any], UseHit] = {}
        files: set[str] = {path}
        for record in self._records(source, problems):
            files |= record.files
            if record.uses:
                uses.update((key, hit) for key, hit in record.uses.items() if hit.site.path == path)
            for (rule, site, _), hit in record.hits.items():
                known = hits.get((rule, site))
                if known is None or better(hit, known):
                    hits[rule, site] = hit
        present = self._present
        present.begin(path)
        findings = [present.flow(hit) for hit in hits.values()]
        findings += [present.use(hit) for hit in uses.values()]
        findings += [
            present.report(source, unit, rule, report) for unit, rule, report in self._reports(source, problems, glance)
        ]
        around = self._routes.files(path)
        files |= {other for other, there in around.items() if there}
        told = presentation.one_a_place(f for f in findings if f is not None)
        found = present.numbered(presentation.unyielded(told, self.catalogue.rules))
        found += addressed.findings(path, source.module.source, source.language, self.catalogue.rules)
        self._rests_on[path] = frozenset(files)
        return FileResult(
            path,
            tuple(
                sorted(found, key=lambda f: (f.location.path, f.location.start_line, f.location.start_column, f.rule))
            ),
            tuple(problems),
            self._dependencies(files, (other for other, there in around.items() if not there)),
            source.module.source.count(b"\n") + 1,
            tuple(self._ignores(path, found)),
        )

    def _records(self, source: Source, problems: list[Problem]) -> Iterable[Record]:
        """What the interpreter found in the module's body and in each function. One that fails costs itself."""
        path, engine = source.path, self._engine
        units: list[str | None] = [None, *source.functions, ""]
        for name, known in zip(units, [None, *engine.standing(source), None], strict=True):
            if known is not None:
                record = known
            elif name:
                record = engine.unit(path, name)
            else:
                record = engine.body(path) if name is None else engine.together(path)
            if record.failure:
                line = presentation.line_of(source, source.units[name].start) if name else 1
                what = f"`{name}`" if name else "the module's body" if name is None else "what functions keep"
                message = f"{what} could not be analysed ({record.failure}); please report this"
                problems.append(Problem(path, line, message, "crash"))
            yield record
        yield from self._engine.variants(path)

    def _reports(self, source: Source, problems: list[Problem], glance: bool) -> list[Reported]:
        """What the rules written in Python report, those over routes too."""
        crashes: dict[str, str] = {}
        found = self._checks.of(source, crashes)
        found += self._routes.said(source) if glance else self._routes.reports(source, crashes)
        problems += [
            Problem(source.path, 1, f"the rule {rule} failed here ({error}); please report this", "crash")
            for rule, error in crashes.items()
        ]
        return found

    def _ignores(self, path: str, findings: list[Finding]) -> Iterator[Ignore]:
        """The suppressing comments of the file, and of those that findings lie in."""
        places: dict[str, set[int]] = {path: set()}
        for finding in findings:
            at = finding.location
            places.setdefault(at.path, set()).update((at.start_line, at.end_line))
        for other, lines in sorted(places.items()):
            source = self._source(other)
            if source is not None:
                text = suppression.Lines(source.module.source, source.line_starts())
                yield from suppression.ignores(other, text, source.language, lines, self._trees.get(other))

    def _dependencies(self, files: set[str], absent: Iterable[str]) -> tuple[tuple[str, str], ...]:
        rests: dict[str, str] = dict.fromkeys(absent, "")
        for path in files:
            source = self._source(path)
            if source is not None:
                rests[path] = source.digest.hex()
                for missing in self._engine.missing(path):
                    rests.setdefault(missing, "")
        return tuple(sorted(rests.items()))


def _identity(finding: Finding) -> tuple[str, ...]:
    """What stays of a finding when the lines around it change."""
    return finding.rule, finding.location.path, finding.function


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _difference(
    before: list[FileResult], after: list[FileResult]
) -> tuple[Counter[tuple[str, ...]], Counter[tuple[str, ...]]]:
    """What is gone and what is new, of findings and of problems (path, kind, message)."""

    def counted(results: list[FileResult]) -> Counter[tuple[str, ...]]:
        found: Counter[tuple[str, ...]] = Counter(_identity(finding) for finding in merged(results))
        found.update((problem.path, problem.kind, problem.message) for one in results for problem in one.problems)
        return found

    then, now = counted(before), counted(after)
    return then - now, now - then


def _byte_edits(edits: Iterable[Edit], *, undo: bool = False) -> list[tuple[int, int, int]]:
    """Edits for `change`: each on top of those before it."""
    made: list[tuple[int, int, int]] = []
    moved = 0
    for edit in edits:
        length = len(edit.text.encode())
        start = edit.start + moved
        old, new = start + edit.end - edit.start, start + length
        made.append((start, new, old) if undo else (start, old, new))
        moved += new - old
    return made[::-1] if undo else made


def merged(results: Iterable[FileResult], today: str = "", whole: bool = False) -> list[Finding]:
    """The findings of several files, each once, with what the files' comments say of them, ordered by place.

    `today`, in ISO 8601, is what expiring comments are judged by; `whole` says that these are the results of the whole project, so
    that a comment that answers nothing is known to be unused.
    """
    unique: dict[str, Finding] = {}
    ordered = sorted(results, key=lambda result: result.path)
    for result in ordered:
        for finding in result.findings:
            known = unique.get(finding.fingerprint)
            if known is None or (-finding.confidence, len(finding.trace)) < (-known.confidence, len(known.trace)):
                unique[finding.fingerprint] = finding
    comments = [comment for result in ordered for comment in result.ignores]
    if not unique and not comments:
        return []  # without a need for the rules, which take a while to read
    rules = builtin().rules
    told = list(unique.values())
    if len(ordered) > 1:
        # a flow through several files is told with the file it starts from, so that what one place says is weighed again
        told = presentation.unyielded(presentation.one_a_place(told), rules)
    answered = suppression.answered(told, comments, rules, today, whole) if comments else told
    return sorted(answered, key=lambda f: (f.location.path, f.location.start_line, f.location.start_column, f.rule))
