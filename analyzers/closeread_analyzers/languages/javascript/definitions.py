"""Functions, parameters and classes."""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import kind_ids
from .lowerer import BLOCK, GRAMMAR, JavaScriptLowerer, has_token

_METHOD = kind_ids(GRAMMAR, "method_definition")
_FIELD = kind_ids(GRAMMAR, "field_definition")
_STATIC_BLOCK = kind_ids(GRAMMAR, "class_static_block")
_GENERATOR = kind_ids(GRAMMAR, "generator_function", "generator_function_declaration")
_HERITAGE = kind_ids(GRAMMAR, "class_heritage")
_DECORATOR = kind_ids(GRAMMAR, "decorator")
_REST = kind_ids(GRAMMAR, "rest_pattern")
_DEFAULT = kind_ids(GRAMMAR, "assignment_pattern")
_IDENTIFIER = kind_ids(GRAMMAR, "identifier")
_COMPUTED = kind_ids(GRAMMAR, "computed_property_name")
_STRING = kind_ids(GRAMMAR, "string")


def function_statement(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """`function f() {}`."""
    function = function_of(low, node, depth)
    out.append(ir.FunctionDefinition(function.start, function.end, function))


def function_expression(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`x => y`, `function () {}`, and a method of an object literal."""
    function = function_of(low, node, depth)
    function.is_lambda = True
    return ir.FunctionExpression(function.start, function.end, function)


def function_of(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Function:
    """Any function-like node."""
    low.take_scope()
    state = low.in_function, low.in_switch, low.switch_left
    low.in_function, low.in_switch = True, False
    start, end = node.start_byte - low.base, node.end_byte - low.base
    name = node.child_by_field_name("name")
    single = node.child_by_field_name("parameter")
    if single is not None:
        parameters = [_parameter(low, single, depth)]
    else:
        listed = node.child_by_field_name("parameters")
        nodes = listed.named_children if listed is not None else []
        parameters = [_parameter(low, child, depth) for child in nodes if not child.is_extra]
    body_node = node.child_by_field_name("body")
    body: list[ir.Statement]
    if body_node is None:
        body = []
    elif body_node.kind_id in BLOCK:
        body = low.body(body_node.named_children, depth)
    else:
        value = low.expression(body_node, depth)
        body = [ir.Return(value.start, value.end, value)]
    low.in_function, low.in_switch, low.switch_left = state
    return ir.Function(
        start,
        end,
        property_name(low, name) if name is not None else "",
        parameters,
        body,
        is_async=has_token(node, "async"),
        is_generator=node.kind_id in _GENERATOR or (node.kind_id in _METHOD and has_token(node, "*")),
    )


def _parameter(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Parameter:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    kind, default = "positional", None
    if node.kind_id in _REST:
        kind = "*"
        node = next((child for child in node.named_children if not child.is_extra), node)
    elif node.kind_id in _DEFAULT:
        default = low.field(node, "right", depth)
        node = node.child_by_field_name("left") or node
    if node.kind_id in _IDENTIFIER:
        return ir.Parameter(start, end, low.identifier(node), kind, default)
    return ir.Parameter(start, end, "", kind, default, pattern=low.expression(node, depth))


def property_name(low: JavaScriptLowerer, node: tree_sitter.Node) -> str:
    """The name of a method or field; a computed one is its source text."""
    if node.kind_id in _STRING:
        return low.slice(node.start_byte + 1, node.end_byte - 1)
    return low.identifier(node)


# --- Classes ---------------------------------------------------------------------------------------


def class_statement(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """`class C {}`."""
    definition = _class(low, node, depth)
    out.append(ir.ClassDefinition(definition.start, definition.end, definition))


def class_expression(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Expression:
    """`x = class {}`."""
    definition = _class(low, node, depth)
    return ir.ClassExpression(definition.start, definition.end, definition)


def _class(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Class:
    scope = low.take_scope()
    bases: list[ir.Argument] = []
    decorators: list[ir.Expression] = []
    for child in node.named_children:
        if child.kind_id in _HERITAGE:
            base = low.only(child, depth)
            if base is not None:
                bases.append(ir.Argument(base.start, base.end, base))
        elif child.kind_id in _DECORATOR:
            decorators.extend(_decorator(low, child, depth))
    name = node.child_by_field_name("name")
    members = node.child_by_field_name("body")
    body: list[ir.Statement] = []
    for member in members.named_children if members is not None else []:
        if not member.is_extra:
            _member(low, member, depth, scope, body)
    return ir.Class(
        node.start_byte - low.base,
        node.end_byte - low.base,
        low.identifier(name) if name is not None else "",
        bases,
        body,
        decorators,
    )


def _member(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, scope: str, out: list[ir.Statement]) -> None:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    if node.kind_id in _METHOD:
        if scope:
            name_node = node.child_by_field_name("name")
            name = property_name(low, name_node) if name_node is not None else ""
            function = low.method(node, low.qualify(f"{scope}.{name}"), depth, lambda at, d: _method(low, at, d))
        else:
            function = _method(low, node, depth)
        out.append(ir.FunctionDefinition(start, end, function))
    elif node.kind_id in _FIELD:
        _field(low, node, depth, out)
    elif node.kind_id in _STATIC_BLOCK:
        out.extend(low.branch(node.child_by_field_name("body"), depth))
    elif node.kind_id not in _DECORATOR:
        low.statement(node, depth, out)


def _field(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    name, value = node.child_by_field_name("property"), node.child_by_field_name("value")
    if name is None:
        return
    start, end = name.start_byte - low.base, name.end_byte - low.base
    target: ir.Expression = ir.Name(start, end, property_name(low, name))
    if name.kind_id in _COMPUTED:
        target = ir.Subscript(start, end, ir.Name(start, end, "this"), low.expression(name, depth))
    lowered = low.expression(value, depth) if value is not None else None
    if isinstance(lowered, ir.FunctionExpression) and not lowered.function.name:
        lowered.function.name = property_name(low, name)
    out.append(ir.Assign(node.start_byte - low.base, node.end_byte - low.base, [target], lowered))


def _method(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Function:
    function = function_of(low, node, depth)
    start = function.start
    if has_token(node, "static"):
        function.decorators.append(ir.Name(start, start, "staticmethod"))
    else:
        function.parameters.insert(0, ir.Parameter(start, start, "this"))
    if has_token(node, "get"):
        function.decorators.append(ir.Name(start, start, "property"))
    elif has_token(node, "set"):
        owner = ir.Name(start, start, function.name)
        function.decorators.append(ir.Attribute(start, start, owner, "setter"))
    for child in node.named_children:
        if child.kind_id in _DECORATOR:
            function.decorators.extend(_decorator(low, child, depth))
    return function


def _decorator(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> list[ir.Expression]:
    lowered = low.only(node, depth)
    return [] if lowered is None else [lowered]
