"""What a rule written in Python sees: the context of one node, and how it reports.

One walk over a unit's nodes serves all checks (`flow` has its own interpreter). A check gets nodes
only of the classes it asked for. Absent on purpose: data flow, other files, and any way to read one.

A module of a check may also define `calls`, a set of names: its `check` then sees only those `Call`s
whose callee's last segment is one of them (renaming imports are undone). One look-up per call then
serves however many checks there are, which is what keeps the walk quick.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from . import ir
from .finding import Confidence, Severity
from .scope import Names, Scope, names_of, scope_of
from .tree import CHILDREN, children, is_unit_method, walk_here

if TYPE_CHECKING:
    from .catalogue import Check, Rule
    from .languages import Language

_TEST_PATH = re.compile(
    r"(^|[/_.-])(tests?|testing|specs?|conftest|__tests__|fixtures?|mocks?)([/_.-]|$)"
    r"|\.(example|sample|dist|template|tmpl)(\.\w+)?$|(^|/)(example|sample)\.env$",
    re.IGNORECASE,
)
_FOLD_LIMIT = 10_000  # characters; what is longer is no constant anybody asks for


class Unknown:
    """The one value of `UNKNOWN`: not a constant, or not one that plain folding finds."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown()


class Report:
    """Something found at `node`; `words` fill the rule's message.

    `severity` and `confidence`, where given, replace the rule's own.
    """

    __slots__ = ("confidence", "node", "severity", "words")

    def __init__(
        self,
        node: ir.Node,
        *,
        severity: Severity | None = None,
        confidence: Confidence | None = None,
        **words: str,
    ) -> None:
        self.node = node
        self.severity = severity
        self.confidence = confidence
        self.words = words


class Context:
    """One unit, and the place in it where the walk stands.

    `parents` are the nodes around the current one inside the unit, innermost last. `wide` says that something outside the
    unit was looked at, other than which names the module binds to what.
    """

    def __init__(self, unit: ir.Unit, module: ir.Module, language: Language) -> None:
        self.unit = unit
        self.wide = False
        self._module = module
        self.traits = language.traits
        self.comment = language.comment
        self.parents: list[ir.Node] = []
        self._names: Names = _names(module)
        self._scopes: dict[int, Scope] = {}
        self._paths: dict[int, str | None] = {}

    @property
    def module(self) -> ir.Module:
        """The whole file. What a check reports after looking at it holds for this text of the file alone (`wide`)."""
        self.wide = True
        return self._module

    @property
    def names(self) -> Names:
        """What the whole file says about its names; see `module`."""
        self.wide = True
        return self._names

    @property
    def outline(self) -> Names:
        """`names`, for those who look at nothing of other units but names and heads: async, generator, decorators.

        Whoever goes on to look at another function's parameters or body sets `wide`.
        """
        return self._names

    @property
    def is_test(self) -> bool:
        """Whether the file's path says that it holds tests, or a sample to copy and fill in (`config.sample.yml`)."""
        return is_test(self._module.path)

    @property
    def function(self) -> ir.Function | None:
        """The innermost enclosing function, a lambda included."""
        for node in reversed(self.parents):
            if type(node) is ir.Function:
                return node
        return None

    @property
    def class_(self) -> ir.Class | None:
        """The class whose body is the innermost definition around, or whose method that is; see `outline`."""
        for node in reversed(self.parents):
            if type(node) is ir.Class:
                return node
            if type(node) is ir.Function:
                owner = self._names.owners.get(id(node))
                if owner is not None:
                    return owner
        return None

    @property
    def method(self) -> ir.Function | None:
        """The outermost method around, if there is one: nested functions see its receiver."""
        for node in self.parents:
            if type(node) is ir.Function and id(node) in self._names.owners:
                return node
        return None

    def class_at(self, function: ir.Function) -> ir.Class | None:
        """The class whose method `function`, the current node, is; see `outline`."""
        owner = self._names.owners.get(id(function))
        if owner is not None:
            return owner
        for node in reversed(self.parents):
            if type(node) is ir.Class:
                return node
            if type(node) is ir.Function:
                return None
        return None

    def text(self, node: ir.Node) -> str:
        """The source of `node`."""
        base = self.unit.start
        return self._module.source[base + node.start : base + node.end].decode("utf-8", "replace")

    def has(self, pattern: re.Pattern[bytes], node: ir.Node) -> bool:
        """Whether a pattern is found in the source of `node`."""
        base = self.unit.start
        return pattern.search(self._module.source, base + node.start, base + node.end) is not None

    def scope(self, function: ir.Function) -> Scope:
        """What `function` binds itself."""
        scope = self._scopes.get(id(function))
        if scope is None:
            scope = self._scopes[id(function)] = scope_of(function.body, function.parameters)
        return scope

    def is_local(self, name: str) -> bool:
        """Whether an enclosing function or comprehension binds `name`, by anything but an import."""
        return self._bound(name) == ""

    def _bound(self, name: str) -> str | None:
        """The import that `name` is by the functions around; "" if they bind it otherwise, None if not at all."""
        for node in reversed(self.parents):
            kind = type(node)
            if kind is ir.Function:
                scope = self.scope(node)  # type: ignore[arg-type]
                if name in scope.bound:
                    return scope.imports.get(name, "")
            elif kind is ir.Comprehension:
                for clause in node.clauses:  # type: ignore[attr-defined]
                    if any(type(part) is ir.Name and part.id == name for part in walk_here(clause.target)):
                        return ""
        return None

    def path(self, expression: ir.Expression) -> str | None:
        """The access path of `expression` by the imports ("datetime.datetime.now"), or None.

        A name that nobody binds is itself: a built-in. A call of a path gives `path()`, or the same path if
        its last segment is in CapWords. A subscript with a constant key gives `path[key]`.
        """
        key = id(expression)
        if key in self._paths:
            return self._paths[key]
        suffixes: list[str] = []
        at = expression
        while True:
            if type(at) is ir.Attribute:
                suffixes.append("." + at.name)
                at = at.value
            elif type(at) is ir.Call:
                suffixes.append("()")
                at = at.callee
            elif type(at) is ir.Subscript and type(at.key) is ir.Constant:
                suffixes.append(f"[{at.key.value!s}]")
                at = at.value
            else:
                break
        root = self._root_path(at)
        found = None if root is None else _join(root, suffixes)
        self._paths[key] = found
        return found

    def _root_path(self, root: ir.Expression) -> str | None:
        if type(root) is ir.ImportExpression:
            return root.module
        if type(root) is not ir.Name:
            return None
        bound = self._bound(root.id)
        if bound is not None:
            return bound or None
        module = self._names.scope
        if root.id in module.bound:
            return module.imports.get(root.id)
        return root.id

    def constant(self, expression: ir.Expression | None) -> ir.ConstantValue | Unknown:
        """The constant that `expression` is by itself: literals, sums of texts, signs. Names are not looked up."""
        if type(expression) is ir.Constant:
            return expression.value
        if expression is None or type(expression) not in (ir.Unary, ir.Binary, ir.Template):
            return UNKNOWN
        return _fold(expression)

    def first_line(self, node: ir.Node) -> ir.Node:
        """The part of `node` on its first line: enough to mark a block by."""
        return ir.Node(node.start, node.start + len(self.text(node).partition("\n")[0].encode()))

    def is_explained(self, node: ir.Node) -> bool:
        """Whether a comment stands in `node`, and not just at the end of its first line: somebody thought about it."""
        if not self.comment:
            return False
        text = self.text(node)
        return self.comment in text.partition("\n")[2] or (self.comment == "//" and "/*" in text)


@lru_cache(maxsize=8)
def _names(module: ir.Module) -> Names:
    return names_of(module)


@lru_cache(maxsize=256)
def is_test(path: str) -> bool:
    """Whether a path is that of tests, fixtures or samples."""
    return _TEST_PATH.search(path) is not None


def _join(root: str, suffixes: list[str]) -> str:
    path = root
    for suffix in reversed(suffixes):
        if suffix == "()" and path.rpartition(".")[2][:1].isupper():
            continue
        path += suffix
    return path


def _fold(expression: ir.Expression) -> ir.ConstantValue | Unknown:
    """The value of an expression of literals, by a stack of its own: sums can be thousands of terms deep."""
    values: list[Any] = []
    pending: list[tuple[ir.Expression, bool]] = [(expression, False)]
    while pending:
        node, ready = pending.pop()
        if type(node) is ir.Constant:
            values.append(node.value)
        elif isinstance(node, ir.Unary | ir.Binary | ir.Template):
            if not ready:
                pending.append((node, True))
                pending.extend((child, False) for child in children(node))  # type: ignore[misc]
                continue
            value = _operate(node, values)
            if value is UNKNOWN:
                return UNKNOWN
            values.append(value)
        else:
            return UNKNOWN
    return values[0]  # type: ignore[no-any-return]


def _operate(node: ir.Unary | ir.Binary | ir.Template, values: list[Any]) -> ir.ConstantValue | Unknown:
    if isinstance(node, ir.Template):
        # the parts were pushed in order and popped in reverse, so the first part is the last value
        parts = [values.pop() for _ in node.parts]
        if not all(isinstance(part, str) for part in parts) or sum(map(len, parts)) > _FOLD_LIMIT:
            return UNKNOWN
        return "".join(parts)
    if isinstance(node, ir.Unary):
        value = values.pop()
        if node.operator == "-" and type(value) in (int, float):
            return -value  # type: ignore[no-any-return]
        return UNKNOWN
    left, right = values.pop(), values.pop()
    if type(left) is not type(right):
        return UNKNOWN
    if node.operator == "+" and isinstance(left, str | bytes) and len(left) + len(right) <= _FOLD_LIMIT:
        return left + right  # type: ignore[no-any-return]
    if type(left) is int and node.operator in ("|", "&", "+", "-"):
        if node.operator == "|":
            return left | right  # type: ignore[no-any-return]
        if node.operator == "&":
            return left & right  # type: ignore[no-any-return]
        return left + right if node.operator == "+" else left - right  # type: ignore[no-any-return]
    return UNKNOWN


# --- The walk --------------------------------------------------------------------------------------

_Interested = tuple[tuple["Rule", "Check"], ...]


class _Dispatch:
    """Which checks want which nodes, for one set of rules and traits."""

    def __init__(self, rules: Iterable[Rule], traits: frozenset[str]) -> None:
        by_class: dict[type[ir.Node], list[tuple[Rule, Check]]] = defaultdict(list)
        by_call: dict[str, list[tuple[Rule, Check]]] = defaultdict(list)
        for rule in rules:
            if rule.check is None or not rule.needs <= traits:
                continue
            calls = getattr(rule.check, "__globals__", {}).get("calls")
            for visited in rule.visits:
                if visited is ir.Call and calls is not None:
                    for name in calls:
                        by_call[name].append((rule, rule.check))
                else:
                    by_class[visited].append((rule, rule.check))
        self.calls: dict[str, _Interested] = {name: tuple(found) for name, found in by_call.items()}
        self.table: dict[type[ir.Node], tuple[_Interested, Any]] = {
            kind: (tuple(by_class.get(kind, ())), CHILDREN.get(kind)) for kind in {*by_class, *CHILDREN}
        }


@lru_cache(maxsize=32)
def _dispatch(key: _Key, traits: frozenset[str]) -> _Dispatch:
    return _Dispatch(key.rules, traits)


class _Key:
    """Rules, told from others by who they are: hashing their texts on each unit would cost more than the walk."""

    __slots__ = ("rules",)

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = rules

    def __hash__(self) -> int:
        return id(self.rules)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Key) and self.rules is other.rules


def run_checks(
    unit: ir.Unit,
    module: ir.Module,
    language: Language,
    rules: Sequence[Rule],
    crashes: dict[str, str] | None = None,
) -> list[tuple[Rule, Report]]:
    """What the checks of `rules` report in one unit, in the order of the walk.

    A check that raises is entered in `crashes` (rule id -> what happened) and called no more, neither
    here nor in the file's other units if they are given the same `crashes`.
    """
    crashes = {} if crashes is None else crashes
    return walk_checks(Context(unit, module, language), language, rules, crashes)


def walk_checks(
    context: Context, language: Language, rules: Sequence[Rule], crashes: dict[str, str]
) -> list[tuple[Rule, Report]]:
    """`run_checks` for a context that the caller made, to see afterwards what was looked at."""
    dispatch = _dispatch(_Key(rules), language.traits)
    found: list[tuple[Rule, Report]] = []
    table, calls, renamed = dispatch.table, dispatch.calls, context._names.renamed
    parents = context.parents
    levels: list[Iterator[ir.Node]] = [iter((context.unit.statement,))]
    while levels:
        for node in levels[-1]:
            kind = type(node)
            entry = table.get(kind)
            if entry is None:
                continue
            if kind is ir.FunctionDefinition and parents and is_unit_method(node):
                continue
            interested, getter = entry
            if interested:
                _ask(interested, node, context, found, crashes)
            if kind is ir.Call:
                callee = node.callee  # type: ignore[attr-defined]
                last = callee.name if type(callee) is ir.Attribute else getattr(callee, "id", "")
                special = calls.get(renamed.get(last, last) if renamed else last)
                if special:
                    _ask(special, node, context, found, crashes)
            below = getter(node) if getter is not None else ()
            if below:
                parents.append(node)
                levels.append(iter(below))
                break
        else:
            levels.pop()
            if parents:
                parents.pop()
    return found


def _ask(
    interested: _Interested,
    node: ir.Node,
    context: Context,
    found: list[tuple[Rule, Report]],
    crashes: dict[str, str],
) -> None:
    for rule, check in interested:
        if crashes and rule.id in crashes:
            continue
        try:
            for report in check(node, context):
                found.append((rule, report))
        except Exception as error:  # a check may fail in any way, and loses only itself
            crashes[rule.id] = f"{type(error).__name__}: {error}"
