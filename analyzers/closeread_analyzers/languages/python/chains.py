"""Names, and the chains of calls, attributes and subscripts that begin with one.

`importlib.import_module("x")` and `__import__("x")` with a literal are an `ImportExpression`.
"""

from __future__ import annotations

from collections.abc import Iterable
from sys import intern

import tree_sitter

from ... import ir
from ..lowering import Lowerer
from .grammar import ARGUMENTS, ATTRIBUTE, NAME, VALUE, kinds
from .tree import first_child, inner, listed, missing, name_of, parts, required

_Node = tree_sitter.Node

_CALL = kinds("call")
_ATTRIBUTE = kinds("attribute")
_SUBSCRIPT = kinds("subscript")
_CHAIN = _CALL | _ATTRIBUTE | _SUBSCRIPT
_ARGUMENT_LIST = kinds("argument_list")
_KEYWORD_ARGUMENT = kinds("keyword_argument")
_SPLAT = kinds("list_splat", "list_splat_pattern")
_DOUBLE_SPLAT = kinds("dictionary_splat", "dictionary_splat_pattern")
_IMPORT_CALLS = frozenset({"__import__", "import_module", "importlib.import_module"})


def name(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """A name. The commonest node of all: what `name_of` does is written out for text in ASCII."""
    start, end = node.start_byte, node.end_byte
    text = low.characters[start:end]
    base = low.base
    return ir.Name(start - base, end - base, intern(text) if text.isascii() else name_of(low, node))


def chain(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`a.b(c)[d].e`: built along its left side in a loop, since builders' chains are long in real code."""
    links = [node]
    head = first_child(node)
    while head is not None and head.kind_id in _CHAIN:
        links.append(head)
        head = first_child(head)
    base = low.base
    value = required(low, head, depth, node)
    while links:
        link = links.pop()
        kind = link.kind_id
        start, end = link.start_byte - base, link.end_byte - base
        if kind in _ATTRIBUTE:
            attribute = link.child_by_field_id(ATTRIBUTE)
            value = ir.Attribute(start, end, value, "" if attribute is None else name_of(low, attribute))
        elif kind in _CALL:
            value = _call(low, link, value, start, end, depth)
        else:
            value = ir.Subscript(start, end, value, _key(low, link, depth))
    return value


def _call(low: Lowerer, node: _Node, callee: ir.Expression, start: int, end: int, depth: int) -> ir.Expression:
    given = node.child_by_field_id(ARGUMENTS)
    if given is None:
        return ir.Call(start, end, callee, [])
    if given.kind_id in _ARGUMENT_LIST:
        arguments = call_arguments(low, given, depth)
    else:  # f(x for x in y)
        generator = low.expression(given, depth)
        arguments = [ir.Argument(generator.start, generator.end, generator)]
    return _import_call(callee, arguments, start, end) or ir.Call(start, end, callee, arguments)


def _import_call(callee: ir.Expression, arguments: list[ir.Argument], start: int, end: int) -> ir.Expression | None:
    if isinstance(callee, ir.Name):
        called = callee.id
    elif isinstance(callee, ir.Attribute) and callee.name == "import_module" and isinstance(callee.value, ir.Name):
        called = f"{callee.value.id}.{callee.name}"
    else:
        return None
    if called not in _IMPORT_CALLS or not arguments:
        return None
    module = arguments[0].value
    if isinstance(module, ir.Constant) and isinstance(module.value, str) and module.value[:1] not in ("", "."):
        return ir.ImportExpression(start, end, module.value)
    return None


def call_arguments(low: Lowerer, node: _Node, depth: int) -> list[ir.Argument]:
    """An argument list, of a call or a class."""
    base = low.base
    arguments: list[ir.Argument] = []
    for child in node.named_children:
        kind = child.kind_id
        start, end = child.start_byte - base, child.end_byte - base
        if kind in _KEYWORD_ARGUMENT:
            key = child.child_by_field_id(NAME)
            value = required(low, child.child_by_field_id(VALUE), depth, child)
            arguments.append(ir.Argument(start, end, value, name_of(low, key) if key is not None else None))
        elif kind in _SPLAT:
            arguments.append(ir.Argument(start, end, inner(low, child, depth), None, "*"))
        elif kind in _DOUBLE_SPLAT:
            arguments.append(ir.Argument(start, end, inner(low, child, depth), None, "**"))
        elif not child.is_extra:
            arguments.append(ir.Argument(start, end, low.expression(child, depth)))
    return arguments


def _key(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    keys = parts(node)[1:]
    if not keys:
        return missing(low, node)
    # `a[b]` has four children; a fifth without a second key is the comma of a tuple of one.
    if len(keys) == 1 and (node.child_count == 4 or node.children[-2].type != ","):
        return low.expression(keys[0], depth)
    return listed(low, keys, depth)


def slice_(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`lower:upper:step`."""
    bounds: list[ir.Expression | None] = [None, None, None]
    place = 0
    for child in node.children:
        if child.type == ":":
            place = min(place + 1, 2)
        elif child.is_named and not child.is_extra:
            bounds[place] = low.expression(child, depth)
    return ir.Slice(node.start_byte - low.base, node.end_byte - low.base, *bounds)


def dotted_name(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`a.b` where the grammar allows only names."""
    return dotted(low, parts(node), node)


def dotted(low: Lowerer, names: Iterable[_Node], within: _Node) -> ir.Expression:
    """Names with dots between them."""
    value: ir.Expression | None = None
    for child in names:
        start, end = child.start_byte - low.base, child.end_byte - low.base
        text = name_of(low, child)
        value = ir.Name(start, end, text) if value is None else ir.Attribute(value.start, end, value, text)
    return missing(low, within) if value is None else value
