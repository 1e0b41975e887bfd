"""What a library model says, parsed: one class for each word of models/README.md, and `Models`.

Plain data made once at start and looked up by access path. The interpreter decides whether an entry
holds at a place; nothing here looks at code. The classes are made at every start too, and so without what nobody asks of them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

from ..ir import ConstantValue
from ..pattern import later

Match = Literal["call", "attribute", "assign", "named", "decorator", "base", "compare"]
Operator = Literal[
    "is", "<", ">", "<=", ">=", "absent", "unknown", "text", "tainted", "template", "any", "exponential", "narrow",
    "finds narrow", "captures narrow", "anything", "every sign", "domain",
]  # fmt: skip

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_NOT_WORD = re.compile(r"[^A-Za-z0-9]+")


@lru_cache(maxsize=1 << 14)
def name_words(name: str) -> str:
    """The words of a name, in lower case and joined by `_`: sessionId, Session-ID, SESSION_ID give session_id."""
    return _NOT_WORD.sub("_", _HUMP.sub("_", name)).strip("_").lower()


def word_pattern(words: str) -> re.Pattern[str]:
    """The regular expression `words` as whole words; to be searched in `name_words(name)`."""
    return later(rf"(?:^|_)(?:{words})(?:_|$)", re.IGNORECASE)


def last_words(words: str) -> re.Pattern[str]:
    """The regular expression `words` as the last words of a name: what it is, not what it is about."""
    return later(rf"(?:^|_)(?:{words})$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ArgRef:
    """Which argument: "0", "name", "*", "**" (what is spread into the call), "self", "return"; `keys` lead into it: "0[cookie][secure]".

    The value of an assignment (`assign`, `named`) is position 0.
    """

    kind: Literal["position", "keyword", "all", "spread", "self", "return"]
    position: int = -1
    name: str = ""
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one argument, which may stand at any of `arguments`.

    operator | holds where the argument
    ---------|----------------------------------------------------------------------------------
    is       | is one of the constants `values` (True is not 1), or a string of `values` is its path
    < > ...  | is a number that compares so with `values[0]`
    absent   | is not given
    unknown  | is given and is no constant
    text     | is a non-empty string literal
    tainted  | carries data of the kind at stake
    exponential | is a regular expression that can take exponential time
    narrow ...  | is a text of which `conditions.py` says what it must be
    any      | satisfies one of `alternatives`
    """

    arguments: tuple[ArgRef, ...]
    operator: Operator
    values: tuple[ConstantValue, ...] = ()
    alternatives: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Entry:
    """What all words share. `when` must hold whole; any of `unless` holding undoes the entry.

    `receiver` (for `?.name` paths) is to be searched in `name_words` of the receiver's last name.
    `library` is the stem of the file that says so. An entry equals only itself, which is quick.
    `inferred`: a model said so, and nobody has confirmed it.
    """

    match: Match
    paths: tuple[str, ...]
    library: str
    when: tuple[Condition, ...] = ()
    unless: tuple[Condition, ...] = ()
    receiver: re.Pattern[str] | None = None
    description: str = ""
    inferred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Source(Entry):
    """Data of `kind` comes out here; it is harmless for `clears`.

    `fields` says that it comes out by name, and that the class whose attribute this is has a field of each name.
    """

    kind: str
    crumb: str = ""
    clears: frozenset[str] = frozenset()
    fields: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Sink(Entry):
    """Data must not reach this (`shallow`: as the whole argument; as one of its items it may).

    `arguments` say where one argument may stand; with match "named", `name` is to be searched in `name_words` of the
    variable, attribute, key or keyword. `until`: items of the argument behind this constant are harmless.
    """

    kind: str
    arguments: tuple[ArgRef, ...] = ()
    name: re.Pattern[str] | None = None
    crumb: str = ""
    shallow: bool = False
    until: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class StepModel(Entry):
    """How data passes, from each of `inputs` to each of `outputs`. A barrier is a step that is there to clear.

    `fields`: it comes out by name, and the receiver's class has a field of each name.
    """

    inputs: tuple[ArgRef, ...]
    outputs: tuple[ArgRef, ...]
    clears: frozenset[str] = frozenset()
    adds: frozenset[str] = frozenset()
    crumb: str = ""
    barrier: bool = False
    fields: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Guard(Entry):
    """A test that clears `subject` where its outcome is `holds`. With match "compare", `paths` are operators; with
    match "attribute", the test is whether the attribute is true.

    `raises`: the call says no by raising, so that it clears its subject wherever it returns. `after`: it clears only what is
    harmless for these kinds already. `whole`: what it says of a part, it says of what that is part of.
    """

    subject: tuple[ArgRef, ...]
    clears: frozenset[str]
    holds: bool = True
    raises: bool = False
    after: frozenset[str] = frozenset()
    whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TypeModel(Entry):
    """What a call's result, or an attribute, is an instance of.

    `kept`: of an attribute of a module, that what one function puts into it another finds.
    """

    returns: str
    kept: bool = False


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Use(Entry):
    """The thing itself is what rules report. `message`, if any, overrides the rule's."""

    kind: str
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Which argument holds a route's path and HTTP methods; `method` where it is always the same one."""

    path: ArgRef | None = None
    methods: ArgRef | None = None
    method: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class HandlerModel(Entry):
    """A function the framework calls. With match "named", `paths` are names of its first parameter.

    `methods`: with base, which methods of the subclass. `argument`: with call, where the function stands.
    `parameters`: the kind that every parameter not typed by place in `types` carries ("" for none).
    `returns`: the sink kind of the returned value ("" for none). `arity`: with call, how many parameters a function
    has of which this is said rather than what is said of the others (0: of any).
    """

    methods: tuple[str, ...] = ()
    argument: tuple[ArgRef, ...] = ()
    parameters: str = ""
    types: tuple[str, ...] = ()
    returns: str = ""
    route: Route | None = None
    arity: int = 0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class CallbackModel(Entry):
    """A call that calls a function it is handed, now, later or elsewhere.

    `function` says where it stands; "self" is what the call is a method of, and a key leads to its method of that name.
    It is called with what `arguments` (a sequence) and `keywords` (a dict) hold, or with one of `items` each time, or, with
    `rest`, with what stands behind it. `gives`: "result", or "function" for what calls it when it is called itself.
    """

    function: tuple[ArgRef, ...]
    arguments: tuple[ArgRef, ...] = ()
    keywords: tuple[ArgRef, ...] = ()
    items: tuple[ArgRef, ...] = ()
    rest: bool = False
    gives: str = ""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class NoReturn(Entry):
    """A call that does not come back: it raises or ends the program."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class Auth(Entry):
    """A decorator, a call or a base class that authenticates."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class TemplateModel(Entry):
    """A template of the workspace is rendered, or only found (no `context` and not `keywords`).

    `name` is its file's name, or "self" for what was found before; `context` are dicts by name, and with match
    "decorator" the returned value; `keywords`: all keyword arguments too. A template whose name ends with any of
    `autoescape` is escaped, unless one of `switch` is set to False where the application is set up.
    """

    name: tuple[ArgRef, ...]
    context: tuple[ArgRef, ...] = ()
    keywords: bool = False
    autoescape: tuple[str, ...] = ("",)
    switch: tuple[str, ...] = ()


Index = dict[str, tuple[Entry, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Models:
    """All that one language's folder says, ready to be looked up by exact path.

    The `wild_*` indexes hold the `?.name` entries under `name`. An entry of several paths stands under each.
    `known_modules` are the first segments of all paths: what is imported from elsewhere is unknown to us.
    `receivers` are the paths of which some path is a member: the things whose members we claim to know.
    `kept` are the paths of things that functions hand data on in.
    `own` are the paths of the user's own entries, which may be those of the workspace's functions and classes.
    """

    language: str
    entries: tuple[Entry, ...] = ()
    calls: Index = field(default_factory=dict)
    attributes: Index = field(default_factory=dict)
    assigns: Index = field(default_factory=dict)
    decorators: Index = field(default_factory=dict)
    bases: Index = field(default_factory=dict)
    compares: Index = field(default_factory=dict)
    wild_calls: Index = field(default_factory=dict)
    wild_attributes: Index = field(default_factory=dict)
    wild_assigns: Index = field(default_factory=dict)
    wild_decorators: Index = field(default_factory=dict)
    named: tuple[Sink, ...] = ()
    handlers_by_name: tuple[HandlerModel, ...] = ()
    known_modules: frozenset[str] = frozenset()
    receivers: frozenset[str] = frozenset()
    kept: frozenset[str] = frozenset()
    own: frozenset[str] = frozenset()
