"""What the lowerings of all languages share: units and their reuse, names, problems, the cap on nesting.

A language derives its own `Lowerer`, gives it two tables (node kind -> function) and says what a module-level
definition is called. The tables' functions get the depth at which they stand and hand it on as it is;
`expression` and `statement` are the only doors to the next level, so the cap is checked in one place and the
recursion limit is out of reach. Chains that are long in real code (sums, method calls, else-if) are built in
loops by the languages and cost one level whatever their length, so **their IR can be thousands of nodes deep
along `Binary.left`, `Call.callee`, `Attribute.value`, `Subscript.value` and `If.orelse`**.

Deliberately absent: anything about a grammar. Trap: positions are relative to `self.base`, which is another
one while a method is lowered.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from sys import intern
from typing import Any, ClassVar, TypeVar

import tree_sitter

from .. import ir

MAX_DEPTH = 100
"""Levels of expressions and statements; real code stays below 40. Each level takes up to four Python frames."""

MAX_PROBLEMS = 20
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels: the inner part was not analysed"

# `Any` is the language's own Lowerer: the tables hold plain functions and are called with it.
ExpressionHandler = Callable[[Any, tree_sitter.Node, int], ir.Expression]
StatementHandler = Callable[[Any, tree_sitter.Node, int, list[ir.Statement]], None]

_PIECE = 16 * 1024
_LARGE = 64 * 1024
"""Bytes that take no longer to parse than a frame of an editor's."""
_ERROR_ID = 0xFFFF  # the id that tree-sitter gives to ERROR nodes in every grammar
_T = TypeVar("_T")


def parsed(grammar: tree_sitter.Language, source: bytes, previous: tree_sitter.Tree | None) -> tree_sitter.Tree:
    """`source` parsed; `previous` is an edited earlier tree. The nodes' `text` is not to be asked: it is in `source`.

    tree-sitter keeps the interpreter to itself while it has something to read, so a large text that is new is given to it in
    pieces: other threads, an editor's among them, need not wait for a whole file. Its binding (0.25 and 0.26) never lets go
    of a piece, so what happens at every keystroke is not done that way: what did not change is not read again anyway.
    """

    def read(start: int, _: object) -> bytes:
        return source[start : start + _PIECE]

    parser = tree_sitter.Parser(grammar)
    if previous is not None:
        return parser.parse(source, previous)
    return parser.parse(read if len(source) > _LARGE else source)


def table(grammar: tree_sitter.Language, handlers: Mapping[str, _T], default: _T) -> dict[int, _T]:
    """`handlers` by `Node.kind_id`, complete: integers are quicker to get and to hash than kind names.

    Raises KeyError for a kind that the grammar does not have.
    """
    by_id: dict[int, _T] = {}
    unknown = set(handlers) - {"ERROR"}
    for i in range(grammar.node_kind_count):
        kind = grammar.node_kind_for_id(i) or ""
        named = grammar.node_kind_is_named(i)
        by_id[i] = handlers.get(kind, default) if named else default
        if named:
            unknown.discard(kind)
    if unknown:
        raise KeyError(f"the grammar has no {sorted(unknown)}")
    by_id[_ERROR_ID] = handlers.get("ERROR", default)
    return by_id


def kind_ids(grammar: tree_sitter.Language, *kinds: str) -> frozenset[int]:
    """The ids of the named kinds; a kind can have several."""
    known = _named(grammar)
    ids = {i for kind in kinds for i in known.get(kind, ())}
    return frozenset(ids | {_ERROR_ID} if "ERROR" in kinds else ids)


@cache
def _named(grammar: tree_sitter.Language) -> dict[str, list[int]]:
    """The ids of every named kind: the tables ask for hundreds, on every start."""
    found: dict[str, list[int]] = defaultdict(list)
    for i in range(grammar.node_kind_count):
        if grammar.node_kind_is_named(i):
            found[grammar.node_kind_for_id(i) or ""].append(i)
    return dict(found)


class Remembered:
    """The units of an earlier lowering of the file, to be taken where they stood, or by name and text.

    Between the common start and the common end of the two texts lies all that was edited. What stands outside of it
    is the same text if it starts and ends where it did, and is found without a look at it.
    """

    def __init__(self, module: ir.Module, source: bytes) -> None:
        self._module = module
        self._units = module.units
        self._deep = [problem for problem in module.problems if problem.message == TOO_DEEP]
        self._firsts: dict[int, int] = {}
        for place in range(len(module.units) - 1, -1, -1):  # of several with one start the first is the outermost
            self._firsts[module.units[place].start] = place
        self._start = _common(module.source, source)
        self._moved = len(source) - len(module.source)
        most = min(len(source), len(module.source)) - self._start
        self._end = len(source) - _common_end(module.source, source, most)
        self._by_text: dict[tuple[str, bytes], list[int]] | None = None
        self._taken: set[int] = set()

    def standing(self, start: int, end: int) -> ir.Unit | None:
        """The unit that has stood between these places of the new text all along."""
        if end <= self._start:
            moved = 0
        elif start >= self._end:
            moved = self._moved
        else:
            return None
        place = self._firsts.get(start - moved)
        if place is None or self._units[place].end != end - moved:
            return None
        if "." in self._units[place].name:
            return None  # a method, whose class is broken now: it is a function of the module
        following = self._units[place + 1] if place + 1 < len(self._units) else None
        if following is not None and following.start == start - moved and following.end == end - moved:
            return None  # a node that became several units: its name may be that of another one
        return self._units[place]

    def take(self, name: str, text: bytes, start: int) -> tuple[list[ir.Unit], list[ir.SyntaxProblem]]:
        """The unit of this name and text and all units inside it, moved to `start`; empty if there is none."""
        if self._by_text is None:
            self._by_text = self._texts()
        places = self._by_text.get((name, text), [])
        while places:
            place = places.pop()
            if place not in self._taken:
                return self.take_at(place, start)
        return [], []

    def take_standing(self, unit: ir.Unit, start: int) -> tuple[list[ir.Unit], list[ir.SyntaxProblem]]:
        """What `standing` found, and all units inside it."""
        return self.take_at(self._firsts[unit.start], start)

    def take_at(self, place: int, start: int) -> tuple[list[ir.Unit], list[ir.SyntaxProblem]]:
        """The unit at a place in the list and all units inside it."""
        self._taken.add(place)
        first = self._units[place]
        moved = start - first.start
        units: list[ir.Unit] = []
        while place < len(self._units) and (unit := self._units[place]).start < first.end:
            place += 1
            units.append(
                ir.Unit(unit.start + moved, unit.end + moved, unit.name, unit.statement, unit.digest) if moved else unit
            )
        deep = [
            ir.SyntaxProblem(problem.start + moved, problem.end + moved, TOO_DEEP)
            for problem in self._deep
            if first.start <= problem.start < first.end
        ]
        return units, deep

    def _texts(self) -> dict[tuple[str, bytes], list[int]]:
        found: dict[tuple[str, bytes], list[int]] = {}
        before = (-1, -1)
        for place, unit in enumerate(self._units):
            span = (unit.start, unit.end)
            if span != before:  # a node that became several units is taken as one, by its first
                found.setdefault((unit.name, self._module.source[unit.start : unit.end]), []).append(place)
            before = span
        for places in found.values():
            places.reverse()  # taken from the end: the first one first
        return found


def _common(one: bytes, other: bytes) -> int:
    """How many bytes two texts start with in common: by halves, since comparing is quick and looping is not."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _common_end(one: bytes, other: bytes, most: int) -> int:
    """How many bytes two texts end with in common, at most so many."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[len(one) - middle : len(one) - low] == other[len(other) - middle : len(other) - low]:
            low = middle
        else:
            high = middle - 1
    return low


class Lowerer:
    """One file on its way to a `Module`. A language derives from it; an object is used once.

    `scope` is how definitions learn that they are units: before a module-level definition, or one directly
    in the body of such a class, is lowered, it is set to its qualified name. The handlers of functions and
    classes call `take_scope` first; "" says that the definition is an ordinary nested one.
    """

    expressions: ClassVar[dict[int, ExpressionHandler]]
    statements: ClassVar[dict[int, StatementHandler]]
    noise: ClassVar[frozenset[int]] = frozenset()
    """Kinds that say nothing when they stand alone in an ERROR: names, literals."""

    def __init__(self, path: str, source: bytes, tree: tree_sitter.Tree, previous: ir.Module | None = None) -> None:
        self.path = path
        self.source = source
        self.base = 0
        self.scope = ""
        self.yields = False  # a `yield` was lowered; functions save it, clear it, read it and put it back
        self.units: list[ir.Unit] = []
        self.problems: list[ir.SyntaxProblem] = []
        self._root = tree.root_node
        # One character a byte, so that byte offsets index it: slicing a str is quicker than decoding a slice.
        self.characters = source.decode("latin-1")
        self._names: dict[str, int] = {}
        self._methods: list[ir.Unit] = []
        self._deep_reported = False
        # What the file had before is worth an index only if the file was analysed before.
        self._remembered = Remembered(previous, source) if previous is not None else None

    # --- What a language says ----------------------------------------------------------------------

    def defined_name(self, node: tree_sitter.Node) -> str:
        """The name of the function or class that this module-level node defines, or "" for any other."""
        raise NotImplementedError

    def top_level(self, root: tree_sitter.Node) -> Iterable[tree_sitter.Node]:
        """The module's statements. Those inside module-level ERROR nodes count as statements of the module."""
        pending = list(reversed(root.named_children))
        while pending:
            node = pending.pop()
            if node.is_error:
                pending.extend(reversed([child for child in node.named_children if child.kind_id not in self.noise]))
            elif not node.is_extra:
                yield node

    # --- Doors to the next level -------------------------------------------------------------------

    def expression(self, node: tree_sitter.Node, depth: int) -> ir.Expression:
        """Lower an expression that stands inside something at `depth`."""
        if depth >= MAX_DEPTH:
            return self._too_deep(node)
        return self.expressions[node.kind_id](self, node, depth + 1)

    def statement(self, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
        """Lower a statement that stands inside something at `depth`, and append what it becomes to `out`."""
        if depth >= MAX_DEPTH:
            out.append(
                ir.ExpressionStatement(node.start_byte - self.base, node.end_byte - self.base, self._too_deep(node))
            )
            return
        self.statements[node.kind_id](self, node, depth + 1, out)

    def opaque(self, node: tree_sitter.Node, depth: int) -> ir.Expression:
        """A node that no table knows: its children's data flows through it."""
        children = [self.expression(child, depth) for child in node.named_children if not child.is_extra]
        return ir.Opaque(node.start_byte - self.base, node.end_byte - self.base, node.type, children)

    def _too_deep(self, node: tree_sitter.Node) -> ir.Expression:
        if not self._deep_reported:
            self._deep_reported = True
            self.problems.append(ir.SyntaxProblem(node.start_byte, node.end_byte, TOO_DEEP))
        return ir.Opaque(node.start_byte - self.base, node.end_byte - self.base, "deep", [])

    # --- Text --------------------------------------------------------------------------------------

    def text(self, node: tree_sitter.Node) -> str:
        """The node's source; bytes that are not UTF-8 are replaced."""
        return self.slice(node.start_byte, node.end_byte)

    def slice(self, start: int, end: int) -> str:
        """The source between two absolute offsets."""
        text = self.characters[start:end]
        return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")

    def identifier(self, node: tree_sitter.Node) -> str:
        """The node's source as a name: one object for all its occurrences."""
        text = self.characters[node.start_byte : node.end_byte]
        return intern(text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace"))

    # --- Units -------------------------------------------------------------------------------------

    def take_scope(self) -> str:
        """The qualified name of the definition being lowered if it is a unit, else ""; what is inside is not."""
        scope = self.scope
        self.scope = ""
        return scope

    def qualify(self, name: str) -> str:
        """`name`, or for the second definition of this name "name#2"."""
        count = self._names.get(name, 0) + 1
        self._names[name] = count
        return name if count == 1 else f"{name}#{count}"

    def method(
        self, node: tree_sitter.Node, name: str, depth: int, lower: Callable[[tree_sitter.Node, int], ir.Function]
    ) -> ir.Function:
        """The method `name` (qualified) as a unit of its own, from before if its text is unchanged.

        `lower` makes the function (whose `base` is then the node's start) at `depth`.
        """
        start, end = node.start_byte, node.end_byte
        text = self.source[start:end]
        if self._remembered and not node.has_error:
            units, deep = self._remembered.take(name, text, start)
            if units and isinstance(units[0].statement, ir.FunctionDefinition):
                self._methods.extend(units)
                self.problems.extend(deep)
                return units[0].statement.function
        outer = self.base
        self.base = start
        try:
            function = lower(node, depth)
        finally:
            self.base = outer
        function.is_unit = True
        if node.has_error:
            text += _digest(self.source, True)
        function.digest = _digest(text, node.has_error)
        statement = ir.FunctionDefinition(0, end - start, function)
        self._methods.append(ir.Unit(start, end, name, statement, function.digest))
        return function

    def module(self) -> ir.Module:
        """The whole file."""
        for node in self.top_level(self._root):
            self._unit(node)
        if self._root.has_error:
            self.problems.extend(syntax_problems(self._root, self.source))
        self.problems.sort(key=lambda problem: (problem.start, problem.end))
        return ir.Module(self.path, self.source, self.units, self.problems[:MAX_PROBLEMS])

    def _unit(self, node: tree_sitter.Node) -> None:
        start, end = node.start_byte, node.end_byte
        broken = node.has_error  # what a broken node becomes depends on its neighbours too
        standing = self._remembered.standing(start, end) if self._remembered and not broken else None
        name = standing.name.partition("#")[0] if standing is not None else self.defined_name(node)
        if name:
            name = self.qualify(name)
        if self._remembered and standing is not None and standing.name == name:
            units, deep = self._remembered.take_standing(standing, start)
            self.units.extend(units)
            self.problems.extend(deep)
            return
        if self._remembered and not broken:
            units, deep = self._remembered.take(name, self.source[start:end], start)
            if units:
                self.units.extend(units)
                self.problems.extend(deep)
                return
        self.base, self.scope, self._methods, self._deep_reported = start, name, [], False
        statements: list[ir.Statement] = []
        try:
            self.statement(node, 0, statements)
        except Exception as error:  # the last line of defence: one statement is lost, and it is said
            message = f"could not be analysed ({type(error).__name__}: {error})"
            self.problems.append(ir.SyntaxProblem(start, end, message))
            return
        text = _without(self.source, start, end, self._methods) if self._methods else self.source[start:end]
        if broken:
            text += _digest(self.source, True)
        digest = _digest(text, broken)
        for statement in statements:
            own = ""
            if name and isinstance(statement, ir.FunctionDefinition | ir.ClassDefinition):
                own, name = name, ""
                if isinstance(statement, ir.FunctionDefinition):
                    statement.function.is_unit = True
                    statement.function.digest = digest
            self.units.append(ir.Unit(start, end, own, statement, digest))
            digest = _digest(digest, False)  # several units of one node: each has its own
        self.units.extend(self._methods)


def _digest(text: bytes, broken: bool) -> bytes:
    return hashlib.blake2b(text, digest_size=16, person=b"broken" if broken else b"").digest()


def _without(source: bytes, start: int, end: int, methods: list[ir.Unit]) -> bytes:
    pieces: list[bytes] = []
    for method in methods:
        pieces.append(source[start : method.start])
        start = method.end
    pieces.append(source[start:end])
    return b"\0".join(pieces)


def syntax_problems(root: tree_sitter.Node, source: bytes) -> list[ir.SyntaxProblem]:
    """The first ERROR and MISSING nodes, in order; only subtrees that hold one are entered."""
    problems: list[ir.SyntaxProblem] = []
    pending = [root]
    while pending and len(problems) < MAX_PROBLEMS:
        node = pending.pop()
        if node.is_missing:
            what = node.type if node.is_named else f"`{node.type}`"
            problems.append(ir.SyntaxProblem(node.start_byte, node.end_byte, f"syntax error: missing {what}"))
            continue
        inside = [child for child in node.children if child.has_error]
        # A root that is an ERROR is the whole file: what is wrong is inside, if the parser knows.
        if node.is_error and (node != root or not inside):
            problems.append(ir.SyntaxProblem(node.start_byte, node.end_byte, _near(source, node.start_byte)))
            continue
        pending.extend(reversed(inside))
    return problems


def _near(source: bytes, start: int) -> str:
    line = source[start : start + 60].decode("utf-8", "replace").partition("\n")[0].strip()
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line[:30])
    return f"syntax error near `{shown}`" if shown else "syntax error"
