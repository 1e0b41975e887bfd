"""Types as the grammar has them: they become the expressions they look like."""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import Lowerer
from .tree import listed, name_of, parts

_Node = tree_sitter.Node


def generic_type(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`list[int]` in an annotation."""
    children = parts(node)
    if len(children) != 2:
        return low.opaque(node, depth)
    value = low.expression(children[0], depth)
    keys = parts(children[1])
    key = low.expression(keys[0], depth) if len(keys) == 1 else low.opaque(node, depth)
    if len(keys) > 1:
        key = listed(low, keys, depth)
    return ir.Subscript(node.start_byte - low.base, node.end_byte - low.base, value, key)


def union_type(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`int | None` in an annotation."""
    children = parts(node)
    if len(children) != 2:
        return low.opaque(node, depth)
    left, right = (low.expression(child, depth) for child in children)
    return ir.Binary(node.start_byte - low.base, node.end_byte - low.base, "|", left, right)


def member_type(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """`a.B` in an annotation."""
    children = parts(node)
    if len(children) != 2:
        return low.opaque(node, depth)
    value = low.expression(children[0], depth)
    return ir.Attribute(node.start_byte - low.base, node.end_byte - low.base, value, name_of(low, children[1]))
