"""A statement that is put together becomes one with placeholders, its values beside it, where that is sure to mean the same.

Only values may be placeholders: after a comparison, `LIKE`, `LIMIT`, or in a list of values. How a placeholder is
written depends on the driver, which the file's imports tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...finding import Edit
from ...fixing import FixContext
from ...pattern import later
from ...pieces import Piece, origin, pieces, quoted
from ...shapes import last_name

mends = (ir.Call,)
title = "Pass the values as parameters"

_PLACEHOLDERS = {
    "sqlite3": "?",
    "aiosqlite": "?",
    "psycopg": "%s",
    "psycopg2": "%s",
    "pymysql": "%s",
    "MySQLdb": "%s",
}
_VALUE = later(r"(?:[=<>]|\b(?:LIKE|LIMIT|OFFSET|BETWEEN)|\b(?:VALUES|IN)\s*\((?:[^()]*,)?)\s*$", re.IGNORECASE)


def fix(node: ir.Call, context: FixContext) -> Iterator[Edit]:
    """`execute("... = '" + x + "'")` becomes `execute("... = ?", (x,))`."""
    if last_name(node.callee) != "execute" or len(node.arguments) != 1 or node.arguments[0].name:
        return
    given = node.arguments[0].value
    made = origin(given, context)
    found = pieces(made, context) if made is not None else None
    mark = _placeholder(context)
    rewritten = _rewritten(found, mark, context) if found and mark else None
    if made is None or rewritten is None:
        return
    statement, values = rewritten
    if made is given:
        yield context.replace(node.arguments[0], f"{statement}, {values}")
    else:
        yield context.replace(made, statement)
        yield context.edit(node.arguments[0].end, node.arguments[0].end, f", {values}")


def _placeholder(context: FixContext) -> str | None:
    roots = {path.partition(".")[0] for path in context.names.scope.imports.values()}
    marks = {_PLACEHOLDERS[root] for root in roots & _PLACEHOLDERS.keys()}
    return marks.pop() if len(marks) == 1 else None


def _rewritten(found: list[Piece], mark: str, context: FixContext) -> tuple[str, str] | None:
    """The statement's literal and the tuple of its values."""
    statement = ""
    values: list[str] = []
    inside: list[str] | None = None  # the pieces of a literal in quotes that is being read, as an f-string has them
    for piece in found:
        if isinstance(piece, ir.Expression):
            text = context.text(piece)
            if inside is not None:
                inside.append("{" + text + "}")
            elif _VALUE.search(statement):
                statement += mark
                values.append(text)
            else:
                return None
            continue
        parts = piece.split("'")
        for place, part in enumerate(parts):
            if place:
                if inside is None:
                    inside = []
                else:
                    value = _literal(inside)
                    if value is None or not _VALUE.search(statement):
                        return None
                    statement += mark
                    values.append(value)
                    inside = None
            if inside is None:
                statement += part
            elif part:
                inside.append(part)
    literal = quoted(statement)
    if inside is not None or literal is None or not values or statement.replace("%s", "").count("%"):
        return None
    return literal, f"({', '.join(values)}{',' if len(values) == 1 else ''})"


def _literal(inside: list[str]) -> str | None:
    """The value of a literal in quotes: an expression alone, or a text around expressions."""
    if len(inside) == 1 and inside[0].startswith("{"):
        return inside[0][1:-1]
    text = "".join(inside)
    made = quoted(text)
    return made if made is None or not any(one.startswith("{") for one in inside) else f"f{made}"
