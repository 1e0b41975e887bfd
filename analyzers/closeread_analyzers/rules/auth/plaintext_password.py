"""Passwords stored as they are: in a record's field, or by an INSERT."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...catalogue import name_words
from ...check import Context, Report
from ...flow.bodies import Body, is_password, is_sent, key_of, last_name, leading_text
from ...pattern import later
from ...scope import methods
from ...tree import walk_here

visits = (ir.FunctionDefinition,)

_HASHES = later(
    r"hash|crypt|argon|pbkdf|digest|md5|sha\d|make_password|set_password|encode_password|encrypt|cipher|secure|protect|salt|hmac",
    re.IGNORECASE,
)
_PASSWORD = later(rb"[Pp]assw|PASSW|pwd|[Pp]assphrase|[Pp]assw?ort|_pass\b|\bpass_")
_HASHES_SOMEWHERE = later(rb"hash|crypt|argon|pbkdf|make_password", re.IGNORECASE)
_PERSON = later(
    r"(?:User|Account|Member|Customer|Admin|Employee|Patient|Student|Teacher|Person|Profile|Author|Client)s?(?:Model)?$"
)
_PERSON_NAME = later(
    r"(?:^|_)(?:user|account|member|customer|admin|employee|patient|student|teacher|person|profile|u|cust)s?\d?$"
)
_STORES = frozenset(["add", "add_all", "save", "commit", "insert", "insert_one", "create", "merge", "flush"])
_INSERT = later(
    r"(?is)^\s*(?:insert\s+(?:or\s+\w+\s+)?into|replace\s+into)\s+[\w.\"`\[\]]+\s*\([^)]*\bpass(?:word|wd)?\b[^)]*\)"
)
_UPDATE = later(r"(?is)^\s*update\s+[\w.\"`\[\]]+\s+set\b.*\bpass(?:word|wd)?\s*=")


def check(node: ir.FunctionDefinition, context: Context) -> Iterator[Report]:
    """Reports the first place in a function at which a password is stored, if nothing there hashes."""
    function = node.function
    # Most functions have nothing to do with passwords: their text says so at once.
    if context.is_test or not context.has(_PASSWORD, function):
        return
    body = Body(function)
    if any(_HASHES.search(last_name(call.callee)) for call in body.calls):
        return
    if any(_HASHES.search(part.name) for part in body.nodes if isinstance(part, ir.Attribute)):
        return
    hashes = _HASHES_SOMEWHERE.search(context.module.source) is not None
    stores = any(last_name(call.callee) in _STORES for call in body.calls)
    for part in body.nodes:
        found = None
        if isinstance(part, ir.Call):
            found = _in_insert(part, body, hashes=hashes) or (_in_constructor(part, body, context) if stores else None)
        elif isinstance(part, ir.Assign) and stores and part.value is not None and _plain(part.value, body):
            found = next((t for t in part.targets if _is_field(t, body, context)), None)
        if found is not None:
            yield Report(found)
            return


def _in_insert(call: ir.Call, body: Body, *, hashes: bool) -> ir.Node | None:
    """An INSERT or UPDATE of a password; one of the function's parameters may have been hashed by the caller."""
    if hashes and any(
        is_password(n.id) and n.id in _parameters(body) for n in walk_here(call) if isinstance(n, ir.Name)
    ):
        return None
    if not last_name(call.callee).startswith("execute") or len(call.arguments) < 1:
        return None
    for value in body.values(call.arguments[0].value):
        text = leading_text(value)
        if (_INSERT.match(text) or _UPDATE.match(text)) and (
            len(call.arguments) > 1 or not isinstance(value, ir.Constant)
        ):
            return call
    return None


def _parameters(body: Body) -> set[str]:
    return {parameter.name for parameter in body.function.parameters}


def _in_constructor(call: ir.Call, body: Body, context: Context) -> ir.Node | None:
    name = last_name(call.callee)
    if name in ("create", "update_or_create") and isinstance(call.callee, ir.Attribute):
        manager = call.callee.value  # `User.objects.create(...)`
        name = last_name(manager.value) if isinstance(manager, ir.Attribute) and manager.name == "objects" else name
    if not _PERSON.search(name) or _guards(name, context):
        return None
    given = next((a for a in call.arguments if a.name is not None and is_password(a.name)), None)
    return given if given is not None and "hash" not in str(given.name) and _plain(given.value, body) else None


def _is_field(target: ir.Expression, body: Body, context: Context) -> bool:
    if not isinstance(target, ir.Attribute) or not is_password(target.name) or not isinstance(target.value, ir.Name):
        return False
    made = [last_name(v) for v in body.assigned.get(target.value.id, ()) if isinstance(v, ir.Call)]
    if any(_guards(name, context) for name in made):
        return False
    return bool(_PERSON_NAME.search(name_words(target.value.id))) or any(_PERSON.search(name) for name in made)


def _guards(class_name: str, context: Context) -> bool:
    """Whether a class of this module does something of its own with a password."""
    definition = context.names.classes.get(class_name)
    if definition is None:
        return False
    for method in methods(definition):
        if is_password(method.name) or method.name == "__setattr__":
            return True
        if method.name in ("__init__", "save") and any(
            isinstance(n, ir.Call) and _HASHES.search(last_name(n.callee)) for n in walk_here(*method.body)
        ):
            return True
    return False


def _plain(value: ir.Expression, body: Body) -> bool:
    """Whether a value is a literal, or a password as the client sent it."""
    if isinstance(value, ir.Constant):
        return isinstance(value.value, str) and 0 < len(value.value) < 50
    if isinstance(value, ir.Attribute):
        if value.name == "data":
            return is_password(last_name(value.value))
        holder = value.value.id if isinstance(value.value, ir.Name) else ""
        return (
            is_password(value.name)
            and holder in _parameters(body)
            and holder in ("data", "payload", "body", "form", "item")
        )
    if isinstance(value, ir.Subscript | ir.Call) and is_password(key_of(value)):
        return True
    if isinstance(value, ir.Name) and is_password(value.id):
        given = body.assigned.get(value.id)
        return given is not None and all(is_password(key_of(v)) or is_sent(v) or _plain_data(v) for v in given)
    return False


def _plain_data(value: ir.Expression) -> bool:
    return isinstance(value, ir.Attribute) and value.name == "data"
