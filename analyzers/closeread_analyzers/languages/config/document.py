"""From values to a module: assignments for keys, environments as mappings, units with positions of their own."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import TypeVar

from ... import ir
from ...tree import walk

MAX_DEPTH = 100
"""Levels of values; nobody writes a tenth of them by hand."""

MAX_RECORDS = 100
TOO_DEEP = f"nested deeper than {MAX_DEPTH} levels: the inner part was not analysed"

_ENVIRONMENT = frozenset({"env", "environment", "args", "variables"})
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(.*)", re.DOTALL)
_NUMBER = re.compile(r"[-+]?(?:0|[1-9]\d{0,17})$")
_DECIMAL = re.compile(r"[-+]?\d{1,15}\.\d{1,15}(?:[eE][-+]?\d{1,2})?$")

Entries = list[tuple[ir.Expression | None, ir.Expression]]
_Node = TypeVar("_Node", bound=ir.Node)


def plain(text: str) -> ir.ConstantValue:
    """What a number or truth value without quotes is; everything else is a text."""
    lower = text.lower()
    if lower in ("true", "false"):
        return lower == "true"
    if _NUMBER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text


def sequence(start: int, end: int, items: list[ir.Expression]) -> ir.Expression:
    """A list; one of many records is data."""
    if len(items) > MAX_RECORDS and sum(type(item) is ir.Mapping for item in items) > MAX_RECORDS:
        return ir.Opaque(start, end, "records", [])
    return ir.Sequence(start, end, "list", items)


def valued(key: ir.Expression | None, value: ir.Expression, source: bytes) -> ir.Expression:
    """The value of a key: an environment's list is the mapping that it means."""
    if type(value) is ir.Sequence and type(key) is ir.Constant and value.items:
        name = key.value
        if type(name) is str and name.lower() in _ENVIRONMENT:
            return _environment(value, source) or value
    return value


def _environment(listed: ir.Sequence, source: bytes) -> ir.Mapping | None:
    entries: Entries = []
    for item in listed.items:
        entry = _named(item) if type(item) is ir.Mapping else _pair(item, source)
        if entry is None:
            return None
        entries.append(entry)
    return ir.Mapping(listed.start, listed.end, entries)


def _named(item: ir.Mapping) -> tuple[ir.Expression | None, ir.Expression] | None:
    """`{name: NAME, value: value}`; where the value comes from elsewhere, the whole item is the value."""
    parts = {key.value: value for key, value in item.entries if type(key) is ir.Constant}
    name = parts.get("name")
    if type(name) is not ir.Constant:
        return None
    value = parts.get("value")
    if value is not None:
        return name, value
    rest: Entries = [(key, value) for key, value in item.entries if value is not name]
    return name, ir.Mapping(item.start, item.end, rest)


def _pair(item: ir.Expression, source: bytes) -> tuple[ir.Expression | None, ir.Expression] | None:
    if type(item) is not ir.Constant or type(item.value) is not str:
        return None
    found = _PAIR.fullmatch(item.value)
    if found is None:
        # a name alone takes its value from outside
        bare = re.fullmatch(r"[A-Za-z_]\w*", item.value)
        return (item, ir.Opaque(item.end, item.end, "inherited", [])) if bare else None
    start, end = item.start, item.end
    if source[start : start + 1] in (b'"', b"'"):
        start, end = start + 1, end - 1
    middle = start + len(found[1].encode())
    if source[start : middle + 1] != found[1].encode() + b"=":
        start, middle, end = item.start, item.start - 1, item.end  # escapes: the whole item marks both
    return ir.Constant(start, max(middle, start), found[1]), ir.Constant(middle + 1, end, found[2])


def assignments(entries: Iterable[tuple[ir.Expression | None, ir.Expression]]) -> list[ir.Statement]:
    """A document that is a mapping, one statement a key."""
    statements: list[ir.Statement] = []
    for key, value in entries:
        if type(key) is ir.Constant and type(key.value) is str:
            target: ir.Expression = ir.Name(key.start, key.end, key.value)
            statements.append(ir.Assign(key.start, max(value.end, key.end), [target], value))
        else:
            statements.append(ir.ExpressionStatement(value.start, value.end, value))
    return statements


def dotted(start: int, raw: str) -> ir.Expression:
    """A key as it is assigned to: `a.b.c` is an attribute of an attribute. `raw` has one character a byte."""
    parts = raw.split(".")
    if len(parts) > MAX_DEPTH or not all(parts):
        return ir.Name(start, start + len(raw), _decoded(raw))
    end = start + len(parts[0])
    found: ir.Expression = ir.Name(start, end, _decoded(parts[0]))
    for part in parts[1:]:
        end += 1 + len(part)
        found = ir.Attribute(start, end, found, _decoded(part))
    return found


def _decoded(raw: str) -> str:
    return raw.encode("latin-1").decode("utf-8", "replace")


def module_of(path: str, source: bytes, statements: list[ir.Statement], problems: list[ir.SyntaxProblem]) -> ir.Module:
    """A module of one unit a statement. Takes the statements, whose positions are absolute, and moves them."""
    units: list[ir.Unit] = []
    for statement in statements:
        start, end = statement.start, statement.end
        for node in walk(statement):
            node.start -= start
            node.end -= start
        digest = hashlib.blake2b(source[start:end], digest_size=16).digest()
        units.append(ir.Unit(start, end, "", statement, digest))
    return ir.Module(path, source, units, problems)
