"""The words of models/README.md: from the TOML files of one language's folder to `Models`.

One table of `WORDS` says what each word may hold; one function a word makes its entry.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

from ..ir import ConstantValue
from .entries import (
    ArgRef,
    Auth,
    CallbackModel,
    Condition,
    Entry,
    Guard,
    HandlerModel,
    Index,
    Match,
    Models,
    NoReturn,
    Operator,
    Route,
    Sink,
    Source,
    StepModel,
    TemplateModel,
    TypeModel,
    Use,
    last_words,
    word_pattern,
)
from .reading import Table, nearest, parse_toml, read_text

_ARGUMENT = re.compile(r"(?P<base>\*\*?|\d+|[A-Za-z_$][\w$-]*)(?P<keys>(?:\[[^\[\]]+\])*)$")
_COMPARED = re.compile(r"(<=|>=|<|>)\s*(-?\d+(?:\.\d+)?)$")
_ALTERNATIVES = re.compile(r"[,|]")
_PATH = re.compile(r"\S+$")
_MARKERS: dict[str, Operator] = {
    "<absent>": "absent",
    "<unknown>": "unknown",
    "<text>": "text",
    "<tainted>": "tainted",
    "<exponential>": "exponential",
    "<narrow>": "narrow",
    "<finds-narrow>": "finds narrow",
    "<captures-narrow>": "captures narrow",
    "<anything>": "anything",
    "<every-sign>": "every sign",
    "<domain>": "domain",
    "<template>": "template",
}
_NONE = "<none>"


@dataclass(frozen=True, slots=True)
class Kinds:
    """kinds.toml: each kind in one sentence, groups of sink kinds, and the texts behind which data is harmless."""

    source: dict[str, str]
    sink: dict[str, str]
    use: dict[str, str]
    groups: dict[str, frozenset[str]]
    prefixes: dict[str, re.Pattern[str]]

    def expand(self, table: Table, key: str) -> frozenset[str]:
        """The sink kinds that `key` lists, "@group" expanded."""
        kinds: set[str] = set()
        for name in table.strings(key, ()):
            if name.startswith("@"):
                table.known(name[1:], key, self.groups, "a group of kinds.toml")
                kinds |= self.groups[name[1:]]
            else:
                kinds.add(table.known(name, key, self.sink, "a sink kind of kinds.toml"))
        return frozenset(kinds)


def read_kinds(file: Path) -> Kinds:
    """The kinds of a file."""
    text = read_text(file)
    data = parse_toml(file, text)
    top = Table(file, text, data)
    sections = {name: top.table(name) for name in ("source", "sink", "use", "group", "prefix")}
    top.finish(sections)
    for section in ("source", "sink", "use"):
        table = Table(file, text, sections[section], f"[{section}]")
        for name in sections[section]:
            table.string(name)
    table = Table(file, text, sections["group"], "[group]")
    groups = {name: table.some_of(name, sections["sink"], "a sink kind") for name in sections["group"]}
    prefixes: dict[str, re.Pattern[str]] = {}
    table = Table(file, text, sections["prefix"], "[prefix]")
    for name in sections["prefix"]:
        table.known(name, name, sections["sink"], "a sink kind")
        try:
            prefixes[name] = re.compile(table.string(name))
        except re.error as error:
            table.fail(f"`{name}` is not a regular expression: {error}", name)
    return Kinds(sections["source"], sections["sink"], sections["use"], groups, prefixes)


# --- Parts of an entry -----------------------------------------------------------------------------


class _Shared(TypedDict):
    match: Match
    paths: tuple[str, ...]
    library: str
    when: tuple[Condition, ...]
    unless: tuple[Condition, ...]
    receiver: re.Pattern[str] | None
    description: str
    inferred: bool


@lru_cache(maxsize=1024)
def _argument(text: str, of_value: bool) -> ArgRef | None:
    found = _ARGUMENT.match(text)
    if not found:
        return None
    base, keys = found["base"], tuple(found["keys"][1:-1].split("][")) if found["keys"] else ()
    if base == "*":
        return ArgRef("all", keys=keys)
    if base == "**":
        return ArgRef("spread", keys=keys)
    if base == "self":
        return ArgRef("self", keys=keys)
    if base == "return":
        return ArgRef("return", keys=keys)
    if base.isdigit():
        return ArgRef("position", position=int(base), keys=keys)
    if of_value and base == "value":
        return ArgRef("position", position=0, keys=keys)
    return ArgRef("keyword", name=base, keys=keys)


def _arguments(table: Table, key: str, texts: Iterable[str], match: Match = "call") -> tuple[ArgRef, ...]:
    arguments = []
    for text in texts:
        argument = _argument(text.strip(), match in ("assign", "named"))
        if argument is None:
            table.fail(f'"{text}" is no argument; write "0", "name", "*", "self", "return" or "0[key]"', key)
        arguments.append(argument)
    return tuple(arguments)


def _condition(table: Table, key: str, arguments: tuple[ArgRef, ...], value: Any) -> Condition:
    constants: list[ConstantValue] = []
    others: list[Condition] = []
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, (str, bool, int, float)):
            table.fail(f"`{key}` compares with {item!r}; write a string, a number or a boolean", key)
        if not isinstance(item, str):
            constants.append(item)
        elif item == _NONE:
            constants.append(None)
        elif item in _MARKERS:
            others.append(Condition(arguments, _MARKERS[item]))
        elif compared := _COMPARED.match(item):
            operator: Operator = compared[1]  # type: ignore[assignment]  # the pattern has these four only
            others.append(Condition(arguments, operator, (float(compared[2]),)))
        elif item.startswith("<") and item.endswith(">"):
            table.fail(f'`{key}` knows no "{item}"; {nearest(item, [*_MARKERS, _NONE])}', key)
        else:
            constants.append(item)
    if constants:
        others.insert(0, Condition(arguments, "is", tuple(constants)))
    if not others:
        table.fail(f"`{key}` has an empty list, which nothing can match; leave it out", key)
    return others[0] if len(others) == 1 else Condition(arguments, "any", alternatives=tuple(others))


def _conditions(table: Table, key: str, match: Match) -> tuple[Condition, ...]:
    return tuple(
        _condition(table, key, _arguments(table, key, _ALTERNATIVES.split(names), match), value)
        for names, value in table.table(key).items()
    )


def _pattern(table: Table, key: str, make: Callable[[str], re.Pattern[str]] = word_pattern) -> re.Pattern[str] | None:
    words = table.string(key, "")
    return make(words) if words else None


def _check_path(table: Table, match: Match, path: str) -> None:
    if not _PATH.match(path):
        table.fail(f'"{path}" is no path; write one like "package.module.name"', match)
    if path.startswith("?") and (not path.startswith("?.") or len(path) < 3 or "." in path[2:].partition("[")[0]):
        table.fail(f'"{path}": after "?." comes one name; say with `receiver` what it is called on', match)


def _shared(table: Table, matches: tuple[Match, ...]) -> _Shared:
    present = [match for match in matches if match in table.data]
    if len(present) != 1:
        table.fail(f"needs one of {', '.join(f'`{match}`' for match in matches)}, and only one")
    match = present[0]
    paths = table.strings(match)
    if match not in ("named", "compare"):
        for path in paths:
            _check_path(table, match, path)
    receiver = _pattern(table, "receiver")
    if receiver and not any(path.startswith("?.") for path in paths):
        table.fail('`receiver` is for paths that start with "?."; take it out or write the path so', "receiver")
    return {
        "match": match,
        "paths": paths,
        "library": table.file.stem,
        "when": _conditions(table, "when", match),
        "unless": _conditions(table, "unless", match),
        "receiver": receiver,
        "description": table.string("description", ""),
        "inferred": table.flag("inferred", False),
    }


# --- One function a word ---------------------------------------------------------------------------


def _source(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    kind = table.one_of("kind", kinds.source, "a source kind of kinds.toml")
    return Source(
        **shared,
        kind=kind,
        crumb=table.string("crumb", ""),
        clears=kinds.expand(table, "clears"),
        fields=table.flag("fields", False),
    )


def _sink(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    match = shared["match"]
    texts = table.strings("argument", None if match == "call" else ())
    return Sink(
        **shared,
        kind=table.one_of("kind", kinds.sink, "a sink kind of kinds.toml"),
        arguments=_arguments(table, "argument", texts, match),
        name=_pattern(table, "named", last_words) if match == "named" else None,
        crumb=table.string("crumb", ""),
        shallow=table.flag("shallow", False),
        until=table.string("until", ""),
    )


def _step(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    return StepModel(
        **shared,
        inputs=_arguments(table, "from", table.strings("from", ("self", "*"))),
        outputs=_arguments(table, "to", table.strings("to", ("return",))),
        clears=kinds.expand(table, "clears"),
        adds=table.some_of("adds", kinds.source, "a source kind of kinds.toml"),
        crumb=table.string("crumb", ""),
        barrier=table.header.endswith("barrier]]"),
        fields=table.flag("fields", False),
    )


def _barrier(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    table.strings("clears")
    return _step(table, shared, kinds)


def _guard(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    table.strings("clears")
    if shared["match"] == "compare":
        for operator in shared["paths"]:
            table.known(operator, "compare", ("in", "not in", "==", "!=", "is", "is not"), "a comparison")
    return Guard(
        **shared,
        subject=_arguments(table, "subject", table.strings("subject")),
        clears=kinds.expand(table, "clears"),
        holds=table.flag("holds", True),
        raises=table.flag("raises", False),
        after=kinds.expand(table, "after"),
        whole=table.flag("whole", False),
    )


def _type(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    return TypeModel(**shared, returns=table.string("returns"), kept=table.flag("kept", False))


def _use(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    kind = table.one_of("kind", kinds.use, "a use kind of kinds.toml")
    return Use(**shared, kind=kind, message=table.string("message", ""))


def _route(table: Table) -> Route | None:
    if "route" not in table.data:
        return None
    data = table.table("route")
    inner = Table(table.file, table.text, data, table.header, table.index, table.first_line)
    path = _arguments(inner, "route", inner.strings("path", ()))
    methods = _arguments(inner, "route", inner.strings("methods", ()))
    route = Route(
        path=path[0] if path else None, methods=methods[0] if methods else None, method=inner.string("method", "")
    )
    inner.finish(("path", "methods", "method"))
    return route


def _handler(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    match = shared["match"]
    return HandlerModel(
        **shared,
        methods=table.strings("methods", None if match == "base" else ()),
        argument=_arguments(table, "argument", table.strings("argument", None if match == "call" else ())),
        parameters=table.one_of("parameters", kinds.source, "a source kind") if "parameters" in table.data else "",
        types=table.strings("types", ()),
        returns=table.one_of("returns", kinds.sink, "a sink kind") if "returns" in table.data else "",
        route=_route(table),
        arity=table.number("arity") or 0,
    )


def _callback(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    return CallbackModel(
        **shared,
        function=_arguments(table, "function", table.strings("function")),
        arguments=_arguments(table, "arguments", table.strings("arguments", ())),
        keywords=_arguments(table, "keywords", table.strings("keywords", ())),
        items=_arguments(table, "items", table.strings("items", ())),
        rest=table.flag("rest", False),
        gives=table.known(table.string("gives", ""), "gives", ("", "result", "function"), "what a callback gives"),
    )


def _no_return(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    return NoReturn(**shared)


def _auth(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    return Auth(**shared)


def _template(table: Table, shared: _Shared, kinds: Kinds) -> Entry:
    contexts = table.strings("context", ())
    escaped = table.get("autoescape")
    suffixes = ("",) if escaped is None or escaped is True else ()
    return TemplateModel(
        **shared,
        name=_arguments(table, "name", table.strings("name")),
        context=_arguments(table, "context", [context for context in contexts if context != _KEYWORDS]),
        keywords=_KEYWORDS in contexts,
        autoescape=suffixes if escaped is None or isinstance(escaped, bool) else table.strings("autoescape"),
        switch=table.strings("switch", ()),
    )


class _Word(NamedTuple):
    """What a word may match on, what else it may say, and what makes it an entry."""

    matches: tuple[Match, ...]
    keys: tuple[str, ...]
    make: Callable[[Table, _Shared, Kinds], Entry]


_KEYWORDS = "**"
_STEP_KEYS = ("from", "to", "clears", "adds", "crumb", "fields")
WORDS = {
    "source": _Word(("call", "attribute"), ("kind", "crumb", "clears", "fields"), _source),
    "sink": _Word(("call", "assign", "named"), ("argument", "kind", "crumb", "shallow", "until"), _sink),
    "step": _Word(("call", "attribute"), _STEP_KEYS, _step),
    "barrier": _Word(("call", "attribute"), _STEP_KEYS, _barrier),
    "guard": _Word(
        ("call", "compare", "attribute"), ("subject", "holds", "clears", "raises", "after", "whole"), _guard
    ),
    "type": _Word(("call", "attribute"), ("returns", "kept"), _type),
    "use": _Word(("call", "attribute", "assign", "decorator"), ("kind", "message"), _use),
    "handler": _Word(
        ("decorator", "base", "call", "named"),
        ("methods", "argument", "parameters", "types", "returns", "route", "arity"),
        _handler,
    ),
    "callback": _Word(("call",), ("function", "arguments", "keywords", "items", "rest", "gives"), _callback),
    "noreturn": _Word(("call",), (), _no_return),
    "auth": _Word(("decorator", "call", "base"), (), _auth),
    "template": _Word(("call", "decorator"), ("name", "context", "autoescape", "switch"), _template),
}
_SHARED_KEYS = ("when", "unless", "receiver", "description", "inferred")


# --- A language's folder ---------------------------------------------------------------------------


def read_model(file: Path, text: str, kinds: Kinds) -> list[Entry]:
    """The entries of one file."""
    return [
        read_entry(word, table, kinds)
        for word, rows in parse_toml(file, text).items()
        for table in tables(file, text, word, rows)
    ]


def tables(file: Path, text: str, word: str, rows: Any, prefix: str = "") -> Iterator[Table]:
    """One table for each entry under a word; `prefix` is what stands before the word in the entries' headers."""
    header = f"{prefix}{word}"
    if word not in WORDS:
        Table(file, text, {}, header).fail(f"unknown word; {nearest(word, WORDS)}")
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        Table(file, text, {}, header).fail(f"must be written [[{header}]]")
    for index, row in enumerate(rows):
        yield Table(file, text, row, f"[[{header}]]", index)


def read_entry(word: str, table: Table, kinds: Kinds) -> Entry:
    """The entry that a table under `word` is. Every key of the table must have been read."""
    matches, keys, make = WORDS[word]
    entry = make(table, _shared(table, matches), kinds)
    table.finish((*matches, *keys, *_SHARED_KEYS))
    if entry.inferred and not isinstance(entry, Source | Sink):
        table.fail("only a [[source]] or a [[sink]] can be `inferred`: what hides findings needs a person", "inferred")
    return entry


def merge(language: str, entries: Iterable[Entry]) -> Models:
    """The indexes over `entries`."""
    entries = tuple(entries)
    plain: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    wild: dict[str, dict[str, list[Entry]]] = defaultdict(lambda: defaultdict(list))
    modules: set[str] = set()
    receivers: set[str] = set()
    for entry in entries:
        if entry.match == "named":
            continue
        for path in entry.paths:
            if path.startswith("?."):
                wild[entry.match][path[2:]].append(entry)
                continue
            plain[entry.match][path].append(entry)
            if entry.match != "compare":
                modules.add(path.partition("[")[0].partition(".")[0])
                receiver = path.rpartition(".")[0]
                while receiver and receiver not in receivers:
                    receivers.add(receiver)
                    receiver = receiver.rpartition(".")[0]

    def frozen(index: dict[str, list[Entry]]) -> Index:
        return {path: tuple(found) for path, found in index.items()}

    return Models(
        language=language,
        entries=entries,
        calls=frozen(plain["call"]),
        attributes=frozen(plain["attribute"]),
        assigns=frozen(plain["assign"]),
        decorators=frozen(plain["decorator"]),
        bases=frozen(plain["base"]),
        compares=frozen(plain["compare"]),
        wild_calls=frozen(wild["call"]),
        wild_attributes=frozen(wild["attribute"]),
        wild_assigns=frozen(wild["assign"]),
        wild_decorators=frozen(wild["decorator"]),
        named=tuple(entry for entry in entries if isinstance(entry, Sink) and entry.match == "named"),
        handlers_by_name=tuple(e for e in entries if isinstance(e, HandlerModel) and e.match == "named"),
        known_modules=frozenset(modules),
        receivers=frozenset(receivers),
        kept=frozenset(path for e in entries if isinstance(e, TypeModel) and e.kept for path in e.paths),
    )
