"""The expressions of templates, with filters and tests, to IR: a small parser that never fails.

It reads Jinja2's language and, since it costs little, Django's `x|f:a`, `a.0.b` and Swig's likes. A filter is
a call of `filter.NAME` on what stands before it, a test one of `test.NAME`: names that no variable can
have. What it cannot read becomes `Opaque`; a long expression, or one nested too deep, does so whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, NamedTuple

from ... import ir

MAX_LENGTH: Final = 4_000
MAX_DEPTH: Final = 40
MAX_FILTERS: Final = 40

Reader = Callable[[str, int, int, bool], ir.Expression]
"""What a name is: its text, its place, and whether it is called."""

_TOKEN: Final = re.compile(
    r"""(?P<name>[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)|(?P<number>\d+(?:\.\d+)?)"""
    r"""|(?P<text>"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?)|(?P<sign>//|\*\*|==|!=|<=|>=|\S)""",
    re.DOTALL,
)
_BINDING: Final = {
    "or": 1, "and": 2, "in": 4, "not": 4, "==": 4, "!=": 4, "<": 4, ">": 4, "<=": 4, ">=": 4,
    "+": 5, "-": 5, "~": 6, "*": 7, "/": 7, "//": 7, "%": 7, "**": 9,
}  # fmt: skip
_PREFIX_NOT: Final = 3
_PREFIX_SIGN: Final = 8
_CONSTANTS: Final = {"true": True, "True": True, "false": False, "False": False, "none": None, "None": None}
_CALLED_BY_ITSELF: Final = frozenset({"items", "values", "keys"})  # as Django does with whatever can be called
_ENDS: Final = frozenset({"if", "else", "is", "in", "and", "or", "not", "as", "with", "only", "recursive", "reversed"})


class Token(NamedTuple):
    """One token, at absolute offsets."""

    kind: str
    text: str
    start: int
    end: int


class Parser:
    """One stretch of a template, read from left to right. `base` is where the unit starts."""

    def __init__(self, characters: str, start: int, end: int, base: int, reader: Reader) -> None:
        self._characters = characters
        self._base = base
        self._reader = reader
        self._start = start
        self._end = end
        self._filters = 0
        self.tokens: list[Token] = []
        if end - start <= MAX_LENGTH:
            self.tokens = [
                Token(found.lastgroup or "", found[0], found.start(), found.end())
                for found in _TOKEN.finditer(characters, start, end)
            ]
        self.at = 0

    # --- Tokens ------------------------------------------------------------------------------------

    @property
    def done(self) -> bool:
        """Whether all has been read."""
        return self.at >= len(self.tokens)

    def peek(self, ahead: int = 0) -> str:
        """The text of a token to come, "" behind the last."""
        place = self.at + ahead
        return self.tokens[place].text if place < len(self.tokens) else ""

    def take(self, *texts: str) -> bool:
        """Read the next token if it is one of `texts` (and no string)."""
        if self.done or self.tokens[self.at].text not in texts:
            return False
        self.at += 1
        return True

    def name(self) -> str:
        """Read a name; "" if there is none."""
        if self.done or self.tokens[self.at].kind != "name":
            return ""
        self.at += 1
        return self.tokens[self.at - 1].text

    def opaque(self, start: int, end: int, children: list[ir.Expression]) -> ir.Expression:
        """What cannot be read; the data of what can be flows through it."""
        return ir.Opaque(start - self._base, end - self._base, "unread", children)

    def _offset(self) -> int:
        return self.tokens[self.at].start if not self.done else self._end

    def _last(self) -> int:
        return self.tokens[self.at - 1].end if self.at else self._start

    # --- Expressions -------------------------------------------------------------------------------

    def whole(self) -> ir.Expression:
        """Everything that is left, as one expression."""
        start = self._offset()
        value = self.listed()
        if self.done and self.tokens:
            return value
        children = [value]
        while not self.done and len(children) < MAX_DEPTH:
            before = self.at
            children.append(self.expression())
            self.at = max(self.at, before + 1)
        return self.opaque(start, self._end, children)

    def listed(self, depth: int = 0, conditional: bool = True) -> ir.Expression:
        """An expression, or several with commas between them: a tuple."""
        first = self.expression(depth, conditional)
        if self.peek() != ",":
            return first
        items = [first]
        while self.take(","):
            if self.done or self.peek() in (")", "]", "}", "=") or self.peek() in _ENDS:
                break
            items.append(self.expression(depth, conditional))
        return ir.Sequence(items[0].start, self._last() - self._base, "tuple", items)

    def expression(self, depth: int = 0, conditional: bool = True) -> ir.Expression:
        """`a if test else b` and all that binds closer. Without `conditional` it ends before an `if`."""
        value = self._climb(1, depth)
        while conditional and self.take("if"):
            test = self._climb(1, depth)
            otherwise: ir.Expression = ir.Constant(test.end, test.end, "")
            if self.take("else"):
                otherwise = self._nested(depth)
            value = ir.Conditional(value.start, otherwise.end, test, value, otherwise)
        return value

    def _nested(self, depth: int) -> ir.Expression:
        if depth >= MAX_DEPTH:
            start, self.at = self._offset(), len(self.tokens)
            return self.opaque(start, self._end, [])
        return self.expression(depth + 1)

    def _climb(self, minimum: int, depth: int) -> ir.Expression:
        """Operators that bind at least as close as `minimum`; runs of one operator take a loop, not a level."""
        if depth >= MAX_DEPTH:
            return self._nested(depth)
        start = self._offset() - self._base
        if self.peek() == "not" or self.peek() in ("-", "+"):
            operator = self.peek()
            self.at += 1
            operand = self._climb(_PREFIX_NOT if operator == "not" else _PREFIX_SIGN, depth + 1)
            value: ir.Expression = ir.Unary(start, operand.end, operator, operand)
        else:
            value = self._postfix(depth)
        run = ""
        while not self.done and self.tokens[self.at].kind != "text":
            operator = self.peek()
            strength = _BINDING.get(operator, 0)
            if strength < minimum or (operator == "not" and self.peek(1) != "in"):
                break
            self.at += 2 if operator == "not" else 1
            operator = "not in" if operator == "not" else operator
            right = self._climb(strength + 1, depth + 1)
            value = _combined(value, operator, right, start, run)
            run = "compared" if strength == _BINDING["=="] else operator
        return value

    # --- Operands ----------------------------------------------------------------------------------

    def _postfix(self, depth: int) -> ir.Expression:
        value = self._primary(depth)
        start = value.start
        while not self.done and self.tokens[self.at].kind != "text":
            sign = self.peek()
            if sign == "." and self.at + 1 < len(self.tokens):
                value = self._member(value)
            elif sign == "[":
                self.at += 1
                key = self._key(depth)
                self.take("]")
                value = ir.Subscript(start, self._last() - self._base, value, key)
            elif sign == "(":
                arguments = self._arguments(depth)
                value = ir.Call(start, self._last() - self._base, value, arguments)
            elif sign == "|" or (sign == "is" and self.peek(1)):
                if self._filters >= MAX_FILTERS:
                    self.at = len(self.tokens)
                    return self.opaque(start + self._base, self._end, [value])
                self._filters += 1
                value = self._filter(value, depth) if sign == "|" else self._test(value, depth)
            else:
                break
        return value

    def _member(self, value: ir.Expression) -> ir.Expression:
        self.at += 1
        token = self.tokens[self.at]
        if token.kind == "name":
            self.at += 1
            end = token.end - self._base
            value = ir.Attribute(value.start, end, value, self._decoded(token.text))
            if token.text in _CALLED_BY_ITSELF and self.peek() != "(":
                return ir.Call(value.start, end, value, [])
            return value
        if token.kind == "number":
            self.at += 1
            for part in token.text.split("."):
                key = ir.Constant(token.start - self._base, token.end - self._base, int(part[:9]))
                value = ir.Subscript(value.start, token.end - self._base, value, key)
        return value

    def _key(self, depth: int) -> ir.Expression:
        start = self._offset() - self._base
        bounds: list[ir.Expression | None] = []
        while True:
            bounds.append(None if self.peek() in (":", "]", "") else self._nested(depth))
            if len(bounds) == 3 or not self.take(":"):
                break
        if len(bounds) == 1:
            return bounds[0] or self.opaque(start + self._base, self._offset(), [])
        bounds += [None] * (3 - len(bounds))
        return ir.Slice(start, self._last() - self._base, *bounds)

    def _filter(self, value: ir.Expression, depth: int) -> ir.Expression:
        """`value|name(arguments)`, and Django's `value|name:argument`."""
        self.at += 1
        start = self._offset() - self._base
        name = self.name()
        while self.peek() == "." and self.at + 1 < len(self.tokens):
            self.at += 1
            name = f"{name}.{self.name()}"
        callee = ir.Name(start, self._last() - self._base, f"filter.{name}")
        arguments = [ir.Argument(value.start, value.end, value)]
        if self.peek() == "(":
            arguments += self._arguments(depth)
        elif self.take(":"):
            given = self._operand(depth)
            arguments.append(ir.Argument(given.start, given.end, given))
        return ir.Call(value.start, self._last() - self._base, callee, arguments)

    def _operand(self, depth: int) -> ir.Expression:
        value = self._primary(depth)
        while self.peek() == "." and self.at + 1 < len(self.tokens):
            value = self._member(value)
        return value

    def _test(self, value: ir.Expression, depth: int) -> ir.Expression:
        """`value is name`, `value is not name(arguments)`; `is none` is a comparison."""
        self.at += 1
        negated = self.take("not")
        start = self._offset() - self._base
        name = self.name()
        end = self._last() - self._base
        if name in _CONSTANTS:
            return ir.Comparison(
                value.start, end, "is not" if negated else "is", value, ir.Constant(start, end, _CONSTANTS[name])
            )
        arguments = [ir.Argument(value.start, value.end, value)]
        if self.peek() == "(":
            arguments += self._arguments(depth)
        call = ir.Call(value.start, self._last() - self._base, ir.Name(start, end, f"test.{name}"), arguments)
        return ir.Unary(call.start, call.end, "not", call) if negated else call

    def _arguments(self, depth: int) -> list[ir.Argument]:
        self.at += 1
        found: list[ir.Argument] = []
        while not self.done and not self.take(")"):
            before, start = self.at, self._offset() - self._base
            spread = self.peek() if self.peek() in ("*", "**") else ""
            self.at += 1 if spread else 0
            name = None
            if self.peek(1) == "=" and self.tokens[self.at].kind == "name":
                name = self._decoded(self.name())
                self.at += 1
            value = self._nested(depth)
            found.append(ir.Argument(start, value.end, value, name, spread))
            if not self.take(",") and self.at == before:
                self.at += 1
        return found

    def _primary(self, depth: int) -> ir.Expression:
        if self.done:
            return self.opaque(self._end, self._end, [])
        token = self.tokens[self.at]
        start, end = token.start - self._base, token.end - self._base
        self.at += 1
        if token.kind == "name":
            if token.text in _CONSTANTS:
                return ir.Constant(start, end, _CONSTANTS[token.text])
            return self._reader(self._decoded(token.text), start, end, self.peek() == "(")
        if token.kind == "number":
            number = token.text[:18]
            return ir.Constant(start, end, float(number) if "." in number else int(number))
        if token.kind == "text":
            text = token.text[1:-1] if token.text[-1:] == token.text[0] and len(token.text) > 1 else token.text[1:]
            return ir.Constant(start, end, _unescaped(self._decoded(text)))
        if token.text in ("(", "["):
            return self._display(token.text, start, depth)
        if token.text == "{":
            return self._mapping(start, depth)
        return self.opaque(token.start, token.end, [])

    def _display(self, opener: str, start: int, depth: int) -> ir.Expression:
        closer = ")" if opener == "(" else "]"
        items: list[ir.Expression] = []
        comma = False
        while not self.done and not self.take(closer):
            before = self.at
            items.append(self._nested(depth))
            comma = self.take(",") or comma
            if self.at == before:
                self.at += 1
        if opener == "(" and len(items) == 1 and not comma:
            return items[0]
        return ir.Sequence(start, self._last() - self._base, "tuple" if opener == "(" else "list", items)

    def _mapping(self, start: int, depth: int) -> ir.Expression:
        entries: list[tuple[ir.Expression | None, ir.Expression]] = []
        while not self.done and not self.take("}"):
            before = self.at
            key = self._nested(depth)
            entries.append((key, self._nested(depth)) if self.take(":") else (None, key))
            if not self.take(",") and self.at == before:
                self.at += 1
        return ir.Mapping(start, self._last() - self._base, entries)

    def _decoded(self, text: str) -> str:
        return text if text.isascii() else text.encode("latin-1").decode("utf-8", "replace")


def _combined(left: ir.Expression, operator: str, right: ir.Expression, start: int, run: str) -> ir.Expression:
    """`left operator right`; `run` is the operator that made `left`, or "compared"."""
    end = right.end
    if operator in ("and", "or"):
        if run == operator and isinstance(left, ir.Boolean):
            left.operands.append(right)
            left.end = end
            return left
        return ir.Boolean(start, end, operator, [left, right])
    if operator == "~":
        if run == operator and isinstance(left, ir.Template):
            left.parts.append(right)
            left.end = end
            return left
        return ir.Template(start, end, [left, right])
    if _BINDING.get(operator, 4) != 4:
        return ir.Binary(start, end, operator, left, right)
    if run == "compared":
        link = left.operands[-1] if isinstance(left, ir.Boolean) else left
        middle = link.right if isinstance(link, ir.Comparison) else link
        links = left.operands if isinstance(left, ir.Boolean) else [left]
        return ir.Boolean(start, end, "and", [*links, ir.Comparison(middle.start, end, operator, middle, right)])
    return ir.Comparison(start, end, operator, left, right)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL) if "\\" in text else text
