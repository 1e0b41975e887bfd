"""Environment files: `.env`, `.env.production`, `.npmrc`. A line is `NAME=value`, perhaps after `export`.

Deliberately absent: what `$OTHER` refers to.
"""

from __future__ import annotations

import re

from .. import ir
from .config import ConfigLanguage, Reading
from .config.lines import Lines

_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?([^\s=#][^\s=]*)[ \t]*=[ \t]*")


class DotEnv(ConfigLanguage):
    """The language object."""

    name = "dotenv"
    suffixes = (".env",)
    names = (".npmrc", ".envrc", ".flaskenv")
    prefixes = (".env.",)

    def read(self, path: str, source: bytes) -> Reading:
        """The statements of a text."""
        lines = Lines(source)
        statements: list[ir.Statement] = []
        at = 0
        while at < len(lines.text):
            found = _LINE.match(lines.text, at)
            if found is None or found.end() > lines.line_end(at):
                at = lines.line_end(at) + 1
                continue
            value, end = lines.value(found.end(), quotes=True, comments=True)
            start, stop = found.span(1)
            target = ir.Name(start, stop, lines.decoded(start, stop))
            statements.append(ir.Assign(start, max(stop, value.end), [target], value))
            at = end + 1
        return Reading(statements, [])


language = DotEnv()
