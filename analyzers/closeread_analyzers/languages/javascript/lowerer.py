"""One JavaScript file on its way to a `Module`: what the tables of expressions and statements lean on.

Absent: the tables themselves (complete.py puts them in), and scopes: `let`, `const` and
`var` are all just assignments.
"""

from __future__ import annotations

from collections.abc import Iterable

import tree_sitter
import tree_sitter_javascript

from ... import ir
from ..lowering import Lowerer, kind_ids

GRAMMAR = tree_sitter.Language(tree_sitter_javascript.language())

PARENTHESES = kind_ids(GRAMMAR, "parenthesized_expression")
BLOCK = kind_ids(GRAMMAR, "statement_block")
DEFINITIONS = kind_ids(GRAMMAR, "function_declaration", "generator_function_declaration", "class_declaration")
EXPORT = kind_ids(GRAMMAR, "export_statement")


class JavaScriptLowerer(Lowerer):
    """What a language says, and the bits of state that statements share.

    `in_function`: `module.exports` is an export only outside functions. `in_switch`: the next `break`
    leaves a `switch`; `switch_left` is then set, and the switch becomes a loop of one turn.
    """

    def __init__(self, path: str, source: bytes, tree: tree_sitter.Tree, previous: ir.Module | None = None) -> None:
        if previous is not None:  # units are remembered in the order of the text, which hoisting changed
            units = sorted(previous.units, key=lambda unit: unit.start)
            previous = ir.Module(previous.path, previous.source, units, previous.problems)
        super().__init__(path, source, tree, previous)
        self.in_function = False
        self.in_switch = False
        self.switch_left = False

    def defined_name(self, node: tree_sitter.Node) -> str:
        """Functions and classes, exported or not."""
        if node.kind_id in EXPORT:
            declared = node.child_by_field_name("declaration")
            if declared is None:
                return ""
            node = declared
        if node.kind_id not in DEFINITIONS:
            return ""
        name = node.child_by_field_name("name")
        return self.identifier(name) if name is not None else ""

    def module(self) -> ir.Module:
        """The whole file, its functions first: they may be called above their place."""
        module = super().module()
        module.units = _hoisted_units(module.units)
        return module

    def body(self, nodes: Iterable[tree_sitter.Node], depth: int) -> list[ir.Statement]:
        """The statements of a block, its functions first."""
        out: list[ir.Statement] = []
        for node in nodes:
            if not node.is_extra:
                self.statement(node, depth, out)
        return _hoisted(out)

    def branch(self, node: tree_sitter.Node | None, depth: int) -> list[ir.Statement]:
        """The body of an `if` or a loop: a block or a single statement."""
        if node is None:
            return []
        if node.kind_id in BLOCK:
            return self.body(node.named_children, depth)
        out: list[ir.Statement] = []
        self.statement(node, depth, out)
        return out

    def loop_body(self, node: tree_sitter.Node | None, depth: int) -> list[ir.Statement]:
        """The body of a loop, in which `break` is the loop's."""
        outer, self.in_switch = self.in_switch, False
        try:
            return self.branch(node, depth)
        finally:
            self.in_switch = outer

    def field(self, node: tree_sitter.Node, name: str, depth: int) -> ir.Expression:
        """The expression in a field; a missing one (broken code) is an empty `Opaque`."""
        child = node.child_by_field_name(name)
        if child is None:
            return ir.Opaque(node.start_byte - self.base, node.end_byte - self.base, "missing", [])
        return self.expression(child, depth)

    def only(self, node: tree_sitter.Node, depth: int) -> ir.Expression | None:
        """The first named child that is no comment, lowered, if there is one."""
        child = first_child(node)
        return None if child is None else self.expression(child, depth)


def first_child(node: tree_sitter.Node) -> tree_sitter.Node | None:
    """The first named child that is no comment."""
    for child in node.named_children:
        if not child.is_extra:
            return child
    return None


def unwrapped(node: tree_sitter.Node) -> tree_sitter.Node:
    """`node` without the parentheses around it, however many."""
    while node.kind_id in PARENTHESES:
        child = first_child(node)
        if child is None:
            return node
        node = child
    return node


def has_token(node: tree_sitter.Node, token: str) -> bool:
    """Whether a keyword or sign (`async`, `static`, `*`) stands among the node's own children."""
    return any(child.type == token for child in node.children if not child.is_named)


def _hoisted(statements: list[ir.Statement]) -> list[ir.Statement]:
    functions = [s for s in statements if isinstance(s, ir.FunctionDefinition)]
    if not functions:
        return statements
    return functions + [s for s in statements if not isinstance(s, ir.FunctionDefinition)]


def _hoisted_units(units: list[ir.Unit]) -> list[ir.Unit]:
    functions: list[ir.Unit] = []
    others: list[ir.Unit] = []
    class_end = -1  # the methods of a class stay behind it
    for unit in units:
        if isinstance(unit.statement, ir.ClassDefinition):
            class_end = unit.end
        is_function = isinstance(unit.statement, ir.FunctionDefinition) and unit.start >= class_end
        (functions if is_function else others).append(unit)
    return functions + others
