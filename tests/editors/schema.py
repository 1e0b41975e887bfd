"""The server's settings as an editor has to offer them: read from the server's own dataclass."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from dataclasses import dataclass
from enum import Enum
from typing import Any

from closeread import settings as server
from closeread.lsp.features.configuration import INLAY_HINTS


@dataclass(frozen=True)
class Setting:
    """The JSON schema of one setting and its default, as JSON."""

    schema: dict[str, Any]
    default: Any


def settings() -> dict[str, Setting]:
    """What a user may set, by the name editors use ("minSeverity")."""
    hints = typing.get_type_hints(server.Settings)
    found = {}
    for field in dataclasses.fields(server.Settings):
        if field.name.replace("_", "-") not in server._READERS:
            continue  # not a setting: what the file's other tables become
        name = re.sub("_([a-z])", lambda match: match[1].upper(), field.name)
        found[name] = Setting(_schema(hints[field.name]), _plain(field.default))
    assert len(found) == len(server._READERS)
    found[INLAY_HINTS] = Setting({"type": "boolean"}, False)  # of the editor alone
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.label
    return list(value) if isinstance(value, tuple) else value


def _schema(hint: Any) -> dict[str, Any]:
    """The schema of a field's type."""
    if isinstance(hint, types.UnionType):
        (one,) = (part for part in typing.get_args(hint) if part is not type(None))
        schema = _schema(one)
        return {"type": [schema["type"], "null"], "enum": [*schema["enum"], None]}
    if isinstance(hint, type) and issubclass(hint, Enum):
        return {"type": "string", "enum": [member.label for member in hint]}
    if typing.get_origin(hint) is tuple:
        return {"type": "array", "items": {"type": "string"}}
    return {"type": {bool: "boolean", int: "integer", float: "number", str: "string"}[hint]}
