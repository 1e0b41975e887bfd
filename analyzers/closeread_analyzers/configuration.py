"""Configuration as rules ask for it: the entries of mappings, the keys around a place, what a file is for.

Absent on purpose: the formats. A rule here asks for the trait "settings" and reads `Mapping`s.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from . import ir
from .check import Context
from .words import COMMON_PASSWORDS, entropy, likeness, promise, words_of

_FOR_PEOPLE = re.compile(
    r"(^|[/_.-])(locales?|i18n|l10n|langs?|languages|translations?|messages|strings|openapi|swagger|schemas?|cassettes?)"
    r"([/_.-]|$)|(^|/)[a-z]{2}([-_][A-Za-z]{2,4})?\.\w+$",
    re.IGNORECASE,
)
_EXAMPLES = frozenset(
    ["example", "examples", "schema", "schemas", "properties", "definitions", "placeholder", "placeholders", "encrypted"]
    + ["translations", "messages", "labels", "i18n", "encrypted_data", "dependencies", "dev_dependencies", "headers"]
)
_REFERENCE = re.compile(r"(?:^|_)(?:existing|image_pull|pull|tls|cert|certificate|ssl|registry)_secret$|^secret_?(?:name|ref)$")
_NO_SECRET = re.compile(
    r"^ENC\[|^[~^v=<>]*\d+(\.[\dx*]+)+|^\$(2[abxy]|argon2\w*|[156]|pbkdf2[\w-]*|scrypt)\$|^pbkdf2|^\{\w+\}|^base64:$"
    r"|^[a-z]+\d{0,2}([-_./][a-z]+\d{0,2})+$|^\w+://|^(op|vault|secret|ssm|aws|gcp|azure)[:/]|^\$|^%|^AgA|^vault\W"
)
_DATABASE = re.compile(
    r"^(POSTGRES|PG|MYSQL|MYSQL_ROOT|MARIADB|MARIADB_ROOT|MONGO_INITDB_ROOT|MONGO|RABBITMQ_DEFAULT|RABBITMQ|DB|DATABASE"
    r"|REDIS|MINIO_ROOT|MINIO|ELASTIC|NEO4J|CLICKHOUSE|MSSQL_SA|SA|PGADMIN_DEFAULT|GF_SECURITY_ADMIN)_?PASS(WORD)?$"
)


def entries(mapping: ir.Expression | None) -> Iterator[tuple[str, ir.Constant, ir.Expression]]:
    """The entries with a text as key: the text, its place, the value."""
    if type(mapping) is ir.Mapping:
        for key, value in mapping.entries:
            if type(key) is ir.Constant and type(key.value) is str:
                yield key.value, key, value


def entry(mapping: ir.Expression | None, *path: str) -> ir.Expression | None:
    """The value below `path`, if each step is there."""
    at = mapping
    for name in path:
        at = next((value for key, _, value in entries(at) if key == name), None)
        if at is None:
            return None
    return at


def items(listed: ir.Expression | None) -> list[ir.Expression]:
    """The items of a list; of anything else, none."""
    return listed.items if type(listed) is ir.Sequence else []


def text_of(value: ir.Expression | None) -> str:
    """The text of a scalar; a number's digits; "" for anything else."""
    if type(value) is not ir.Constant or value.value is None or isinstance(value.value, bool):
        return ""
    return str(value.value)


def is_on(value: ir.Expression | None) -> bool:
    """Whether a switch is on, as a truth value or as a text that means one."""
    if type(value) is not ir.Constant:
        return False
    return value.value is True or value.value == 1 or (isinstance(value.value, str) and value.value.lower() in _ON)


_ON = frozenset({"true", "1", "on", "yes"})


def documents(module: ir.Module) -> Iterator[tuple[int, dict[str, tuple[ir.Node, ir.Expression]]]]:
    """The documents of a file: by key at the top, the target and the value. The number is the document's start.

    Positions of nodes are relative to their unit: in a file of one document, to their key's own assignment.
    """
    whole: dict[str, tuple[ir.Node, ir.Expression]] = {}
    for unit in module.units:
        statement = unit.statement
        if type(statement) is ir.Block:
            yield unit.start, dict(_keys(statement.body))
        else:
            whole.update(_keys([statement]))
    if whole:
        yield 0, whole


def document(context: Context) -> dict[str, ir.Expression]:
    """The values at the top of the document that the current unit is in."""
    if type(context.unit.statement) is ir.Block:
        return {key: value for key, (_, value) in _keys(context.unit.statement.body)}
    statements = [unit.statement for unit in context.module.units if type(unit.statement) is ir.Assign]
    return {key: value for key, (_, value) in _keys(statements)}


def _keys(statements: list[ir.Statement] | list[ir.Assign]) -> Iterator[tuple[str, tuple[ir.Node, ir.Expression]]]:
    for statement in statements:
        if type(statement) is ir.Assign and statement.value is not None:
            for target in statement.targets:
                if type(target) is ir.Name:
                    yield target.id, (target, statement.value)


def keys_above(context: Context) -> list[str]:
    """The keys that lead to the current node, outermost first."""
    found: list[str] = []
    parents = context.parents
    for at, parent in enumerate(parents):
        if type(parent) is ir.Assign:
            found += [target.id for target in parent.targets if type(target) is ir.Name]
        elif type(parent) is ir.Mapping and at + 1 < len(parents):
            found += [key for key, _, value in entries(parent) if value is parents[at + 1]]
    return found


@lru_cache(maxsize=256)
def is_for_people(path: str) -> bool:
    """Whether a file by its path holds texts in a human language, a schema, or recorded traffic."""
    return _FOR_PEOPLE.search(path) is not None


def secret_in(name: str, value: ir.Expression, context: Context) -> str:
    """How sure a value is a secret that is set under `name`: "strong", "weak", "default", or "" for none."""
    if type(value) is not ir.Constant or isinstance(value.value, bool) or value.value is None:
        return ""
    kind = promise(name)
    text = value.value
    if isinstance(text, (int, float)):
        text = str(text) if kind == "password" and isinstance(text, int) else ""
    if not isinstance(text, str) or not kind or not text or is_for_people(context.module.path):
        return ""
    if _DATABASE.match(name) and re.fullmatch(r"[a-z]{4,20}", text) and likeness(text) != "strong":
        return "default"
    if " " in text or not text.isascii() or _NO_SECRET.search(text) or _REFERENCE.search(words_of(name)):
        return ""
    like = likeness(text)
    if like == "no" or (like == "weak" and kind != "password"):
        return ""
    if not _EXAMPLES.isdisjoint(words_of(key) for key in keys_above(context)):
        return ""
    if like == "strong" and kind != "password" and entropy(text) < 3:
        return "weak"
    return "default" if text.lower() in COMMON_PASSWORDS else like
