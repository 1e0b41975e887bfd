"""What GitLab asks of a SAST report, schema 15.0.x, as far as we write one.

Put down in words of our own, property by property of the schemas that GitLab publishes (15.0.2, held against 15.0.7 too), since no
package carries those files. Stricter than GitLab where we promise more: no property without a meaning to it, version 5 ids.
"""

from __future__ import annotations

from typing import Any

_TEXT: dict[str, Any] = {"type": "string", "minLength": 1}
_URL: dict[str, Any] = {"type": "string", "pattern": "^https?://.+"}
_TIME: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$"}
_LINE: dict[str, Any] = {"type": "integer", "minimum": 1}


def _object(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    return {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {})},
        "additionalProperties": False,
    }


def _array(items: dict[str, Any], minimum: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": items, "minItems": minimum}


_TOOL = _object({"id": _TEXT, "name": _TEXT, "version": _TEXT, "vendor": _object({"name": _TEXT})})

_DETAIL: dict[str, Any] = {
    "oneOf": [
        _object({"name": _TEXT, "type": {"const": "text"}, "value": {"type": "string"}}),
        _object({"name": _TEXT, "type": {"const": "code"}, "value": {"type": "string"}}, {"lang": _TEXT}),
        _object(
            {
                "name": _TEXT,
                "type": {"const": "named-list"},
                "items": {"type": "object", "additionalProperties": {"$ref": "#/definitions/detail"}},
            }
        ),
    ]
}

_SIGNED = _object(
    {
        "file": _TEXT,
        "start_line": _LINE,
        "end_line": _LINE,
        "signatures": _array(_object({"algorithm": _TEXT, "value": _TEXT}), 1),
    }
)

_VULNERABILITY = _object(
    {
        "id": {"type": "string", "pattern": "^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"},
        "name": {**_TEXT, "maxLength": 255},
        "description": {**_TEXT, "maxLength": 1_048_576},
        "severity": {"enum": ["Info", "Unknown", "Low", "Medium", "High", "Critical"]},
        "identifiers": _array(_object({"type": _TEXT, "name": _TEXT, "value": _TEXT}, {"url": _URL}), 1),
        "location": _object({"file": _TEXT, "start_line": _LINE, "end_line": _LINE}, {"method": _TEXT}),
        "tracking": _object({"type": {"const": "source"}, "items": _array(_SIGNED, 1)}),
        "details": {"type": "object", "additionalProperties": {"$ref": "#/definitions/detail"}},
    },
    {
        "solution": {**_TEXT, "maxLength": 7000},
        "links": _array(_object({"url": _URL}, {"name": _TEXT})),
        "flags": _array(
            _object({"type": {"enum": ["flagged-as-likely-false-positive"]}, "origin": _TEXT, "description": _TEXT})
        ),
    },
)

SCHEMA: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "definitions": {"detail": _DETAIL},
    **_object(
        {
            "version": {"type": "string", "pattern": r"^15\.0\.\d+$"},
            "scan": _object(
                {
                    "analyzer": _TOOL,
                    "scanner": _TOOL,
                    "type": {"const": "sast"},
                    "start_time": _TIME,
                    "end_time": _TIME,
                    "status": {"enum": ["success", "failure"]},
                    "messages": _array(_object({"level": {"enum": ["info", "warn", "fatal"]}, "value": _TEXT})),
                }
            ),
            "vulnerabilities": _array(_VULNERABILITY),
            "remediations": _array(
                _object(
                    {
                        "fixes": _array(_object({"id": _TEXT}), 1),
                        "summary": _TEXT,
                        "diff": {"type": "string", "pattern": "^[A-Za-z0-9+/]+={0,2}$"},
                    }
                )
            ),
        }
    ),
}
