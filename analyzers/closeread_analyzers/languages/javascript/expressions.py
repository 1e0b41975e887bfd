"""Expressions and the patterns that stand in their place as targets: node kind -> IR."""

from __future__ import annotations

import re

import tree_sitter

from ... import ir
from ..lowering import ExpressionHandler, kind_ids, table
from .definitions import class_expression, function_expression
from .displays import array, inner, jsx, name, number_literal, object_display, spread, string, text_of, with_default
from .literals import unescaped
from .lowerer import GRAMMAR, JavaScriptLowerer, has_token, unwrapped
from .modules import required_module

_CALL = kind_ids(GRAMMAR, "call_expression")
_MEMBER = kind_ids(GRAMMAR, "member_expression")
_CHAIN = _CALL | _MEMBER | kind_ids(GRAMMAR, "subscript_expression")
_BINARY = kind_ids(GRAMMAR, "binary_expression")
_SPREAD = kind_ids(GRAMMAR, "spread_element")
_SUPER = kind_ids(GRAMMAR, "super")
_TEMPLATE = kind_ids(GRAMMAR, "template_string")

_PLAIN_NAME = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)
_SHORT_CIRCUIT = {"&&": "and", "||": "or", "??": "??"}
_COMPARISONS = frozenset(("==", "!=", "===", "!==", "<", "<=", ">", ">=", "in", "instanceof"))


# --- Names and literals ----------------------------------------------------------------------------


def _constant(value: ir.ConstantValue) -> ExpressionHandler:
    def handler(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
        return ir.Constant(node.start_byte - low.base, node.end_byte - low.base, value)

    return handler


def _regex(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`/a/g` is `new RegExp("a", "g")`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    arguments = []
    for part in (node.child_by_field_name("pattern"), node.child_by_field_name("flags")):
        if part is not None:
            at, to = part.start_byte - low.base, part.end_byte - low.base
            arguments.append(ir.Argument(at, to, ir.Constant(at, to, low.text(part))))
    return ir.Call(start, end, ir.Name(start, start, "RegExp"), arguments, new=True)


def _template(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    texts, values = _template_parts(low, node, depth)
    if not values:
        return ir.Constant(start, end, texts[0].value)
    parts: list[ir.Expression] = []
    for text, value in zip(texts, [*values, None], strict=True):
        if text.value:
            parts.append(text)
        if value is not None:
            parts.append(value)
    return ir.Template(start, end, parts)


def _template_parts(
    low: JavaScriptLowerer, node: tree_sitter.Node, depth: int
) -> tuple[list[ir.Constant], list[ir.Expression]]:
    """The literal texts (one more than values) and the values of a template."""
    texts: list[ir.Constant] = []
    values: list[ir.Expression] = []
    place = node.start_byte + 1
    for child in node.named_children:
        if child.type == "template_substitution":
            text = unescaped(low.slice(place, child.start_byte))
            texts.append(ir.Constant(place - low.base, child.start_byte - low.base, text))
            values.append(low.only(child, depth) or low.opaque(child, depth))
            place = child.end_byte
    last = max(place, node.end_byte - 1)
    texts.append(ir.Constant(place - low.base, last - low.base, unescaped(low.slice(place, last))))
    return texts, values


# --- Calls and members -----------------------------------------------------------------------------


def _chain(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`a.b(c)[d]` of any length, from the inside out."""
    links: list[tree_sitter.Node] = []
    current: tree_sitter.Node | None = node
    while current is not None and current.kind_id in _CHAIN:
        links.append(current)
        inner = current.child_by_field_name("function" if current.kind_id in _CALL else "object")
        current = unwrapped(inner) if inner is not None else None
    base = low.base
    value: ir.Expression | None = None
    if current is not None and not (current.kind_id in _SUPER or current.type == "import"):
        value = low.expression(current, depth)
    for link in reversed(links):
        start, end = link.start_byte - base, link.end_byte - base
        if value is None:
            value = _chain_start(low, link, current, depth)
            continue
        if link.kind_id in _MEMBER:
            part = link.child_by_field_name("property")
            value = ir.Attribute(start, end, value, low.identifier(part) if part is not None else "")
        elif link.kind_id in _CALL:
            module = required_module(low, link) if isinstance(value, ir.Name) and value.id == "require" else None
            if module is not None:
                value = ir.ImportExpression(start, end, module)
            else:
                value = ir.Call(start, end, value, _arguments(low, link, depth))
        else:
            value = _subscript(low, link, value, depth)
    return value if value is not None else low.opaque(node, depth)


def _chain_start(
    low: JavaScriptLowerer, link: tree_sitter.Node, head: tree_sitter.Node | None, depth: int
) -> ir.Expression:
    """`super(x)`, `super.m`, `import(x)`: calls of the base's members, and a module as a value."""
    start, end = link.start_byte - low.base, link.end_byte - low.base
    if head is None:
        return low.opaque(link, depth) if link.kind_id not in _CHAIN else ir.Opaque(start, end, "missing", [])
    at, to = head.start_byte - low.base, head.end_byte - low.base
    if head.kind_id not in _SUPER:
        module = required_module(low, link)
        if module is not None:
            return ir.ImportExpression(start, end, module)
        return ir.Call(start, end, ir.Name(at, to, "import"), _arguments(low, link, depth))
    parent = ir.Call(at, to, ir.Name(at, to, "super"), [])
    if link.kind_id in _CALL:
        return ir.Call(start, end, ir.Attribute(at, to, parent, "constructor"), _arguments(low, link, depth))
    if link.kind_id in _MEMBER:
        part = link.child_by_field_name("property")
        return ir.Attribute(start, end, parent, low.identifier(part) if part is not None else "")
    return _subscript(low, link, parent, depth)


def _subscript(low: JavaScriptLowerer, node: tree_sitter.Node, value: ir.Expression, depth: int) -> ir.Expression:
    """`a["b"]` is `a.b`; all else is a `Subscript`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    key = low.field(node, "index", depth)
    if isinstance(key, ir.Constant) and isinstance(key.value, str) and _PLAIN_NAME.fullmatch(key.value):
        return ir.Attribute(start, end, value, key.value)
    return ir.Subscript(start, end, value, key)


def _arguments(low: JavaScriptLowerer, call: tree_sitter.Node, depth: int) -> list[ir.Argument]:
    node = call.child_by_field_name("arguments")
    if node is None:
        return []
    if node.kind_id in _TEMPLATE:  # tag`a${b}` is tag(["a", ""], b)
        start, end = node.start_byte - low.base, node.end_byte - low.base
        texts, values = _template_parts(low, node, depth)
        strings = ir.Argument(start, end, ir.Sequence(start, end, "list", list(texts)))
        return [strings, *(ir.Argument(value.start, value.end, value) for value in values)]
    arguments = []
    for child in node.named_children:
        if child.is_extra:
            continue
        start, end = child.start_byte - low.base, child.end_byte - low.base
        if child.kind_id in _SPREAD:
            value = low.only(child, depth) or low.opaque(child, depth)
            arguments.append(ir.Argument(start, end, value, spread="*"))
        else:
            arguments.append(ir.Argument(start, end, low.expression(child, depth)))
    return arguments


def _new(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    callee = low.field(node, "constructor", depth)
    start, end = node.start_byte - low.base, node.end_byte - low.base
    return ir.Call(start, end, callee, _arguments(low, node, depth), new=True)


# --- Operators -------------------------------------------------------------------------------------


def _binary(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`a + b + c ...` of any length, from the left."""
    spine: list[tree_sitter.Node] = []
    current: tree_sitter.Node | None = node
    while current is not None and current.kind_id in _BINARY:
        spine.append(current)
        left = current.child_by_field_name("left")
        current = unwrapped(left) if left is not None else None
    value = low.expression(current, depth) if current is not None else low.field(node, "left", depth)
    start = node.start_byte - low.base
    for link in reversed(spine):
        start, end = link.start_byte - low.base, link.end_byte - low.base
        sign = link.child_by_field_name("operator")
        operator = sign.type if sign is not None else "+"
        right = low.field(link, "right", depth)
        value = _operation(start, end, operator, value, right)
    return value


def _operation(start: int, end: int, operator: str, left: ir.Expression, right: ir.Expression) -> ir.Expression:
    if operator in _SHORT_CIRCUIT:
        word = _SHORT_CIRCUIT[operator]
        if isinstance(left, ir.Boolean) and left.operator == word:
            left.operands.append(right)  # this spine made it a moment ago, or the parentheses change nothing
            left.end = end
            return left
        return ir.Boolean(start, end, word, [left, right])
    if operator in _COMPARISONS:
        return ir.Comparison(start, end, operator, left, right)
    return ir.Binary(start, end, operator, left, right)


def _unary(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    sign = node.child_by_field_name("operator")
    operator = sign.type if sign is not None else "+"
    operand = low.field(node, "argument", depth)
    word = "not" if operator == "!" else operator
    return ir.Unary(node.start_byte - low.base, node.end_byte - low.base, word, operand)


def _ternary(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    return ir.Conditional(
        node.start_byte - low.base,
        node.end_byte - low.base,
        low.field(node, "condition", depth),
        low.field(node, "consequence", depth),
        low.field(node, "alternative", depth),
    )


def _parenthesized(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    inner = unwrapped(node)
    return low.opaque(node, depth) if inner is node else low.expression(inner, depth)


def _comma(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`a, b`: the last of a tuple, so that all are evaluated and the last is the value."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    items = [low.expression(child, depth) for child in node.named_children if not child.is_extra]
    if len(items) == 1:
        return items[0]
    return ir.Subscript(start, end, ir.Sequence(start, end, "tuple", items), ir.Constant(end, end, -1))


def _assignment(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    target = low.field(node, "left", depth)
    value = named(low.field(node, "right", depth), target)
    return ir.Bind(node.start_byte - low.base, node.end_byte - low.base, target, value)


def augmented_parts(
    low: JavaScriptLowerer, node: tree_sitter.Node, depth: int
) -> tuple[str, ir.Expression, ir.Expression]:
    """(operator without `=`, target, value) of `a += b`, `a ||= b`, `a++`."""
    sign = node.child_by_field_name("operator")
    operator = sign.type if sign is not None else "+="
    if operator in ("++", "--"):
        end = node.end_byte - low.base
        return operator[0], low.field(node, "argument", depth), ir.Constant(end, end, 1)
    operator = operator.removesuffix("=")
    word = _SHORT_CIRCUIT.get(operator, operator)
    return word, low.field(node, "left", depth), low.field(node, "right", depth)


def _augmented(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`a += b` in an expression: a `Bind` of the operation. The target is read and written by one node."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    operator, target, value = augmented_parts(low, node, depth)
    if operator in _SHORT_CIRCUIT.values():
        result: ir.Expression = ir.Boolean(start, end, operator, [target, value])
    else:
        result = ir.Binary(start, end, operator, target, value)
    return ir.Bind(start, end, target, result)


def named(value: ir.Expression, target: ir.Expression) -> ir.Expression:
    """`value`; a function or class without a name gets that of the variable or member it is assigned to."""
    name = target.id if isinstance(target, ir.Name) else target.name if isinstance(target, ir.Attribute) else ""
    if isinstance(value, ir.FunctionExpression) and not value.function.name:
        value.function.name = name
    elif isinstance(value, ir.ClassExpression) and not value.definition.name:
        value.definition.name = name
    return value


def _await(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    value = low.only(node, depth) or low.opaque(node, depth)
    return ir.Await(node.start_byte - low.base, node.end_byte - low.base, value)


def _yield(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    value = low.only(node, depth)
    return ir.Yield(node.start_byte - low.base, node.end_byte - low.base, value, has_token(node, "*"))


def _opaque(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    return low.opaque(node, depth)


_HANDLERS: dict[str, ExpressionHandler] = {
    "identifier": name,
    "this": name,
    "shorthand_property_identifier": name,
    "shorthand_property_identifier_pattern": name,
    "property_identifier": text_of,
    "private_property_identifier": text_of,
    "null": _constant(None),
    "undefined": _constant(None),
    "true": _constant(True),
    "false": _constant(False),
    "string": string,
    "number": number_literal,
    "regex": _regex,
    "template_string": _template,
    "call_expression": _chain,
    "member_expression": _chain,
    "subscript_expression": _chain,
    "new_expression": _new,
    "binary_expression": _binary,
    "unary_expression": _unary,
    "ternary_expression": _ternary,
    "parenthesized_expression": _parenthesized,
    "sequence_expression": _comma,
    "assignment_expression": _assignment,
    "augmented_assignment_expression": _augmented,
    "update_expression": _augmented,
    "await_expression": _await,
    "yield_expression": _yield,
    "arrow_function": function_expression,
    "function_expression": function_expression,
    "generator_function": function_expression,
    "function_declaration": function_expression,  # in broken code only, as are the next two
    "generator_function_declaration": function_expression,
    "class_declaration": class_expression,
    "class": class_expression,
    "method_definition": function_expression,  # in broken code only: outside a class or an object
    "computed_property_name": inner,
    "array": array,
    "array_pattern": array,
    "object": object_display,
    "object_pattern": object_display,
    "object_assignment_pattern": with_default,
    "assignment_pattern": with_default,
    "spread_element": spread,
    "rest_pattern": spread,
    "jsx_element": jsx,
    "jsx_self_closing_element": jsx,
    "jsx_expression": inner,
}

EXPRESSIONS = table(GRAMMAR, _HANDLERS, _opaque)
