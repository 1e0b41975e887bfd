"""INI files and Java's properties: `key = value` or `key: value`, under `[section]` where there are sections.

A section is an assignment of a `Mapping`; a key before any section an assignment of its own.
Deliberately absent: values that go on over several lines, of which only the first is read.
"""

from __future__ import annotations

import re

from .. import ir
from .config import ConfigLanguage, Reading
from .config.document import Entries, dotted
from .config.lines import Lines

_LINE = re.compile(r"([^\s=:#;!\[][^=:\n]*)[=:][ \t]*")
_SECTION = re.compile(r"\[([^\]\n]+)\]")


class Ini(ConfigLanguage):
    """The language object."""

    name = "ini"
    suffixes = (".ini", ".cfg", ".properties")
    names = (".pypirc",)

    def read(self, path: str, source: bytes) -> Reading:
        """The statements of a text."""
        lines = Lines(source)
        statements: list[ir.Statement] = []
        section: ir.Assign | None = None
        entries: Entries = []
        at = 0
        while at < len(lines.text):
            line_end = lines.line_end(at)
            if found := _SECTION.match(lines.text, at):
                entries = []
                name = dotted(found.start(1), found[1])
                section = ir.Assign(at, found.end(), [name], ir.Mapping(at, found.end(), entries))
                statements.append(section)
            elif (found := _LINE.match(lines.text, at)) and found.end() <= line_end:
                value, line_end = lines.value(found.end(), quotes=False, comments=section is not None)
                start = found.start(1)
                stop = start + len(found[1].rstrip())
                key = lines.decoded(start, stop)
                if section is None:
                    target = dotted(start, lines.text[start:stop])
                    statements.append(ir.Assign(start, max(stop, value.end), [target], value))
                else:
                    entries.append((ir.Constant(start, stop, key), _unquoted(value)))
                    section.end = max(stop, value.end)
                    if section.value is not None:
                        section.value.end = section.end
            at = line_end + 1
        return Reading(statements, [])


def _unquoted(value: ir.Constant) -> ir.Constant:
    text = value.value
    if isinstance(text, str) and len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        value.value = text[1:-1]
    return value


language = Ini()
