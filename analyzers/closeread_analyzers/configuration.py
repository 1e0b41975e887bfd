"""Configuration as rules ask for it: the entries of mappings, the keys around a place, what a file is for.

Absent on purpose: the formats. A rule here asks for the trait "settings" and reads `Mapping`s.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal

from . import ir
from .check import Context
from .pattern import later
from .words import COMMON_PASSWORDS, entropy, likeness, promise, words_of

_FOR_PEOPLE = later(
    r"(^|[/_.-])(locales?|i18n|l10n|langs?|languages|translations?|messages|strings|openapi|swagger|schemas?|cassettes?)"
    r"([/_.-]|$)|(^|/)[a-z]{2}([-_][A-Za-z]{2,4})?\.\w+$",
    re.IGNORECASE,
)
_EXAMPLES = frozenset(
    {
        *("example", "examples", "schema", "schemas", "properties", "definitions", "placeholder", "placeholders"),
        *("encrypted", "encrypted_data", "translations", "messages", "labels", "i18n", "headers"),
        *("dependencies", "dev_dependencies"),
    }
)
_REFERENCE = later(
    r"(?:^|_)(?:existing|image_pull|pull|tls|cert|certificate|ssl|registry)_secret$|^secret_?(?:name|ref)$"
)
_NO_SECRET = later(
    r"^ENC\[|^[~^v=<>]*\d+(\.[\dx*]+)+|^\$(2[abxy]|argon2\w*|[156]|pbkdf2[\w-]*|scrypt)\$|^pbkdf2|^\{\w+\}|^base64:$"
    r"|^[a-z]+\d{0,2}([-_./][a-z]+\d{0,2})+$|^\w+://|^(op|vault|secret|ssm|aws|gcp|azure)[:/]|^\$|^%|^AgA|^vault\W"
)
_DATABASE = later(
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


def document(context: Context) -> dict[str, ir.Expression]:
    """The values at the top of the document that the current unit is in."""
    if type(context.unit.statement) is ir.Block:
        statements = context.unit.statement.body
    else:
        statements = [unit.statement for unit in context.module.units]
    return {
        target.id: statement.value
        for statement in statements
        if type(statement) is ir.Assign and statement.value is not None
        for target in statement.targets
        if type(target) is ir.Name
    }


def within(node: ir.Node, context: Context, pattern: re.Pattern[str]) -> Iterator[tuple[ir.Node, re.Match[str]]]:
    """Each place in the source of `node` that matches, as a node of its own."""
    text = context.text(node)
    for found in pattern.finditer(text):
        start = node.start + len(text[: found.start()].encode())
        yield ir.Node(start, start + len(found[0].encode())), found


def revealed(text: str) -> str:
    """What a value of a secret in a manifest is behind its encoding; "" if it is none."""
    try:
        return base64.b64decode(text, validate=True).decode()
    except (ValueError, UnicodeDecodeError):
        return ""


def is_manifest_of(kind: str, context: Context) -> bool:
    """Whether the document is a manifest of this kind."""
    top = document(context)
    return "apiVersion" in top and text_of(top.get("kind")) == kind


@lru_cache(maxsize=256)
def is_workflow(path: str) -> bool:
    """Whether a file is a workflow or an action of a repository's host."""
    return _WORKFLOW.search(path) is not None


@lru_cache(maxsize=256)
def is_compose(path: str) -> bool:
    """Whether a file by its name says which containers run together."""
    return _COMPOSE.search(path) is not None


_WORKFLOW = later(r"(^|/)\.(github|gitea|forgejo)/workflows/[^/]+$|(^|/)action\.ya?ml$")
_COMPOSE = later(r"(^|/)(docker-|podman-)?compose[^/]*\.ya?ml$|(^|/)(docker-)?stack\.ya?ml$")


def keys_above(node: ir.Node, context: Context) -> list[str]:
    """The keys that lead to `node`, the current one, outermost first."""
    found: list[str] = []
    for parent, below in zip(context.parents, [*context.parents, node][1:], strict=True):
        if type(parent) is ir.Assign:
            found += [target.id for target in parent.targets if type(target) is ir.Name]
        elif type(parent) is ir.Mapping:
            found += [key for key, _, value in entries(parent) if value is below]
    return found


@lru_cache(maxsize=256)
def is_for_people(path: str) -> bool:
    """Whether a file by its path holds texts in a human language, a schema, or recorded traffic."""
    return _FOR_PEOPLE.search(path) is not None


Sure = Literal["", "default", "weak", "strong"]


def secret_in(name: str, value: ir.Expression, node: ir.Node, context: Context) -> Sure:
    """How sure it is that a value is a secret, being set under `name` in `node`, the current one; "" if it is none."""
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
    above = [words_of(key) for key in keys_above(node, context)]
    if above[:1] == ["data"] and is_manifest_of("Secret", context):
        text = revealed(text)
    like = likeness(text)
    if like == "no" or (like == "weak" and kind != "password"):
        return ""
    if not _EXAMPLES.isdisjoint(above):
        return ""
    if like == "strong" and kind != "password" and entropy(text) < 3:
        return "weak"
    return "default" if text.lower() in COMMON_PASSWORDS else like
