"""Python's `match` statement and its patterns."""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import MAX_DEPTH, Lowerer
from .chains import dotted
from .grammar import BODY, CONSEQUENCE, GUARD, KEY, SUBJECT, VALUE, kinds
from .tree import block, first_child, first_named, listed, missing, name_of, parts, required

_Node = tree_sitter.Node

_AS = kinds("as_pattern")
_BLOCK = kinds("block")
_CASE = kinds("case_clause")
_CASE_PATTERN = kinds("case_pattern")
_CLASS = kinds("class_pattern")
_COMPLEX = kinds("complex_pattern")
_DICT = kinds("dict_pattern")
_DOTTED = kinds("dotted_name")
_IDENTIFIER = kinds("identifier")
_KEYWORD = kinds("keyword_pattern")
_LIST = kinds("list_pattern")
_SPLAT = kinds("splat_pattern", "list_splat_pattern")
_TUPLE = kinds("tuple_pattern")
_UNION = kinds("union_pattern")


def match(low: Lowerer, node: _Node, depth: int, out: list[ir.Statement]) -> None:
    """`match subject: case ...`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    subjects = node.children_by_field_id(SUBJECT)
    if len(subjects) == 1:
        subject = low.expression(subjects[0], depth)
    else:
        subject = listed(low, subjects, depth) if subjects else missing(low, node)
    arms = node.child_by_field_id(BODY)
    cases = [_case(low, child, depth) for child in (arms.named_children if arms else []) if child.kind_id in _CASE]
    out.append(ir.Match(start, end, subject, cases))


def _case(low: Lowerer, node: _Node, depth: int) -> ir.Case:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    given = [child for child in node.named_children if child.kind_id in _CASE_PATTERN]
    if len(given) == 1 and not _has_comma(node):
        found = pattern(low, given[0], depth)
    else:
        children = [pattern(low, child, depth) for child in given]
        at, to = (children[0].start, children[-1].end) if children else (start, start)
        found = ir.Pattern(at, to, "sequence", children=children)
    guard_clause = node.child_by_field_id(GUARD)
    guard = None
    if guard_clause is not None:
        guard = required(low, next(iter(parts(guard_clause)), None), depth, guard_clause)
    return ir.Case(start, end, found, guard, block(low, node.child_by_field_id(CONSEQUENCE), depth))


def _has_comma(node: _Node) -> bool:
    return any(child.type == "," for child in node.children)


def pattern(low: Lowerer, node: _Node, depth: int) -> ir.Pattern:
    """One pattern. Patterns share the cap on nesting with expressions."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    if depth >= MAX_DEPTH:
        return ir.Pattern(start, end, "value", low.expression(node, depth))
    depth += 1
    while node.kind_id in _CASE_PATTERN and node.named_child_count:
        children = parts(node)
        if len(children) != 1 or (first := first_child(node)) is None or not first.is_named:
            break  # `-1` keeps its sign
        node = children[0]
    kind = node.kind_id
    children = parts(node)
    if kind in _CASE_PATTERN and not children:
        return ir.Pattern(start, end, "capture")  # `_`
    if kind in _DOTTED and len(children) == 1:
        name = name_of(low, children[0])
        return ir.Pattern(start, end, "capture", name=None if name == "_" else name)
    if kind in _SPLAT:
        name = name_of(low, children[0]) if children else "_"
        return ir.Pattern(start, end, "star", name=None if name == "_" else name)
    if kind in _AS:
        inner = [pattern(low, child, depth) for child in children[:1]]
        return ir.Pattern(start, end, "capture", name=name_of(low, children[-1]), children=inner)
    if kind in _UNION:
        return ir.Pattern(
            start,
            end,
            "or",
            children=[_alternative(low, child, depth) for child in node.children if _is_alternative(child)],
        )
    if kind in _LIST or kind in _TUPLE:
        if kind in _TUPLE and len(children) == 1 and not _has_comma(node):
            return pattern(low, children[0], depth)
        return ir.Pattern(start, end, "sequence", children=[pattern(low, child, depth) for child in children])
    if kind in _DICT:
        return _mapping(low, node, depth)
    if kind in _CLASS:
        return _class(low, node, children, depth)
    return ir.Pattern(start, end, "value", _value(low, node, depth))


def _is_alternative(node: _Node) -> bool:
    return node.type != "|" and not node.is_extra


def _alternative(low: Lowerer, node: _Node, depth: int) -> ir.Pattern:
    if not node.is_named and node.type == "_":
        return ir.Pattern(node.start_byte - low.base, node.end_byte - low.base, "capture")
    return pattern(low, node, depth)


def _value(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    children = parts(node)
    first = first_child(node)
    if node.kind_id in _CASE_PATTERN and first is not None and first.type == "-" and len(children) == 1:
        operand = low.expression(children[0], depth)
        return ir.Unary(node.start_byte - low.base, node.end_byte - low.base, "-", operand)
    if node.kind_id in _COMPLEX and len(children) == 2:
        real, imaginary = (low.expression(child, depth) for child in children)
        start, end = node.start_byte - low.base, node.end_byte - low.base
        if first is not None and first.type == "-":
            real = ir.Unary(start, real.end, "-", real)
        return ir.Binary(start, end, node.children[-2].type, real, imaginary)
    return low.expression(node, depth)


def _mapping(low: Lowerer, node: _Node, depth: int) -> ir.Pattern:
    found = ir.Pattern(node.start_byte - low.base, node.end_byte - low.base, "mapping")
    keys = node.children_by_field_id(KEY)
    values = node.children_by_field_id(VALUE)
    for key, value in zip(keys, values, strict=False):
        found.keys.append(low.expression(key, depth))
        found.children.append(pattern(low, value, depth))
    for child in node.named_children:
        if child.kind_id in _SPLAT and (name := first_named(child)) is not None:
            found.name = name_of(low, name)
    return found


def _class(low: Lowerer, node: _Node, children: list[_Node], depth: int) -> ir.Pattern:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    found = ir.Pattern(start, end, "class", dotted(low, parts(children[0]), node) if children else missing(low, node))
    for child in children[1:]:
        inner = first_named(child) if child.kind_id in _CASE_PATTERN else child
        if inner is None or inner.kind_id not in _KEYWORD:
            found.children.append(pattern(low, child, depth))
            continue
        halves = parts(inner)
        at, to = halves[0].start_byte - low.base, halves[0].end_byte - low.base
        found.keys.append(ir.Constant(at, to, name_of(low, halves[0])))
        if len(halves) > 1:
            found.children.append(pattern(low, halves[1], depth))
        else:  # d=_
            found.children.append(ir.Pattern(inner.end_byte - low.base - 1, inner.end_byte - low.base, "capture"))
    return found
