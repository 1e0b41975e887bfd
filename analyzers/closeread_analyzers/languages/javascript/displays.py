"""Names, literals, displays, patterns and JSX: the expressions that are made of a list of things."""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import kind_ids
from .definitions import function_expression
from .literals import number
from .lowerer import GRAMMAR, JavaScriptLowerer, first_child, has_token
from .modules import string_value

_SPREAD = kind_ids(GRAMMAR, "spread_element")
_REST = kind_ids(GRAMMAR, "rest_pattern")
_STRING = kind_ids(GRAMMAR, "string")
_NUMBER = kind_ids(GRAMMAR, "number")
_COMPUTED = kind_ids(GRAMMAR, "computed_property_name")
_SHORTHAND = kind_ids(GRAMMAR, "shorthand_property_identifier", "shorthand_property_identifier_pattern")
_DEFAULTED_SHORTHAND = kind_ids(GRAMMAR, "object_assignment_pattern")
_PAIR = kind_ids(GRAMMAR, "pair", "pair_pattern")
_METHOD = kind_ids(GRAMMAR, "method_definition")
_JSX_ELEMENT = kind_ids(GRAMMAR, "jsx_element", "jsx_self_closing_element", "jsx_opening_element")
_JSX_ATTRIBUTE = kind_ids(GRAMMAR, "jsx_attribute")
_JSX_OPENING = kind_ids(GRAMMAR, "jsx_opening_element")
_JSX_EXPRESSION = kind_ids(GRAMMAR, "jsx_expression")
_HOLE = "<hole>"


# --- Names and literals ----------------------------------------------------------------------------


def name(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """A variable, `this`, or the short form of a property."""
    return ir.Name(node.start_byte - low.base, node.end_byte - low.base, low.identifier(node))


def string(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """A string literal."""
    return ir.Constant(node.start_byte - low.base, node.end_byte - low.base, string_value(low, node))


def text_of(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """A node as the text that it is: the key `a` of `{a: b}`."""
    return ir.Constant(node.start_byte - low.base, node.end_byte - low.base, low.text(node))


def number_literal(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """A number."""
    return ir.Constant(node.start_byte - low.base, node.end_byte - low.base, number(low.text(node)))


# --- Displays and patterns -------------------------------------------------------------------------


def array(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`[a, , ...b]`, as a value and as a target; a hole is undefined, or a name that nothing reads."""
    is_target = node.type == "array_pattern"
    items: list[ir.Expression] = []
    after_comma = True
    for child in node.children:
        if child.is_extra or child.type in ("[", "]"):
            continue
        if child.type == ",":
            if after_comma:
                at = child.start_byte - low.base
                items.append(ir.Name(at, at, _HOLE) if is_target else ir.Constant(at, at, None))
            after_comma = True
            continue
        after_comma = False
        items.append(low.expression(child, depth))
    return ir.Sequence(node.start_byte - low.base, node.end_byte - low.base, "list", items)


def spread(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`...a`, in a value and in a pattern."""
    value = low.only(node, depth) or low.opaque(node, depth)
    return ir.Spread(node.start_byte - low.base, node.end_byte - low.base, value)


def with_default(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`a = 1` in a pattern."""
    target, default = low.field(node, "left", depth), low.field(node, "right", depth)
    return ir.WithDefault(node.start_byte - low.base, node.end_byte - low.base, target, default)


def object_display(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`{a, b: c, d() {}, ...e}`, as a value and as a target."""
    entries: list[tuple[ir.Expression | None, ir.Expression]] = []
    for child in node.named_children:
        if child.is_extra:
            continue
        kind = child.kind_id
        if kind in _SHORTHAND:
            entries.append((text_of(low, child, depth), name(low, child, depth)))
        elif kind in _PAIR:
            key_node = child.child_by_field_name("key")
            key = _key(low, key_node, depth) if key_node is not None else None
            value = low.field(child, "value", depth)
            if isinstance(value, ir.FunctionExpression) and isinstance(key, ir.Constant) and not value.function.name:
                value.function.name = str(key.value)
            entries.append((key, value))
        elif kind in _METHOD:
            entries.append(_object_method(low, child, depth))
        elif kind in _SPREAD or kind in _REST:
            entries.append((None, low.only(child, depth) or low.opaque(child, depth)))
        elif kind in _DEFAULTED_SHORTHAND:
            left = child.child_by_field_name("left")
            key = text_of(low, left, depth) if left is not None else None
            entries.append((key, low.expression(child, depth)))
        else:
            entries.append((None, low.expression(child, depth)))
    return ir.Mapping(node.start_byte - low.base, node.end_byte - low.base, entries)


def _key(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    if node.kind_id in _STRING:
        return string(low, node, depth)
    if node.kind_id in _NUMBER:
        return number_literal(low, node, depth)
    if node.kind_id in _COMPUTED:
        return inner(low, node, depth)
    return text_of(low, node, depth)


def _object_method(
    low: JavaScriptLowerer, node: tree_sitter.Node, depth: int
) -> tuple[ir.Expression | None, ir.Expression]:
    """A getter is the value that it returns; a setter stands under "set name"."""
    name = node.child_by_field_name("name")
    key = _key(low, name, depth) if name is not None else None
    value = function_expression(low, node, depth)
    if has_token(node, "get"):
        value = ir.Call(value.start, value.end, value, [])
    elif has_token(node, "set") and isinstance(key, ir.Constant) and isinstance(key.value, str):
        key = ir.Constant(key.start, key.end, f"set {key.value}")
    return key, value


# --- JSX -------------------------------------------------------------------------------------------


def jsx(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """An `Opaque` of the attributes (a `Mapping`, so that their names stay visible) and the content."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    children: list[ir.Expression] = []
    attributes: list[tuple[ir.Expression | None, ir.Expression]] = []
    opening = next((child for child in node.named_children if child.kind_id in _JSX_OPENING), node)
    for child in opening.named_children if opening is not node else node.named_children:
        if child.kind_id in _JSX_ATTRIBUTE:
            attributes.append(_jsx_attribute(low, child, depth))
        elif child.kind_id in _JSX_EXPRESSION:
            spread = first_child(child)
            inner = first_child(spread) if spread is not None and spread.kind_id in _SPREAD else spread
            if inner is not None:
                attributes.append((None, low.expression(inner, depth)))
    if attributes:
        children.append(ir.Mapping(opening.start_byte - low.base, opening.end_byte - low.base, attributes))
    if opening is not node:
        for child in node.named_children:
            if child.kind_id in _JSX_EXPRESSION or child.kind_id in _JSX_ELEMENT:
                if child.kind_id not in _JSX_OPENING:
                    children.append(low.expression(child, depth))
            elif child.is_error:
                children.append(low.opaque(child, depth))
    return ir.Opaque(start, end, "jsx", children)


def _jsx_attribute(
    low: JavaScriptLowerer, node: tree_sitter.Node, depth: int
) -> tuple[ir.Expression | None, ir.Expression]:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    parts = [child for child in node.named_children if not child.is_extra]
    key = ir.Constant(start, end, low.text(parts[0])) if parts else None
    if len(parts) < 2:
        return key, ir.Constant(end, end, True)
    if parts[1].kind_id in _STRING:
        return key, string(low, parts[1], depth)
    return key, low.expression(parts[1], depth)


def inner(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`[x]` as a name, `{x}` in JSX, where it may be empty."""
    return low.only(node, depth) or ir.Constant(node.start_byte - low.base, node.end_byte - low.base, None)
