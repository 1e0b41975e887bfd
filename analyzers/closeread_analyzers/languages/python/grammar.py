"""The grammar and the ids of its fields and kinds that the lowering asks for: ids are quicker than names."""

from __future__ import annotations

import tree_sitter
import tree_sitter_python

from ..lowering import kind_ids

GRAMMAR = tree_sitter.Language(tree_sitter_python.language())


def _field(name: str) -> int:
    number = GRAMMAR.field_id_for_name(name)
    if number is None:
        raise KeyError(f"the grammar has no field {name}")
    return number


ALIAS = _field("alias")
ALTERNATIVE = _field("alternative")
ARGUMENT = _field("argument")
ARGUMENTS = _field("arguments")
ATTRIBUTE = _field("attribute")
BODY = _field("body")
CAUSE = _field("cause")
CODE = _field("code")
CONDITION = _field("condition")
CONSEQUENCE = _field("consequence")
DEFINITION = _field("definition")
EXPRESSION = _field("expression")
FUNCTION = _field("function")
GUARD = _field("guard")
KEY = _field("key")
LEFT = _field("left")
MODULE_NAME = _field("module_name")
NAME = _field("name")
OBJECT = _field("object")
OPERATOR = _field("operator")
PARAMETERS = _field("parameters")
RETURN_TYPE = _field("return_type")
RIGHT = _field("right")
SUBJECT = _field("subject")
SUPERCLASSES = _field("superclasses")
TYPE = _field("type")
VALUE = _field("value")


def kinds(*names: str) -> frozenset[int]:
    """The ids of these named kinds. Raises KeyError for a kind that the grammar does not have."""
    for name in names:
        if name != "ERROR" and not kind_ids(GRAMMAR, name):
            raise KeyError(f"the grammar has no {name}")
    return kind_ids(GRAMMAR, *names)
