"""Functions, lambdas and classes. A decorated definition begins at its first decorator; type parameters are dropped."""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import Lowerer
from .chains import call_arguments
from .grammar import BODY, DEFINITION, NAME, PARAMETERS, RETURN_TYPE, SUPERCLASSES, TYPE, VALUE, kinds
from .tree import block, fragments, is_async, name_of, optional, parts, required

_Node = tree_sitter.Node
_Out = list[ir.Statement]

_SPLAT = kinds("list_splat", "list_splat_pattern")
_DOUBLE_SPLAT = kinds("dictionary_splat", "dictionary_splat_pattern")
_IDENTIFIER = kinds("identifier")
_SEPARATOR = kinds("positional_separator", "keyword_separator")
_POSITIONAL_SEPARATOR = kinds("positional_separator")
_TUPLE_PATTERN = kinds("tuple_pattern")
_CLASS = kinds("class_definition")
_DECORATED = kinds("decorated_definition")
_DECORATOR = kinds("decorator")
_FUNCTION = kinds("function_definition")


def definition_of(node: _Node) -> _Node | None:
    """The function or class that a node defines, without its decorators; None if it defines none."""
    kind = node.kind_id
    if kind in _DECORATED:
        inner = node.child_by_field_id(DEFINITION)
        return inner if inner is not None and (inner.kind_id in _FUNCTION or inner.kind_id in _CLASS) else None
    return node if kind in _FUNCTION or kind in _CLASS else None


def definition(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """A function or class, with or without decorators."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    inner = definition_of(node)
    if inner is None:
        fragments(low, node, depth, out)
    elif inner.kind_id in _FUNCTION:
        low.take_scope()
        out.append(ir.FunctionDefinition(start, end, _function(low, node, depth)))
    else:
        out.append(ir.ClassDefinition(start, end, _class(low, node, inner, depth)))


def _decorators(low: Lowerer, node: _Node, depth: int) -> list[ir.Expression]:
    if node.kind_id not in _DECORATED:
        return []
    return [
        required(low, next(iter(parts(child)), None), depth, child)
        for child in node.named_children
        if child.kind_id in _DECORATOR
    ]


def _defined(low: Lowerer, node: _Node) -> str:
    name = node.child_by_field_id(NAME)
    return "" if name is None else name_of(low, name)


def _function(low: Lowerer, node: _Node, depth: int) -> ir.Function:
    inner = definition_of(node) or node
    start, end = node.start_byte - low.base, node.end_byte - low.base
    decorators = _decorators(low, node, depth)
    given = inner.child_by_field_id(PARAMETERS)
    parameters = [] if given is None else function_parameters(low, given, depth)
    returns = optional(low, inner.child_by_field_id(RETURN_TYPE), depth)
    outer, low.yields = low.yields, False
    statements = block(low, inner.child_by_field_id(BODY), depth)
    generator, low.yields = low.yields, outer
    return ir.Function(
        start, end, _defined(low, inner), parameters, statements, decorators, returns, is_async(inner), generator
    )


def _class(low: Lowerer, node: _Node, inner: _Node, depth: int) -> ir.Class:
    qualified = low.take_scope()
    start, end = node.start_byte - low.base, node.end_byte - low.base
    decorators = _decorators(low, node, depth)
    given = inner.child_by_field_id(SUPERCLASSES)
    bases = [] if given is None else call_arguments(low, given, depth)
    members = inner.child_by_field_id(BODY)
    if qualified and members is not None:
        statements = _members(low, members, depth, qualified)
    else:
        statements = block(low, members, depth)
    return ir.Class(start, end, _defined(low, inner), bases, statements, decorators)


def _members(low: Lowerer, body: _Node, depth: int, qualified: str) -> _Out:
    """The body of a class that is a unit: its methods, and those of classes in it, are units too."""
    out: _Out = []
    for child in body.named_children:
        inner = definition_of(child)
        name = "" if inner is None else _defined(low, inner)
        if inner is None or not name:
            low.statement(child, depth, out)
            continue
        full = low.qualify(f"{qualified}.{name}")
        if inner.kind_id in _FUNCTION:
            function = low.method(child, full, depth, lambda method, at: _function(low, method, at))
            out.append(ir.FunctionDefinition(child.start_byte - low.base, child.end_byte - low.base, function))
        else:
            low.scope = full
            low.statement(child, depth, out)
            low.scope = ""
    return out


def lambda_(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """A lambda: its body is one `Return`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    given = node.child_by_field_id(PARAMETERS)
    parameters = [] if given is None else function_parameters(low, given, depth)
    outer, low.yields = low.yields, False
    value = required(low, node.child_by_field_id(BODY), depth, node)
    generator, low.yields = low.yields, outer
    function = ir.Function(
        start,
        end,
        "",
        parameters,
        [ir.Return(value.start, value.end, value)],
        is_generator=generator,
        is_lambda=True,
    )
    return ir.FunctionExpression(start, end, function)


def function_parameters(low: Lowerer, node: _Node, depth: int) -> list[ir.Parameter]:
    """The parameters of a function or lambda."""
    found: list[ir.Parameter] = []
    kind = "positional"
    for child in node.named_children:
        if child.kind_id in _SEPARATOR:
            if child.kind_id in _POSITIONAL_SEPARATOR:
                for earlier in found:
                    earlier.kind = "only-positional"
            else:
                kind = "only-keyword"
            continue
        if child.is_extra or child.is_error:
            continue
        parameter = _parameter(low, child, kind, depth)
        if parameter.kind == "*":
            kind = "only-keyword"
        found.append(parameter)
    return found


def _parameter(low: Lowerer, node: _Node, kind: str, depth: int) -> ir.Parameter:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    if node.kind_id in _IDENTIFIER:
        return ir.Parameter(start, end, name_of(low, node), kind)
    default = optional(low, node.child_by_field_id(VALUE), depth)
    annotation = optional(low, node.child_by_field_id(TYPE), depth)
    named: _Node | None = node.child_by_field_id(NAME) or node
    while named is not None and named.kind_id not in _IDENTIFIER:
        if named.kind_id in _SPLAT:
            kind = "*"
        elif named.kind_id in _DOUBLE_SPLAT:
            kind = "**"
        elif named.kind_id in _TUPLE_PATTERN:  # Python 2: def f((a, b))
            return ir.Parameter(start, end, "", kind, default, annotation, low.expression(named, depth))
        named = next(iter(parts(named)), None)
    return ir.Parameter(start, end, "" if named is None else name_of(low, named), kind, default, annotation)
