"""The plain Markdown of answers in the dialects of platforms. Bold, code, fences and list items are all there is.

HTML (Telegram, Matrix) is built from escaped text alone: nothing that was asked or found can become markup of its own.
"""

from __future__ import annotations

import html
import re

_FENCE = re.compile(r"^```[^\n]*\n([\s\S]*?)^```[ \t]*$", re.MULTILINE)
_CODE = re.compile(r"`([^`\n]+)`")
_BOLD = re.compile(r"\*\*([^*\n]+)\*\*")


def as_html(text: str, newline: str = "\n") -> str:
    """`<b>`, `<code>` and `<pre>`, as both platforms know them; `newline` between lines outside of fences."""
    parts: list[str] = []
    for number, part in enumerate(_FENCE.split(text)):
        if number % 2:
            parts.append(f"<pre>{html.escape(part.rstrip())}</pre>")
            continue
        pieces = [
            f"<code>{html.escape(piece)}</code>"
            if odd % 2
            else _BOLD.sub(r"<b>\1</b>", html.escape(piece, quote=False))
            for odd, piece in enumerate(_CODE.split(part))
        ]
        parts.append("".join(pieces).replace("\n", newline))
    return "".join(parts)


def as_styling(text: str) -> str:
    """XEP-0393, which XMPP clients show: `*bold*`, the rest as it is."""
    return _BOLD.sub(r"*\1*", text)


def as_quoted(text: str) -> str:
    """WeCom's Markdown for applications, which knows no fences: their lines are quoted."""
    parts = _FENCE.split(text)
    quoted = [
        "".join(f"> {line}\n" for line in part.splitlines()) if odd % 2 else part for odd, part in enumerate(parts)
    ]
    return "".join(quoted).replace("\n\n", "\n").strip("\n")


def as_text(text: str) -> str:
    """Without any marks but those of code, which are readable."""
    return _BOLD.sub(r"\1", text)
