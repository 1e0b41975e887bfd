"""Constants: operators and the pure methods of text, computed as the program would.

Everything is bounded: no result longer than `MAX_TEXT`, no shift or power that explodes. What cannot
be computed is `UNKNOWN`, never an exception. Deliberately absent: floats' rounding and anything with
an effect.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from .values import UNKNOWN

MAX_TEXT: Final = 4_000
MAX_NUMBER: Final = 1 << 256


def _power(left: Any, right: Any) -> Any:
    if not isinstance(right, int) or abs(right) > 64 or (isinstance(left, int) and abs(left) > 1_000_000):
        return UNKNOWN
    return left**right


def _shift(left: Any, right: Any) -> Any:
    return left << right if isinstance(right, int) and 0 <= right <= 128 else UNKNOWN


def _times(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes)) or isinstance(right, (str, bytes)):
        text, count = (left, right) if isinstance(left, (str, bytes)) else (right, left)
        if not isinstance(count, int) or len(text) * max(count, 0) > MAX_TEXT:
            return UNKNOWN
    return left * right


def _plus(left: Any, right: Any) -> Any:
    if isinstance(left, str) != isinstance(right, str):
        return UNKNOWN
    return left + right


def _percent(left: Any, right: Any) -> Any:
    if isinstance(left, (str, bytes)) and (
        len(left) > MAX_TEXT or "*" in str(left) or any(c.isdigit() for c in str(left))
    ):
        return UNKNOWN  # a width may ask for a gigabyte
    return left % right


_BINARY: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": _plus,
    "-": operator.sub,
    "*": _times,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": _percent,
    "**": _power,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": _shift,
    ">>": operator.rshift,
}

_COMPARISON: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "==": operator.eq,
    "===": operator.eq,
    "!=": operator.ne,
    "!==": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "in": lambda left, right: left in right,
    "not in": lambda left, right: left not in right,
    "is": lambda left, right: type(left) is type(right) and left == right,
    "is not": lambda left, right: type(left) is not type(right) or left != right,
}

_UNARY: Final[dict[str, Callable[[Any], Any]]] = {
    "not": operator.not_,
    "-": operator.neg,
    "+": operator.pos,
    "~": operator.invert,
}

# Pure methods of text by name, as Python and ECMAScript call them; the receiver is the first argument.
_TEXT: Final[dict[str, Callable[..., Any]]] = {
    **{
        name: getattr(str, name)
        for name in [
            "capitalize",
            "casefold",
            "count",
            "encode",
            "endswith",
            "find",
            "index",
            "isalnum",
            "isalpha",
            "isdigit",
            "islower",
            "isnumeric",
            "isspace",
            "isupper",
            "lower",
            "lstrip",
            "removeprefix",
            "removesuffix",
            "replace",
            "rfind",
            "rindex",
            "rstrip",
            "startswith",
            "strip",
            "swapcase",
            "title",
            "upper",
            "partition",
            "rpartition",
            "split",
            "rsplit",
            "splitlines",
        ]
    },
    "format": lambda text, *values: (
        text.format(*values) if not any(c.isdigit() for c in text.replace("{0}", "")) else UNKNOWN
    ),
    "toLowerCase": str.lower,
    "toUpperCase": str.upper,
    "trim": str.strip,
    "startsWith": str.startswith,
    "endsWith": str.endswith,
    "includes": lambda text, part: part in text,
    "indexOf": str.find,
    "substring": lambda text, start, end=None: text[max(start, 0) : end],
    "charAt": lambda text, index: text[index : index + 1],
    "decode": lambda text, *_: text,
    "join": lambda text, parts: text.join(parts),
    "concat": lambda text, *parts: text + "".join(parts),
}

# Built-in functions that only compute.
_FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "len": len,
    "str": lambda value="": value if isinstance(value, str) else str(value),
    "String": lambda value="": value if isinstance(value, str) else UNKNOWN,
    "int": lambda value=0, base=None: int(value) if base is None else int(value, base),
    "bool": bool,
    "ord": ord,
    "chr": chr,
    "abs": abs,
    "min": min,
    "max": max,
    "hex": hex,
    "oct": oct,
    "repr": repr,
    "isinstance": lambda *_: UNKNOWN,
}


def _checked(result: Any) -> Any:
    if isinstance(result, (str, bytes)):
        return result if len(result) <= MAX_TEXT else UNKNOWN
    if isinstance(result, int) and abs(result) > MAX_NUMBER:
        return UNKNOWN
    if result is NotImplemented:
        return UNKNOWN
    return result


def _apply(function: Callable[..., Any], *values: Any) -> Any:
    try:
        return _checked(function(*values))
    except Exception:  # any failure of the folded operation means only: not known
        return UNKNOWN


def binary(operator_: str, left: Any, right: Any) -> Any:
    """`left operator right` of two constants, or UNKNOWN."""
    function = _BINARY.get(operator_)
    return UNKNOWN if function is None else _apply(function, left, right)


def compare(operator_: str, left: Any, right: Any) -> Any:
    """A comparison of two constants, or UNKNOWN."""
    function = _COMPARISON.get(operator_)
    return UNKNOWN if function is None else _apply(function, left, right)


def unary(operator_: str, value: Any) -> Any:
    """A unary operator on a constant, or UNKNOWN."""
    function = _UNARY.get(operator_)
    return UNKNOWN if function is None else _apply(function, value)


def method(text: Any, name: str, values: list[Any]) -> Any:
    """`text.name(*values)` of constants, or UNKNOWN. May return a list or a tuple of constants."""
    if isinstance(text, bytes) and name == "decode":
        return _apply(lambda raw: raw.decode("utf-8"), text)
    if not isinstance(text, str) or len(text) > MAX_TEXT:
        return UNKNOWN
    function = _TEXT.get(name)
    return UNKNOWN if function is None else _apply(function, text, *values)


def is_text_method(name: str) -> bool:
    """Whether `method` knows the name."""
    return name in _TEXT


def function(name: str, values: list[Any]) -> Any:
    """A pure built-in applied to constants, or UNKNOWN."""
    known = _FUNCTIONS.get(name)
    return UNKNOWN if known is None else _apply(known, *values)


def subscript(value: Any, key: Any) -> Any:
    """`value[key]` of a constant text, or UNKNOWN."""
    return _apply(operator.getitem, value, key) if isinstance(value, (str, bytes)) else UNKNOWN


def slice_(value: Any, lower: Any, upper: Any, step: Any) -> Any:
    """`value[lower:upper:step]` of a constant text, or UNKNOWN."""
    return _apply(operator.getitem, value, slice(lower, upper, step)) if isinstance(value, (str, bytes)) else UNKNOWN


def truth(value: Any) -> bool | None:
    """The truth of a constant, None when unknown."""
    return None if value is UNKNOWN else bool(value)
