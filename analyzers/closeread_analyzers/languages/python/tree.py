"""What all parts of the lowering ask of a node of the tree, or make of one that is missing."""

from __future__ import annotations

import unicodedata

import tree_sitter

from ... import ir
from ..lowering import Lowerer
from .grammar import kinds

_Node = tree_sitter.Node
_Out = list[ir.Statement]


NOISE = kinds(
    "identifier", "string", "integer", "float", "true", "false", "none", "ellipsis", "dotted_name", "decorator",
    "string_start", "string_content", "string_end", "import_prefix", "type_conversion", "escape_sequence",
)  # fmt: skip
"""What says nothing when it stands alone in broken code."""


def missing(low: Lowerer, node: _Node) -> ir.Expression:
    """What stands where the parser expected an expression and found none."""
    return ir.Opaque(node.start_byte - low.base, node.end_byte - low.base, "missing", [])


def optional(low: Lowerer, node: _Node | None, depth: int) -> ir.Expression | None:
    """The expression, if there is one."""
    return None if node is None else low.expression(node, depth)


def required(low: Lowerer, node: _Node | None, depth: int, within: _Node) -> ir.Expression:
    """The expression, or in broken code something that stands for it."""
    return missing(low, within) if node is None else low.expression(node, depth)


def first_child(node: _Node) -> _Node | None:
    """The first child, if there is one: `Node.child(0)` raises where there is none."""
    return node.child(0) if node.child_count else None


def first_named(node: _Node) -> _Node | None:
    """The first named child, if there is one."""
    return node.named_child(0) if node.named_child_count else None


def parts(node: _Node) -> list[_Node]:
    """The named children without comments."""
    return [child for child in node.named_children if not child.is_extra]


def name_of(low: Lowerer, node: _Node) -> str:
    """An identifier as Python compares it: `ｅval` is `eval`."""
    text = low.identifier(node)
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def listed(low: Lowerer, nodes: list[_Node], depth: int) -> ir.Expression:
    """`a, b` without parentheses is a tuple; alone and without a comma it is itself."""
    items = [low.expression(node, depth) for node in nodes]
    return ir.Sequence(nodes[0].start_byte - low.base, nodes[-1].end_byte - low.base, "tuple", items)


def inner(low: Lowerer, node: _Node, depth: int) -> ir.Expression:
    """What is nothing but its one child: parentheses, a type, the value of a `*`; opaque if it is not one."""
    children = parts(node)
    return low.expression(children[0], depth) if len(children) == 1 else low.opaque(node, depth)


def is_async(node: _Node) -> bool:
    """Whether `async` stands before it."""
    first = first_child(node)
    return first is not None and first.type == "async"


def block(low: Lowerer, node: _Node | None, depth: int) -> _Out:
    """The statements of a block."""
    out: _Out = []
    if node is not None:
        for child in node.named_children:
            low.statement(child, depth, out)
    return out


def fragments(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """What can be lowered inside an ERROR, or inside a clause that lost its statement."""
    for child in node.named_children:
        if child.kind_id not in NOISE:
            low.statement(child, depth, out)
