"""A value written between the quotes of an SQL statement, which came into the function from its caller.

Who the caller is, is the flow rule's question, and where that has spoken, this one is silent. Values that
the function gets itself, the flow rule has seen from their beginning. Deliberately absent: values without
quotes, which may be numbers, and names of tables, which nobody puts in quotes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ... import ir
from ...check import UNKNOWN, Context, Report
from ...pattern import later
from ...shapes import argument, last_name, own_nodes
from ...tree import walk

visits = (ir.Call, ir.Assign)

_TAKERS = later(
    r"execute|executemany|executescript|raw|text|query|.*_query|query_.*|execute_.*|run_sql|fetch|.*_sql|sql",
    re.IGNORECASE,
)
_HOLDERS = later(r"(.*_)?(sql|query|stmt|statement|cmd|qry|q|request|req)\d*(_.*)?", re.IGNORECASE)
_STATEMENT = later(
    r"\s*(SELECT\s.+\sFROM\s|INSERT\s+(OR\s+\w+\s+|IGNORE\s+)?INTO\s|REPLACE\s+INTO\s|UPDATE\s.+\sSET\s|DELETE\s+FROM\s)",
    re.IGNORECASE | re.DOTALL,
)
_HOLE = "\0"
_PLAIN = ("staticmethod", "classmethod", "property")
_QUOTED = later(rf"(['\"])%*{_HOLE}%*\1")
_PERCENT = later(r"%(?:\(\w+\))?s|%%")
_BRACES = later(r"\{\{|\}\}|\{[^{}]*\}")
_ESCAPES = later(r"escape|quote|sanitiz|int|float|len|hexdigest|isoformat|strftime|now|uuid", re.IGNORECASE)


def check(node: ir.Node, context: Context) -> Iterator[Report]:
    """Reports the statement's text."""
    if context.is_test:
        return
    if isinstance(node, ir.Call):
        given = argument(node, 0) if _TAKERS.fullmatch(last_name(node.callee)) else None
        # the same text in a call whose value is kept as a statement is one statement
    elif isinstance(node, ir.Assign):
        given = node.value if any(_HOLDERS.fullmatch(last_name(target)) for target in node.targets) else None
    else:
        return
    if given is None or not isinstance(given, (ir.Binary, ir.Template, ir.Call)) or not _is_handed_in(given, context):
        return
    text = _composed(given, context)
    if _HOLE in text and _STATEMENT.match(text) and _QUOTED.search(text):
        yield Report(given)


def _is_handed_in(text: ir.Expression, context: Context) -> bool:
    """Whether a name in the text is a parameter of the function, or a variable made straight from one."""
    function = context.function
    if function is None or any(last_name(d) not in _PLAIN for d in function.decorators):
        return False
    parameters = {parameter.name for parameter in function.parameters}
    names = {part.id for part in walk(text) if type(part) is ir.Name}
    if names & parameters:
        return True
    return any(
        isinstance(part, ir.Assign)
        and part.value is not None
        and any(type(target) is ir.Name and target.id in names for target in part.targets)
        and _root(part.value) in parameters - {"request", "req", "environ"}
        for part in own_nodes(function)
    )


def _root(value: ir.Expression) -> str:
    while isinstance(value, (ir.Attribute, ir.Subscript)):
        value = value.value
    return value.id if type(value) is ir.Name else ""


def _composed(part: ir.Expression, context: Context) -> str:
    """The text as far as it is constant, with a mark for each value put into it."""
    known = context.constant(part)
    if known is not UNKNOWN:
        return str(known)
    if isinstance(part, ir.Template):
        return "".join(_composed(inner, context) for inner in part.parts)
    if isinstance(part, ir.Binary) and part.operator == "+":
        return _composed(part.left, context) + _composed(part.right, context)
    if isinstance(part, ir.Binary) and part.operator == "%":
        text = _composed(part.left, context)
        return text if _harmless(part.right) else _PERCENT.sub(_filled, text)
    if isinstance(part, ir.Call) and isinstance(part.callee, ir.Attribute) and part.callee.name == "format":
        values = [given.value for given in part.arguments]
        text = _composed(part.callee.value, context)
        return text if all(map(_harmless, values)) else _BRACES.sub(_filled, text)
    return "?" if _harmless(part) else _HOLE


def _filled(place: re.Match[str]) -> str:
    return place[0] if place[0] in ("%%", "{{", "}}") else _HOLE


def _harmless(value: ir.Expression) -> bool:
    """A constant by its name, something made harmless on the spot, or several such."""
    if isinstance(value, ir.Sequence):
        return all(map(_harmless, value.items))
    if isinstance(value, ir.Call):
        return bool(_ESCAPES.search(last_name(value.callee)))
    return isinstance(value, ir.Constant) or (last_name(value).isupper() and len(last_name(value)) > 1)
