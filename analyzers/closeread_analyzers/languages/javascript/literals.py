"""Values of literals: JavaScript's escapes and notations of numbers, as Python values.

Absent: the value of a number that Python refuses to read (thousands of digits), which is None here.
"""

from __future__ import annotations

import re

_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,8})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([0-7]{1,3})|(\r\n|[\s\S]))")
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "\n": "", "\r\n": "", "\r": ""}
_SIMPLE |= {"\u2028": "", "\u2029": ""}
_LAST_CHARACTER = 0x10FFFF


def unescaped(text: str) -> str:
    """`text` with its escapes resolved; halves of surrogate pairs meet, and lone ones are replaced."""
    if "\\" not in text:
        return text
    text = _ESCAPE.sub(_character, text)
    if any(0xD800 <= ord(c) <= 0xDFFF for c in text):
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def _character(match: re.Match[str]) -> str:
    braced, four, two, octal, other = match.groups()
    if other is not None:
        return _SIMPLE.get(other, other)
    code = int(octal, 8) if octal else int(braced or four or two, 16)
    return chr(code) if code <= _LAST_CHARACTER else "\ufffd"


def number(text: str) -> int | float | None:
    """The number that `text` denotes: hexadecimal, octal (old style too), binary, with `_`, with `n`."""
    text = text.replace("_", "").removesuffix("n").lower()
    try:
        if text[:2] in ("0x", "0o", "0b"):
            return int(text, 0)
        if text.isdecimal():
            old_octal = len(text) > 1 and text[0] == "0" and not set(text) & {"8", "9"}
            return int(text, 8 if old_octal else 10)
        value = float(text)
        return int(value) if value.is_integer() and abs(value) < 2**53 else value
    except ValueError:
        return None
