"""Python's operators, displays and other expressions, and the table of them all.

Simplifications: parentheses vanish; a chained comparison is an "and" of its links, whose shared operands are
the same node.
"""

from __future__ import annotations

from typing import Literal

import tree_sitter

from ... import ir
from ..lowering import ExpressionHandler, Lowerer, table
from .annotations import generic_type, member_type, union_type
from .chains import chain, dotted_name, name, slice_
from .definitions import lambda_
from .grammar import ALIAS, ARGUMENT, BODY, GRAMMAR, KEY, LEFT, NAME, OPERATOR, RIGHT, VALUE, kinds
from .literals import concatenated, integer, string
from .tree import first_child, inner, is_async, listed, missing, parts, required

_Node = tree_sitter.Node

_BINARY = kinds("binary_operator")
_BOOLEAN = kinds("boolean_operator")
_DOUBLE_SPLAT = kinds("dictionary_splat", "dictionary_splat_pattern")
_PAIR = kinds("pair")
_FOR_IN = kinds("for_in_clause")
_IF_CLAUSE = kinds("if_clause")
_TUPLE_PATTERN = kinds("tuple_pattern")


def binary(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`a + b + c`: along its left side in a loop."""
    spine = [node]
    head = node.child_by_field_id(LEFT)
    while head is not None and head.kind_id in _BINARY:
        spine.append(head)
        head = head.child_by_field_id(LEFT)
    start = node.start_byte - low.base
    value = required(low, head, depth, node)
    while spine:
        link = spine.pop()
        operator = link.child_by_field_id(OPERATOR)
        right = required(low, link.child_by_field_id(RIGHT), depth, link)
        value = ir.Binary(start, link.end_byte - low.base, operator.type if operator else "+", value, right)
    return value


def boolean(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`a and b and c`: one node for a run of the same operator."""
    operator = _word(node)
    spine = [node]
    head = node.child_by_field_id(LEFT)
    while head is not None and head.kind_id in _BOOLEAN and _word(head) == operator:
        spine.append(head)
        head = head.child_by_field_id(LEFT)
    operands = [required(low, head, depth, node)]
    while spine:
        link = spine.pop()
        operands.append(required(low, link.child_by_field_id(RIGHT), depth, link))
    return ir.Boolean(node.start_byte - low.base, node.end_byte - low.base, operator, operands)


def _word(node: _Node) -> str:
    operator = node.child_by_field_id(OPERATOR)
    return "and" if operator is None else operator.type


def comparison(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`a < b`, and `a < b < c` as `a < b and b < c`."""
    operands: list[ir.Expression] = []
    operators: list[str] = []
    for child in node.children:
        if not child.is_named:
            operators.append("!=" if child.type == "<>" else child.type)
        elif not child.is_extra:
            operands.append(low.expression(child, depth))
    links: list[ir.Expression] = [
        ir.Comparison(left.start, right.end, operator, left, right)
        for operator, left, right in zip(operators, operands, operands[1:], strict=False)
    ]
    if len(links) == 1:
        return links[0]
    start, end = node.start_byte - low.base, node.end_byte - low.base
    return ir.Boolean(start, end, "and", links) if links else ir.Opaque(start, end, "comparison", operands)


def unary(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`-a`, `not a`."""
    operator = first_child(node)
    operand = required(low, node.child_by_field_id(ARGUMENT), depth, node)
    start, end = node.start_byte - low.base, node.end_byte - low.base
    return ir.Unary(start, end, operator.type if operator else "-", operand)


def conditional(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`then if test else otherwise`."""
    inner = parts(node)
    if len(inner) != 3:
        return low.opaque(node, depth)
    then, test, otherwise = (low.expression(child, depth) for child in inner)
    return ir.Conditional(node.start_byte - low.base, node.end_byte - low.base, test, then, otherwise)


def _items(low: Lowerer, node: _Node, depth: int) -> list[ir.Expression]:
    return [low.expression(child, depth) for child in node.named_children if not child.is_extra]


def list_(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """A list display or target."""
    return ir.Sequence(node.start_byte - low.base, node.end_byte - low.base, "list", _items(low, node, depth))


def tuple_(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """A tuple, with or without parentheses. `(a)` as a target is `a`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    items = _items(low, node, depth)
    if len(items) == 1 and node.kind_id in _TUPLE_PATTERN and node.child_count == 3:
        return items[0]
    return ir.Sequence(start, end, "tuple", items)


def set_(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """A set display."""
    return ir.Sequence(node.start_byte - low.base, node.end_byte - low.base, "set", _items(low, node, depth))


def dictionary(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """A dict display."""
    entries: list[tuple[ir.Expression | None, ir.Expression]] = []
    for child in node.named_children:
        if child.kind_id in _PAIR:
            key = required(low, child.child_by_field_id(KEY), depth, child)
            entries.append((key, required(low, child.child_by_field_id(VALUE), depth, child)))
        elif child.kind_id in _DOUBLE_SPLAT:
            entries.append((None, inner(low, child, depth)))
        elif not child.is_extra:
            entries.append((None, low.expression(child, depth)))
    return ir.Mapping(node.start_byte - low.base, node.end_byte - low.base, entries)


def splat(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`*value`."""
    return ir.Spread(node.start_byte - low.base, node.end_byte - low.base, inner(low, node, depth))


def comprehension(
    kind: Literal["list", "set", "dict", "generator"],
) -> ExpressionHandler:
    """The handler of comprehensions of this kind."""

    def handler(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
        body = node.child_by_field_id(BODY)
        clauses: list[ir.Clause] = []
        for child in node.named_children:
            if child.kind_id in _FOR_IN:
                clauses.append(_clause(low, child, depth))
            elif child.kind_id in _IF_CLAUSE and clauses:
                clauses[-1].conditions.append(inner(low, child, depth))
                clauses[-1].end = child.end_byte - low.base
        key: ir.Expression | None = None
        if body is not None and body.kind_id in _PAIR:
            key = required(low, body.child_by_field_id(KEY), depth, body)
            element = required(low, body.child_by_field_id(VALUE), depth, body)
        else:
            element = required(low, body, depth, node)
        return ir.Comprehension(node.start_byte - low.base, node.end_byte - low.base, kind, element, key, clauses)

    return handler


def _clause(low: Lowerer, node: _Node, depth: int) -> ir.Clause:
    target = required(low, node.child_by_field_id(LEFT), depth, node)
    sources = [low.expression(child, depth) for child in node.children_by_field_name("right") if child.is_named]
    iterable: ir.Expression
    if len(sources) == 1:
        iterable = sources[0]
    elif sources:  # Python 2: `for x in 1, 2`
        iterable = ir.Sequence(sources[0].start, sources[-1].end, "tuple", sources)
    else:
        iterable = missing(low, node)
    return ir.Clause(node.start_byte - low.base, node.end_byte - low.base, target, iterable, [], is_async(node))


def walrus(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`name := value`."""
    target = required(low, node.child_by_field_id(NAME), depth, node)
    value = required(low, node.child_by_field_id(VALUE), depth, node)
    return ir.Bind(node.start_byte - low.base, node.end_byte - low.base, target, value)


def await_(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`await value`."""
    return ir.Await(node.start_byte - low.base, node.end_byte - low.base, inner(low, node, depth))


def yield_(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`yield value`, `yield from value`."""
    low.yields = True
    children = parts(node)
    value: ir.Expression | None = None
    if len(children) == 1:
        value = low.expression(children[0], depth)
    elif children:
        value = listed(low, children, depth)
    delegate = any(child.type == "from" for child in node.children)
    return ir.Yield(node.start_byte - low.base, node.end_byte - low.base, value, delegate)


def as_pattern(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`value as target` where a statement did not take it apart."""
    value = _first(low, node, depth)
    target = node.child_by_field_id(ALIAS)
    if target is None:
        return value
    bound = low.expression(target, depth)
    return ir.Bind(node.start_byte - low.base, node.end_byte - low.base, bound, value)


def _first(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    return required(low, next(iter(parts(node)), None), depth, node)


def constant(value: bool | None) -> ExpressionHandler:
    """The handler of a word that is a constant."""

    def handler(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
        return ir.Constant(node.start_byte - low.base, node.end_byte - low.base, value)

    return handler


_HANDLERS: dict[str, ExpressionHandler] = {
    "identifier": name,
    "attribute": chain,
    "call": chain,
    "subscript": chain,
    "slice": slice_,
    "string": string,
    "concatenated_string": concatenated,
    "integer": integer,
    "float": integer,
    "true": constant(True),
    "false": constant(False),
    "none": constant(None),
    "ellipsis": constant(None),
    "binary_operator": binary,
    "boolean_operator": boolean,
    "comparison_operator": comparison,
    "unary_operator": unary,
    "not_operator": unary,
    "conditional_expression": conditional,
    "list": list_,
    "list_pattern": list_,
    "tuple": tuple_,
    "tuple_pattern": tuple_,
    "pattern_list": tuple_,
    "expression_list": tuple_,
    "set": set_,
    "dictionary": dictionary,
    "list_splat": splat,
    "list_splat_pattern": splat,
    "dictionary_splat": splat,
    "splat_type": splat,
    "parenthesized_list_splat": inner,
    "parenthesized_expression": inner,
    "list_comprehension": comprehension("list"),
    "set_comprehension": comprehension("set"),
    "dictionary_comprehension": comprehension("dict"),
    "generator_expression": comprehension("generator"),
    "lambda": lambda_,
    "named_expression": walrus,
    "await": await_,
    "yield": yield_,
    "as_pattern": as_pattern,
    "as_pattern_target": inner,
    "type": inner,
    "generic_type": generic_type,
    "union_type": union_type,
    "member_type": member_type,
    "dotted_name": dotted_name,
}


EXPRESSIONS: dict[int, ExpressionHandler] = table(GRAMMAR, _HANDLERS, Lowerer.opaque)
