"""The words of rules/README.md: from a rule's document, and the check beside it, to a `Rule`.

The example blocks are parsed when somebody asks for them, which only the tests and `explain` do.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import string
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal, cast, get_args

from .. import ir
from ..finding import INFERRED, Confidence, Edit, Severity
from .models import Kinds
from .reading import CatalogueError, Table, nearest, parse_toml, read_text

if TYPE_CHECKING:
    from ..check import Context, Report
    from ..fixing import FixContext

    Check = Callable[[ir.Node, Context], Iterator[Report]]
    Mender = Callable[[ir.Node, FixContext], Iterator[Edit]]
else:
    Check = Mender = Callable

TRAITS = frozenset(
    {
        "shared-defaults",
        "none-identity",
        "assert-removable",
        "builtin-names",
        "catch-by-type",
        "coroutine-calls",
        "plain-imports",
        "loose-equality",
        "routes",
        "settings",
        "image-recipe",
    }
)
"""What `needs` may name; languages/__init__.py says what each means."""

TAGS = frozenset({"unnecessary", "deprecated"})
"""How an editor may show the code of a finding: faded, or struck through."""

BUILTIN_RULES = Path(__file__).parent.parent / "rules"

Kind = Literal["vulnerability", "remark"]
_KINDS = get_args(Kind)
MarkKind = Literal["finding", "missed", "spurious"]
Fate = Literal["bare", "unused", "expired"]
Passage = Literal["addressed"]

_KEYS = (
    "cwe",
    "also",
    "yields",
    "severity",
    "kind",
    "confidence",
    "message",
    "fix",
    "needs",
    "tags",
    "flow",
    "use",
    "suppression",
    "text",
)
_WORDS_OF_MESSAGE = frozenset({"source", "sink", "name"})
_TITLE = re.compile(r"^# +(.+)$", re.MULTILINE)
_SECTION = re.compile(r"^## +(.+?) *$", re.MULTILINE)
_FENCE = re.compile(r"^(?P<ticks>`{3,})(?P<language>[\w.+-]*) *\n(?P<body>.*?)^(?P=ticks) *$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"\s*(?:#|//|<!--|\{#|--|;)\s*file:\s*(\S+?)\s*(?:-->|#\})?\s*$")
_MARK = re.compile(r"(?:#|//|<!--|\{#)\s*(finding|missed|spurious)\b[^\n]*$")
_ID = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*$")


@dataclass(frozen=True, slots=True)
class Mark:
    """A line of an example that must be reported, should be and is not, or is and should not be."""

    path: str
    line: int
    kind: MarkKind


@dataclass(frozen=True, slots=True)
class Example:
    """One code block of a rule: a project of one file or several. `line` is that of its fence."""

    rule: str
    language: str
    flagged: bool
    files: dict[str, str]
    marks: tuple[Mark, ...]
    document: Path
    line: int

    @property
    def id(self) -> str:
        """A name for a test: "eval:31-python"."""
        return f"{self.rule}:{self.line}-{self.language}"


@dataclass(frozen=True, slots=True)
class Mend:
    """How a rule's findings are mended; see fixing.py."""

    title: str
    nodes: tuple[type[ir.Node], ...]
    fix: Mender
    safe: bool


@dataclass(frozen=True, slots=True)
class Repair:
    """A file of a rule's `## Fixed`, before and after. `line` is that of its block's fence."""

    rule: str
    path: str
    before: str
    after: str
    line: int

    @property
    def id(self) -> str:
        """A name for a test: "bare-except:31"."""
        return f"{self.rule}:{self.line}"


@dataclass(frozen=True)
class Rule:
    """One rule. What it reports comes of its flow, its use or its check; it may have several.

    `also` are further CWEs that name the weakness; it says nothing in a function where a rule of `yields` spoke.
    `suppression` is what it reports of comments that answer findings (see suppression.py), `text` which passages of a
    file's text (see addressed.py).
    """

    id: str
    topic: str
    title: str
    prose: str
    cwe: int | None
    severity: Severity
    kind: Kind
    confidence: Confidence
    message: str
    fix: str
    document: Path
    needs: frozenset[str] = frozenset()
    also: tuple[int, ...] = ()
    yields: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    flow_from: frozenset[str] = frozenset()
    flow_to: frozenset[str] = frozenset()
    use: frozenset[str] = frozenset()
    suppression: Fate | None = None
    text: Passage | None = None
    check: Check | None = None
    visits: tuple[type[ir.Node], ...] = ()
    mend: Mend | None = None

    @cached_property
    def repairs(self) -> tuple[Repair, ...]:
        """The blocks under "Fixed"."""
        return tuple(_repairs(self))

    @cached_property
    def examples(self) -> tuple[Example, ...]:
        """The code blocks under "Flagged" and "Not flagged"."""
        return tuple(_examples(self))


class Rules(Mapping[str, Rule]):
    """Every rule by its id. The twin of a rule, for findings that rest on a model's answer, is found by name and not listed."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[str, Rule] = {rule.id: rule for rule in rules}

    def __getitem__(self, name: str) -> Rule:
        found = self._rules.get(name)
        if found is None and name.endswith(INFERRED):
            plain = self._rules[name.removesuffix(INFERRED)]
            return replace(plain, id=name, title=f"{plain.title} (inferred by the model)")
        return self._rules[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._rules)

    def __len__(self) -> int:
        return len(self._rules)


def read_rule(document: Path, text: str, kinds: Kinds, module: Path | None) -> Rule:
    """The rule that a document, and the check in `module` if there is one, describe."""
    if not _ID.match(document.stem):
        raise CatalogueError(document, 1, "a rule's file is named by its id: lower-case words joined by dashes")
    front, body, body_line = _split(document, text)
    table = Table(document, front, parse_toml(document, front, 2), first_line=2)
    prose_end, title = _headings(document, body, body_line)
    topic = document.parent.name
    default_kind = "remark" if topic == "remarks" else "vulnerability"
    kind = cast(Kind, table.known(table.string("kind", default_kind), "kind", _KINDS, "a kind of rule"))
    cwe = table.number("cwe")
    if cwe is None and kind == "vulnerability":
        table.fail("`cwe` is missing; a vulnerability names its weakness, `cwe = 78`")
    flow = Table(document, front, table.table("flow"), first_line=2)
    flow_from = flow.some_of("from", kinds.source, "a source kind of kinds.toml")
    flow_to = kinds.expand(flow, "to")
    flow.finish(("from", "to"))
    if bool(flow_from) != bool(flow_to):
        table.fail("a flow needs both `from` and `to`", "flow")
    use = table.some_of("use", kinds.use, "a use kind of kinds.toml")
    check, visits, mend = _beside(module) if module else (None, (), None)
    fate = table.known(table.string("suppression", ""), "suppression", ("", *get_args(Fate)), "a fate of comments")
    suppression = cast("Fate | None", fate or None)
    passage = table.known(table.string("text", ""), "text", ("", *get_args(Passage)), "a passage of a text")
    text_of = cast("Passage | None", passage or None)
    if not (flow_to or use or check or suppression or text_of):
        table.fail(f"reports nothing: give it `flow`, `use` or a check in {module_of(document)}.py")
    severity = table.one_of("severity", [level.label for level in Severity], "a severity")
    confidence = table.known(
        table.string("confidence", "high"), "confidence", [level.label for level in Confidence], "a confidence"
    )
    rule = Rule(
        id=document.stem,
        topic=topic,
        title=title,
        prose=body[body.index("\n", _title_at(body)) : prose_end].strip(),
        cwe=cwe,
        severity=Severity[severity.upper()],
        kind=kind,
        confidence=Confidence[confidence.upper()],
        message=_message(table, checked=check is not None),
        fix=table.string("fix"),
        document=document,
        needs=table.some_of("needs", TRAITS, "a trait of languages/__init__.py"),
        also=table.numbers("also"),
        yields=frozenset(table.strings("yields", ())),
        tags=table.some_of("tags", TAGS, "a tag"),
        flow_from=flow_from,
        flow_to=flow_to,
        use=use,
        suppression=suppression,
        text=text_of,
        check=check,
        visits=visits,
        mend=mend,
    )
    table.finish(_KEYS)
    return rule


def module_of(document: Path) -> str:
    """The stem of the check that may stand beside a rule's document."""
    return document.stem.replace("-", "_")


# --- Parts of a document ---------------------------------------------------------------------------


def _split(document: Path, text: str) -> tuple[str, str, int]:
    """Front matter, body, and the line the body starts on."""
    if not text.startswith("+++\n"):
        raise CatalogueError(document, 1, "must start with front matter between two lines +++")
    end = text.find("\n+++\n", 3)
    if end < 0:
        raise CatalogueError(document, 1, "the front matter has no end; close it with a line +++")
    front = text[4 : end + 1]
    return front, text[end + 5 :], front.count("\n") + 3


def _title_at(body: str) -> int:
    found = _TITLE.search(body)
    return found.start() if found else 0


def _headings(document: Path, body: str, body_line: int) -> tuple[int, str]:
    """Where the prose ends, and the title."""
    sections = {found[1]: found.start() for found in _SECTION.finditer(body)}
    title = _TITLE.search(body, 0, min(sections.values(), default=len(body)))
    if not title:
        raise CatalogueError(document, body_line, "has no title; write `# Title in the words of a developer`")
    for name in ("Flagged", "Not flagged"):
        if name not in sections:
            raise CatalogueError(
                document, body_line, f"has no section `## {name}`; its code blocks are the rule's tests"
            )
    return sections["Flagged"], title[1].strip()


def _message(table: Table, *, checked: bool) -> str:
    message = table.string("message")
    try:
        words = {word for _, word, _, _ in string.Formatter().parse(message) if word is not None}
    except ValueError as error:
        table.fail(f"`message` is not a format: {error}; write {{{{ for a brace", "message")
    if not checked:
        for word in sorted(words - _WORDS_OF_MESSAGE):
            table.fail(f"`message` knows no {{{word}}}; {nearest(word, _WORDS_OF_MESSAGE)}", "message")
    return message


def _beside(file: Path) -> tuple[Check | None, tuple[type[ir.Node], ...], Mend | None]:
    """The check, the nodes it visits and the fix that a rule's module has; one of the two is there."""
    module = _load(file)
    check = getattr(module, "check", None)
    fix = getattr(module, "fix", None)
    if not callable(check) and not callable(fix):
        raise CatalogueError(file, 1, "has no function `check(node, context)`, and no `fix(node, context)`")
    mend = None
    if fix is not None:
        title = getattr(module, "title", None)
        if not isinstance(title, str):
            raise CatalogueError(file, 1, "has a `fix` and no `title`: what a user is offered, in a few words")
        mend = Mend(title, _classes(file, module, "mends"), cast(Mender, fix), getattr(module, "safe", True))
    return cast("Check | None", check), _classes(file, module, "visits") if check else (), mend


def _classes(file: Path, module: ModuleType, name: str) -> tuple[type[ir.Node], ...]:
    nodes = getattr(module, name, None)
    if not isinstance(nodes, tuple) or not nodes or not all(isinstance(node, type) for node in nodes):
        raise CatalogueError(file, 1, f"has no `{name}`, a tuple of the node classes of ir.py that it is called for")
    return nodes


def _load(file: Path) -> ModuleType:
    """The module of a check. One outside the package is loaded under the same kind of name, and not registered."""
    name = f"{__package__.rpartition('.')[0]}.rules.{file.parent.name}.{file.stem}"
    try:
        if file.parent.parent == BUILTIN_RULES:
            return importlib.import_module(name)
        spec = importlib.util.spec_from_file_location(name, file)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module
    except Exception as error:  # a check's module may fail in any way, and the file must be named
        raise CatalogueError(file, 1, f"cannot be imported: {type(error).__name__}: {error}") from error


# --- Examples --------------------------------------------------------------------------------------


def _examples(rule: Rule) -> Iterator[Example]:
    document = rule.document
    text = read_text(document)
    _, body, body_line = _split(document, text)
    sections = [(found.start(), found[1]) for found in _SECTION.finditer(body)]
    seen = set()
    for fence in _FENCE.finditer(body):
        section = next((name for start, name in reversed(sections) if start < fence.start()), "")
        if section not in ("Flagged", "Not flagged"):
            continue
        line = body_line + body.count("\n", 0, fence.start())
        language = fence["language"]
        if not language:
            raise CatalogueError(document, line, "a code block must name its language: ```python")
        files = _files(document, line, language, fence["body"])
        marks = tuple(_marks(files))
        flagged = section == "Flagged"
        if flagged and not any(mark.kind in ("finding", "missed") for mark in marks):
            raise CatalogueError(document, line, "a flagged block marks no line; end one with a comment `finding`")
        if not flagged and any(mark.kind != "spurious" for mark in marks):
            raise CatalogueError(document, line, "marks a finding under `## Not flagged`; move the block up")
        seen.add(section)
        yield Example(rule.id, language, flagged, files, marks, document, line)
    for section in ("Flagged", "Not flagged"):
        if section not in seen:
            raise CatalogueError(document, body_line, f"has no code block under `## {section}`")


def _repairs(rule: Rule) -> Iterator[Repair]:
    """The `diff` blocks under "Fixed": each a whole file, whose first line names it (`--- app.js`)."""
    text = read_text(rule.document)
    _, body, body_line = _split(rule.document, text)
    fixed = body.find("\n## Fixed\n")
    for fence in _FENCE.finditer(body, fixed) if fixed >= 0 else ():
        line = body_line + body.count("\n", 0, fence.start())
        lines = fence["body"].split("\n")[:-1]
        if not lines[0].startswith("--- "):
            raise CatalogueError(
                rule.document, line, "a block under `## Fixed` is the diff of a whole file: `--- app.py`"
            )
        path = lines.pop(0)[4:].strip()
        before, after = ("".join(f"{one[1:]}\n" for one in lines if one[:1] in ("", " ", sign)) for sign in ("-", "+"))
        yield Repair(rule.id, path, before, after, line)


def _files(document: Path, line: int, language: str, body: str) -> dict[str, str]:
    lines = body.split("\n")
    starts = [(number, found[1]) for number, text in enumerate(lines) if (found := _FILE.match(text))]
    if not starts or starts[0][0] != 0:
        if starts:
            raise CatalogueError(document, line, "a block with several files starts with `# file: NAME`")
        return {_file_name(language): body}
    files = {}
    for (number, name), (end, _) in zip(starts, [*starts[1:], (len(lines), "")], strict=True):
        if name in files:
            raise CatalogueError(document, line, f"has the file {name} twice")
        files[name] = "\n".join(lines[number + 1 : end]) + ("\n" if end < len(lines) else "")
    return files


def _file_name(language: str) -> str:
    """The name of a block's only file: `example` with the suffix of its language."""
    from ..languages import languages  # here, since it loads every grammar

    suffix = next((known.suffixes[0] for known in languages() if known.name == language), f".{language}")
    return f"example{suffix}"


def _marks(files: dict[str, str]) -> Iterator[Mark]:
    for path, text in files.items():
        for number, line in enumerate(text.split("\n"), 1):
            if found := _MARK.search(line):
                yield Mark(path, number, cast(MarkKind, found[1]))
