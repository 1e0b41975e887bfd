"""Templates to IR: one function for the template, one for each macro, imports of other templates.

`{{ e }}` is a call of `template.output`, or of `template.output_unescaped` where nothing is escaped or
escaping does not help; which of them matters is the models' to say. Tags are read from left to right with a
stack of open blocks; a tag without its end, or an end without its tag, costs only itself. Blocks that a
child template redefines are read where they stand, in the child and in the parent.

Deliberately absent: the text between the pieces, custom tags (their arguments are read, their output is
not), and what a macro finds in the context by itself.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from ... import ir
from .. import AUTOESCAPE, TEMPLATE
from .expressions import Parser
from .names import CONTEXT, Names, bound_names, from_context
from .scanner import Piece, pieces

MAX_BLOCKS: Final = 60
MAX_LOOPS: Final = 3
"""Loops inside loops; what is deeper is read once. The cost of each level is that of the turns it takes."""

TOO_DEEP: Final = f"tags nested deeper than {MAX_BLOCKS} levels: the inner ones are read as if they stood beside"

_SAFE: Final = frozenset({"filter.safe", "filter.safeseq"})
_OFF: Final = frozenset({"off", "false", "False", "None", "none"})
_ELSE: Final = frozenset({"else", "empty", "elif", "elseif"})

Body = list[ir.Statement]


@dataclass(slots=True)
class Open:
    """A tag that waits for its end. What follows goes to `body`; `close` is called with the offset of its end."""

    word: str
    body: Body
    close: Callable[[int], None] | None = None
    statement: ir.If | ir.For | None = None
    escapes: bool = True
    loops: int = 0
    names: Names | None = None
    base: int = 0


@dataclass(slots=True)
class TemplateLowerer:
    """One template on its way to a `Module`; used once.

    `opened` counts the open blocks by name, under "" those that can have an `else`.
    """

    path: str
    source: bytes
    text: str = ""
    units: list[ir.Unit] = field(default_factory=list)
    problems: list[ir.SyntaxProblem] = field(default_factory=list)
    base: int = 0
    escapes: bool = True
    loops: int = 0
    extended: list[ir.Statement] = field(default_factory=list)
    imported: set[str] = field(default_factory=set)
    stack: list[Open] = field(default_factory=list)
    opened: Counter[str] = field(default_factory=Counter)
    counts: Counter[str] = field(default_factory=Counter)
    names: Names = field(default_factory=lambda: Names(frozenset(), False))
    body: Body = field(default_factory=list)

    def module(self) -> ir.Module:
        """The whole file."""
        self.text = self.source.decode("latin-1")  # one character a byte: offsets index it
        found = self._pieces()
        self.names = Names(bound_names(self._binding(piece) for piece in found if piece.kind == "tag"), False)
        top = self.body
        for piece in found:
            if piece.kind == "output":
                self._output(piece, self._parser(piece).whole())
            elif piece.kind == "tag":
                self._tag(piece)
        while self.stack:
            self._close(self.stack[-1].word, len(self.source))
        variables = (self.names.bound & self.names.used) - self.imported
        prologue: Body = [
            ir.Assign(0, 0, [ir.Name(0, 0, name)], from_context(name, 0, 0)) for name in sorted(variables)
        ]
        parameters = [ir.Parameter(0, 0, CONTEXT)]
        self._unit(0, len(self.source), TEMPLATE, parameters, [*prologue, *top, *self.extended])
        self.units.sort(key=lambda unit: (unit.start, -unit.end))
        return ir.Module(self.path, self.source, self.units, self.problems)

    def _pieces(self) -> list[Piece]:
        return list(pieces(self.text))

    def _binding(self, piece: Piece) -> str:
        """A tag's text, in which the names that it binds are looked for."""
        return self.text[piece.start : piece.end]

    def _unit(self, start: int, end: int, name: str, parameters: list[ir.Parameter], body: Body) -> None:
        self.counts[name] += 1
        key = name if self.counts[name] == 1 else f"{name}#{self.counts[name]}"
        digest = hashlib.blake2b(self.source[start:end], digest_size=16).digest()
        function = ir.Function(0, end - start, name, parameters, body, is_unit=True, digest=digest)
        self.units.append(ir.Unit(start, end, key, ir.FunctionDefinition(0, end - start, function), digest))

    def _parser(self, piece: Piece) -> Parser:
        return Parser(self.text, piece.inner_start, piece.inner_end, self.base, self.names.read)

    # --- Outputs -----------------------------------------------------------------------------------

    def _output(self, piece: Piece, value: ir.Expression, escapes: bool = True) -> None:
        self.body.append(self._written(piece, value, escapes and self.escapes and not piece.bare))

    def _written(self, piece: Piece, value: ir.Expression, escapes: bool) -> ir.Statement:
        start, end = piece.start - self.base, piece.end - self.base
        if isinstance(value, ir.Conditional):  # each side may be marked as safe by itself
            then = self._written(piece, value.then, escapes)
            return ir.If(start, end, value.test, [then], [self._written(piece, value.otherwise, escapes)])
        while isinstance(value, ir.Call) and isinstance(value.callee, ir.Name) and value.callee.id in _SAFE:
            value, escapes = value.arguments[0].value, False
        callee = "template.output" if escapes else "template.output_unescaped"
        arguments = [ir.Argument(value.start, value.end, value)]
        if escapes and not self.names.is_macro and not self.opened["autoescape"]:
            arguments.append(ir.Argument(start, end, from_context(AUTOESCAPE, start, end), "autoescape"))
        return ir.ExpressionStatement(start, end, ir.Call(start, end, ir.Name(start, end, callee), arguments))

    # --- Tags --------------------------------------------------------------------------------------

    def _tag(self, piece: Piece) -> None:
        word = piece.word
        if word.startswith("end"):
            self._close(word[3:], piece.start)
        elif word in _ELSE:
            self._else(piece)
        elif (handler := _TAGS.get(word)) is not None:
            handler(self, piece)
        else:
            self._other(piece)

    def _open(self, piece: Piece, body: Body, statement: ir.If | ir.For | None = None) -> Open:
        """Enter a block; `body` gets what follows."""
        block = Open(piece.word, self.body, None, statement, self.escapes, self.loops, self.names, self.base)
        if len(self.stack) < MAX_BLOCKS:
            self.body = body
        elif not any(problem.message == TOO_DEEP for problem in self.problems):
            self.problems.append(ir.SyntaxProblem(piece.start, piece.end, TOO_DEEP))
        self.stack.append(block)
        self.opened[piece.word] += 1
        self.opened[""] += statement is not None
        return block

    def _close(self, word: str, end: int) -> None:
        """Leave the innermost block of this name (`end` alone: any), and those inside it that were left open."""
        if word and not self.opened[word]:
            return
        while self.stack:
            block = self.stack.pop()
            self.opened[block.word] -= 1
            self.opened[""] -= block.statement is not None
            if block.close is not None:
                block.close(end)
            self.body, self.escapes, self.loops = block.body, block.escapes, block.loops
            self.names, self.base = block.names or self.names, block.base
            if block.word == word or not word:
                return

    def _else(self, piece: Piece) -> None:
        if not self.opened[""]:
            return
        while self.stack[-1].statement is None:
            self._close(self.stack[-1].word, piece.start)
        if len(self.stack) > MAX_BLOCKS:
            return
        block = self.stack[-1]
        statement = block.statement
        assert statement is not None
        if piece.word in ("else", "empty") or not isinstance(statement, ir.If):
            self.body = statement.orelse
            return
        test = self._parser(piece).whole()
        inner = ir.If(piece.start - self.base, piece.end - self.base, test, [], [])
        statement.orelse.append(inner)
        self.body, block.statement = inner.body, inner

    def _if(self, piece: Piece) -> None:
        self._branch(piece, self._parser(piece).whole())

    def _branch(self, piece: Piece, test: ir.Expression) -> None:
        statement = ir.If(piece.start - self.base, piece.end - self.base, test, [], [])
        if len(self.stack) < MAX_BLOCKS:
            self.body.append(statement)
        self._open(piece, statement.body, statement)

    def _if_equal(self, piece: Piece) -> None:
        parser = self._parser(piece)
        left, right = parser.expression(), parser.expression()
        operator = "==" if piece.word == "ifequal" else "!="
        self._branch(piece, ir.Comparison(left.start, right.end, operator, left, right))

    def _if_changed(self, piece: Piece) -> None:
        self._branch(piece, ir.Opaque(piece.start - self.base, piece.end - self.base, piece.word, []))

    def _for(self, piece: Piece) -> None:
        parser = self._parser(piece)
        target = self._target(parser)
        start, end = piece.start - self.base, piece.end - self.base
        parser.take("in")
        iterable = parser.listed(conditional=False)
        if self.loops >= MAX_LOOPS or len(self.stack) >= MAX_BLOCKS:
            self.body.append(ir.Assign(start, end, [target], ir.Opaque(start, end, "element", [iterable])))
            self._open(piece, self.body)
            return
        statement = ir.For(start, end, target, iterable, [], [])
        self.body.append(statement)
        self._open(piece, statement.body, statement)
        self.loops += 1
        if parser.take("if"):
            inner = ir.If(start, end, parser.expression(conditional=False), [], [])
            self.body.append(inner)
            self.body = inner.body

    def _target(self, parser: Parser) -> ir.Expression:
        """`a`, `a, b`, `(a, b)`: names only."""
        items: list[ir.Expression] = []
        while not parser.done and parser.peek() not in ("in", "="):
            at = parser.at
            name = parser.name()
            if name:
                token = parser.tokens[at]
                items.append(self.names.target(name, token.start - self.base, token.end - self.base))
                if parser.peek() == ".":  # a namespace's attribute
                    parser.at += 1
                    attribute = parser.name()
                    items[-1] = ir.Attribute(items[-1].start, items[-1].end, items[-1], attribute)
            else:
                parser.at += 1
        if len(items) == 1:
            return items[0]
        start, end = (items[0].start, items[-1].end) if items else (0, 0)
        return ir.Sequence(start, end, "tuple", items)

    def _set(self, piece: Piece) -> None:
        parser = self._parser(piece)
        target = self._target(parser)
        start, end = piece.start - self.base, piece.end - self.base
        if parser.take("="):
            self.body.append(ir.Assign(start, end, [target], parser.listed()))
            return
        # `{% set x %}...{% endset %}`: the pieces inside are read where they stand.
        self.body.append(ir.Assign(start, end, [target], ir.Opaque(start, end, "block", [])))
        self._open(piece, self.body)

    def _with(self, piece: Piece) -> None:
        """`{% with a=b, c=d %}`, `{% with b as a %}`; so `{% blocktranslate with a=b %}`."""
        parser = self._parser(piece)
        while not parser.done and piece.word != "with" and not parser.take("with"):
            parser.at += 1
        self._assignments(parser)
        self._open(piece, self.body)

    def _assignments(self, parser: Parser) -> None:
        while not parser.done:
            at = parser.at
            if parser.peek(1) == "=" and (name := parser.name()):
                token = parser.tokens[at]
                parser.at += 1
                value = parser.expression()
            else:
                value = parser.expression()
                if not parser.take("as"):
                    parser.at = max(parser.at, at + 1)
                    continue
                token = parser.tokens[min(parser.at, len(parser.tokens) - 1)]
                name = parser.name()
            if name and not (isinstance(value, ir.Name) and value.id == name):  # `with a=a` says what is so
                target = self.names.target(name, token.start - self.base, token.end - self.base)
                self.body.append(ir.Assign(target.start, value.end, [target], value))
            parser.take(",", "and")

    def _autoescape(self, piece: Piece) -> None:
        self._open(piece, self.body)
        self.escapes = self._parser(piece).peek() not in _OFF

    def _plain_block(self, piece: Piece) -> None:
        self._open(piece, self.body)

    def _do(self, piece: Piece) -> None:
        value = self._parser(piece).whole()
        self.body.append(ir.ExpressionStatement(value.start, value.end, value))

    def _print(self, piece: Piece) -> None:
        self._output(piece, self._parser(piece).whole(), escapes=piece.word != "raw")

    def _first_of(self, piece: Piece) -> None:
        parser = self._parser(piece)
        operands: list[ir.Expression] = []
        while not parser.done and parser.peek() != "as":
            at = parser.at
            operands.append(parser.expression())
            parser.at = max(parser.at, at + 1)
        if operands:
            self._output(piece, ir.Boolean(operands[0].start, operands[-1].end, "or", operands))

    def _other(self, piece: Piece) -> None:
        """A tag that nobody here knows: it may bind a name (`as x`), and may have a body."""
        parser = self._parser(piece)
        children: list[ir.Expression] = []
        while not parser.done and parser.peek() != "as":
            at = parser.at
            if parser.peek(1) == "=":
                parser.at += 2
            children.append(parser.expression())
            parser.at = max(parser.at, at + 1)
        start, end = piece.start - self.base, piece.end - self.base
        value: ir.Expression = ir.Opaque(start, end, "tag", children)
        at = parser.at + 1
        if parser.take("as") and (name := parser.name()):
            token = parser.tokens[at]
            target = self.names.target(name, token.start - self.base, token.end - self.base)
            self.body.append(ir.Assign(start, end, [target], value))
        elif children:
            self.body.append(ir.ExpressionStatement(start, end, value))

    # --- Other templates ---------------------------------------------------------------------------

    def _include(self, piece: Piece) -> None:
        """The other template gets the whole context, and what has been bound here so far."""
        parser = self._parser(piece)
        name = parser.expression(conditional=False)
        if isinstance(name, ir.Sequence) and name.items:
            name = name.items[0]
        if not isinstance(name, ir.Constant) or not isinstance(name.value, str) or self.names.is_macro:
            return
        start, end = piece.start - self.base, piece.end - self.base
        passed: Body = []
        if parser.take("with") and parser.peek(1) == "=":
            before, self.body = self.body, passed
            self._assignments(parser)
            self.body = before
        for bound in sorted(self.names.assigned):
            passed.append(ir.Assign(start, end, [from_context(bound, start, end)], ir.Name(start, end, bound)))
        other = ir.Attribute(start, end, ir.ImportExpression(start, end, name.value), TEMPLATE)
        context = ir.Argument(start, end, ir.Name(start, end, CONTEXT))
        passed.append(ir.ExpressionStatement(start, end, ir.Call(start, end, other, [context])))
        if piece.word == "include":
            self.body += passed
        else:
            self.extended = passed  # a parent is rendered last: it sees what the child has bound

    def _import(self, piece: Piece) -> None:
        """`{% import "m" as x %}`, `{% from "m" import a as b, c %}`."""
        parser = self._parser(piece)
        name = parser.expression(conditional=False)
        if not isinstance(name, ir.Constant) or not isinstance(name.value, str):
            return
        parser.take("as", "import")
        while member := parser.name():
            bound = parser.name() if piece.word == "from" and parser.take("as") else member
            node = ir.Import(0, piece.end - piece.start, name.value, bound, member if piece.word == "from" else None)
            digest = hashlib.blake2b(self.source[piece.start : piece.end] + bound.encode(), digest_size=16).digest()
            self.units.append(ir.Unit(piece.start, piece.end, "", node, digest))
            self.imported.add(bound)
            if not parser.take(","):
                break

    def _macro(self, piece: Piece) -> None:
        """A macro is a unit of its own, wherever it stands."""
        parser = self._parser(piece)
        name = parser.name()
        body: Body = []
        block = self._open(piece, body)
        self.body, self.base, self.loops = body, piece.start, 0
        self.names = Names(self.names.bound, True)
        parameters = self._parameters(Parser(self.text, piece.inner_start, piece.inner_end, self.base, self.names.read))

        def close(end: int) -> None:
            if name:
                self._unit(piece.start, end, name, parameters, body)

        block.close = close

    def _parameters(self, parser: Parser) -> list[ir.Parameter]:
        found: list[ir.Parameter] = []
        parser.name()
        parser.take("(")
        while not parser.done and not parser.take(")"):
            at = parser.at
            name = parser.name()
            token = parser.tokens[at]
            default = parser.expression() if parser.take("=") else None
            if name:
                found.append(ir.Parameter(token.start - self.base, token.end - self.base, name, default=default))
            parser.take(",")
            parser.at = max(parser.at, at + 1)
        return found

    def _call(self, piece: Piece) -> None:
        """`{% call(x) f(a) %}`: a call, then what `caller()` would print."""
        parser = self._parser(piece)
        if parser.take("("):
            while not parser.done and not parser.take(")"):
                parser.at += 1
        value = parser.expression()
        self.body.append(ir.ExpressionStatement(value.start, value.end, value))
        self._open(piece, self.body)


_TAGS: Final[dict[str, Callable[[TemplateLowerer, Piece], None]]] = {
    "if": TemplateLowerer._if,
    "ifequal": TemplateLowerer._if_equal,
    "ifnotequal": TemplateLowerer._if_equal,
    "ifchanged": TemplateLowerer._if_changed,
    "for": TemplateLowerer._for,
    "set": TemplateLowerer._set,
    "with": TemplateLowerer._with,
    "blocktrans": TemplateLowerer._with,
    "blocktranslate": TemplateLowerer._with,
    "autoescape": TemplateLowerer._autoescape,
    "block": TemplateLowerer._plain_block,
    "filter": TemplateLowerer._plain_block,
    "do": TemplateLowerer._do,
    "print": TemplateLowerer._print,
    "raw": TemplateLowerer._print,
    "firstof": TemplateLowerer._first_of,
    "include": TemplateLowerer._include,
    "extends": TemplateLowerer._include,
    "import": TemplateLowerer._import,
    "from": TemplateLowerer._import,
    "macro": TemplateLowerer._macro,
    "call": TemplateLowerer._call,
}
