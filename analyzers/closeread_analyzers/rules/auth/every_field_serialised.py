"""Serialisers and forms over every field of an account."""

from __future__ import annotations

from collections.abc import Iterator

from ... import ir
from ...check import Context, Report
from ...pattern import later
from ...shapes import last_name

visits = (ir.ClassDefinition,)

_MAPS = later(r"(?:Serializer|Form|FilterSet|ObjectType)$")
_ACCOUNT = later(
    r"(?:User|Account|Member|Customer|Employee|Admin|Staff)s?(?:Model)?$|^get_user_model$|^AUTH_USER_MODEL$"
)


def check(node: ir.ClassDefinition, context: Context) -> Iterator[Report]:
    """Reports `fields = "__all__"`."""
    if not any(_MAPS.search(last_name(base.value)) for base in node.definition.bases):
        return
    if "password" in _fields(node.definition):
        return  # declared anew, so that it is not the model's
    for inner in node.definition.body:
        if isinstance(inner, ir.ClassDefinition) and inner.definition.name == "Meta":
            fields = _fields(inner.definition)
            model, given = fields.get("model"), fields.get("fields")
            if model is None or not isinstance(given, ir.Constant) or given.value != "__all__":
                continue
            if _ACCOUNT.search(last_name(model.callee if isinstance(model, ir.Call) else model)):
                yield Report(given, name=node.definition.name)


def _fields(definition: ir.Class) -> dict[str, ir.Expression]:
    """What a class's body binds to names."""
    return {
        target.id: statement.value
        for statement in definition.body
        if isinstance(statement, ir.Assign) and statement.value is not None
        for target in statement.targets
        if isinstance(target, ir.Name)
    }
