"""Python's numbers and strings: what they denote.

An f-string becomes a `Template`: `{value!r:>{width}}` gives the value (a conversion or a format changes how
it is written, not whose it is), then what stands inside the format. Strings side by side become one
`Constant`, or one `Template` if one of them is an f-string.

Deliberately absent: surrogates (`"\\ud800"` becomes U+FFFD, since it cannot be written as UTF-8), and the
values of integers of more than 1,000 digits.
"""

from __future__ import annotations

import re
import unicodedata

import tree_sitter

from ... import ir
from ..lowering import Lowerer
from .grammar import EXPRESSION, kinds

_MAX_DIGITS = 1000

_PREFIXED = re.compile(r"([a-zA-Z]*)(\"\"\"|'''|\"|'|`)")
_ESCAPE = re.compile(
    r"\\(\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|N\{[^}]+\}|[\\'\"abfnrtv])", re.DOTALL
)
_SIMPLE = {
    "\n": "", "\\": "\\", "'": "'", '"': '"',
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
}  # fmt: skip

_INTERPOLATION = kinds("interpolation")
_CONTENT = kinds("string_content")
_STRING = kinds("string")
_CONCATENATED = kinds("concatenated_string")
_FORMAT = kinds("format_specifier")
_FORMAT_EXPRESSION = kinds("format_expression")

_Parts = list[ir.Expression]


def integer(low: Lowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """An integer, a complex number that the grammar calls one, or Python 2's `0777` and `10L`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    text = low.text(node)
    if text.isdecimal() and len(text) < 10 and (text[0] != "0" or text == "0"):
        return ir.Constant(start, end, int(text))
    value = _number(text)
    return ir.Opaque(start, end, "number", []) if value is None else ir.Constant(start, end, value)


def _number(text: str) -> int | float | complex | None:
    text = text.replace("_", "").lower().rstrip("l")
    if len(text) > _MAX_DIGITS:
        return None
    try:
        if text.endswith("j"):
            return complex(text)
        if text.isdecimal() and text.startswith("0"):
            return int(text, 8)
        if text.startswith(("0x", "0o", "0b")) or text.isdecimal():
            return int(text, 0)
        return float(text)
    except ValueError:
        return None


def string(low: Lowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """One string literal."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    text = low.text(node)
    quote = text[:1]
    # Most strings are plain: no look at the children.
    if quote in "'\"" and "\\" not in text and text[1:2] != quote and text[-1] == quote and "\r" not in text:
        return ir.Constant(start, end, text[1:-1])
    match = _PREFIXED.match(text)
    if not match or match[2] == "`":
        return ir.Opaque(start, end, "backquotes", [])
    prefix = match[1].lower()
    if "f" in prefix or "t" in prefix:
        return _whole(start, end, _interpolated(low, node, depth, "r" in prefix))
    quotes = match[2]
    stop = len(text) - len(quotes) if text.endswith(quotes) and len(text) >= match.end() + len(quotes) else len(text)
    body = text[match.end() : stop]
    if "b" not in prefix:
        return ir.Constant(start, end, _unescaped(body, "r" in prefix))
    return ir.Constant(start, end, _bytes(body, "r" in prefix))


def concatenated(low: Lowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """Strings side by side."""
    parts: _Parts = []
    for child in node.named_children:
        if child.kind_id in _STRING:
            part = low.expression(child, depth)
            if isinstance(part, ir.Template):
                parts.extend(part.parts)
            else:
                parts.append(part)
    return _whole(node.start_byte - low.base, node.end_byte - low.base, parts)


def _whole(start: int, end: int, parts: _Parts) -> ir.Expression:
    """One node for the parts: neighbouring literals are joined."""
    joined: _Parts = []
    run: list[ir.Constant] = []
    for part in [*parts, None]:
        if isinstance(part, ir.Constant) and (not run or type(run[0].value) is type(part.value)):
            run.append(part)
            continue
        if run:
            joined.append(_join(run))
            run = []
        if isinstance(part, ir.Constant):  # bytes beside text: an error in Python 3
            run = [part]
        elif part is not None:
            joined.append(part)
    if not joined:
        return ir.Constant(start, end, "")
    if len(joined) == 1 and isinstance(joined[0], ir.Constant):
        return ir.Constant(start, end, joined[0].value)
    return ir.Template(start, end, joined)


def _join(run: list[ir.Constant]) -> ir.Constant:
    if len(run) == 1:
        return run[0]
    values = [part.value for part in run]
    value: str | bytes
    if isinstance(values[0], bytes):
        value = b"".join(value for value in values if isinstance(value, bytes))
    else:
        value = "".join(value for value in values if isinstance(value, str))
    return ir.Constant(run[0].start, run[-1].end, value)


def _interpolated(low: Lowerer, node: tree_sitter.Node, depth: int, raw: bool) -> _Parts:
    parts: _Parts = []
    for child in node.children:
        kind = child.kind_id
        if kind in _CONTENT:
            text = low.text(child).replace("{{", "{").replace("}}", "}")
            parts.append(ir.Constant(child.start_byte - low.base, child.end_byte - low.base, _unescaped(text, raw)))
        elif kind in _INTERPOLATION:
            _interpolation(low, child, depth, parts)
        elif child.is_error:
            parts.append(low.expression(child, depth))
    return parts


def _interpolation(low: Lowerer, node: tree_sitter.Node, depth: int, parts: _Parts) -> None:
    """`{value = !r : format}`: the text before a `=`, the value, then what the format holds."""
    value = node.child_by_field_id(EXPRESSION)
    if value is None:
        parts.append(low.opaque(node, depth))
        return
    after = value.next_sibling
    if after is not None and after.type == "=":
        start, end = value.start_byte, after.end_byte
        parts.append(ir.Constant(start - low.base, end - low.base, low.slice(start, end)))
    parts.append(low.expression(value, depth))
    for child in node.named_children:
        if child.kind_id not in _FORMAT:
            continue
        for inner in child.named_children:
            if inner.kind_id in _FORMAT_EXPRESSION:
                width = inner.child_by_field_id(EXPRESSION)
                if width is not None:
                    parts.append(low.expression(width, depth))


def _unescaped(text: str, raw: bool) -> str:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if raw or "\\" not in text:
        return text
    text = _ESCAPE.sub(_escape, text)
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def _escape(match: re.Match[str]) -> str:
    code = match[1]
    simple = _SIMPLE.get(code)
    if simple is not None:
        return simple
    if code[0] == "N":
        try:
            return unicodedata.lookup(code[2:-1])
        except KeyError:
            return match[0]
    number = int(code[1:], 16) if code[0] in "xuU" else int(code, 8)
    return chr(number) if number <= 0x10FFFF and not 0xD800 <= number <= 0xDFFF else "\N{REPLACEMENT CHARACTER}"


def _bytes(text: str, raw: bool) -> bytes:
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not raw and "\\" in text:
        text = _ESCAPE.sub(lambda match: match[0] if match[1][0] in "NuU" else _escape(match), text)
    # Python allows ASCII only; what else stands there is kept as UTF-8.
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace")
