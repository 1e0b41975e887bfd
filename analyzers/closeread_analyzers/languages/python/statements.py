"""Python's statements and definitions, Python 2's `print`, `exec` and `raise E, "m"` among them.

Simplifications: `except*` is `except`; `type X = T` is an assignment. In broken code the statements and
expressions inside an ERROR are lowered one by one, in order; lone names and literals there are dropped.
"""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import Lowerer, StatementHandler, table
from .definitions import definition
from .grammar import (
    ALIAS,
    ALTERNATIVE,
    BODY,
    CAUSE,
    CONDITION,
    CONSEQUENCE,
    GRAMMAR,
    LEFT,
    OPERATOR,
    RIGHT,
    TYPE,
    VALUE,
    kinds,
)
from .imports import import_, import_from
from .patterns import match
from .tree import (
    block,
    first_child,
    first_named,
    fragments,
    is_async,
    listed,
    missing,
    name_of,
    optional,
    parts,
    required,
)

_Node = tree_sitter.Node
_Out = list[ir.Statement]

_IDENTIFIER = kinds("identifier")
_AS_PATTERN = kinds("as_pattern")
_ASSIGNMENT = kinds("assignment")
_BLOCK = kinds("block")
_CHEVRON = kinds("chevron")
_ELIF = kinds("elif_clause")
_ELLIPSIS = kinds("ellipsis")
_ELSE = kinds("else_clause")
_EXCEPT = kinds("except_clause")
_EXPRESSION_LIST = kinds("expression_list")
_FINALLY = kinds("finally_clause")
_IS_ASSIGNMENT = kinds("assignment", "augmented_assignment")
_TUPLE = kinds("tuple")
_WITH_CLAUSE = kinds("with_clause")
_WITH_ITEM = kinds("with_item")


def _clause_body(low: Lowerer, node: _Node, depth: int) -> _Out:
    for child in node.named_children:
        if child.kind_id in _BLOCK:
            return block(low, child, depth)
    return []


def nothing(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """A comment."""


def expression_alone(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """An expression where the grammar has a statement: in broken code."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    out.append(ir.ExpressionStatement(start, end, low.expression(node, depth)))


def expression_statement(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """An expression for its effect, or an assignment."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    first = first_named(node)
    if first is None:
        return
    if node.child_count > 1:
        children = parts(node)
        if len(children) == 1 and node.children[-1].type != ",":
            low.statement(children[0], depth, out)
        elif children:
            out.append(ir.ExpressionStatement(start, end, listed(low, children, depth)))
    elif first.kind_id in _IS_ASSIGNMENT:
        low.statement(first, depth, out)
    elif first.kind_id in _ELLIPSIS:
        out.append(ir.Pass(start, end))
    else:
        out.append(ir.ExpressionStatement(start, end, low.expression(first, depth)))


def assignment(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`a: T = b = value`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    annotation = optional(low, node.child_by_field_id(TYPE), depth)
    targets: list[ir.Expression] = []
    value: _Node | None = node
    while value is not None and value.kind_id in _ASSIGNMENT:
        targets.append(required(low, value.child_by_field_id(LEFT), depth, value))
        value = value.child_by_field_id(RIGHT)
    out.append(ir.Assign(start, end, targets, optional(low, value, depth), annotation))


def augmented(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`a += value`."""
    operator = node.child_by_field_id(OPERATOR)
    target = required(low, node.child_by_field_id(LEFT), depth, node)
    value = required(low, node.child_by_field_id(RIGHT), depth, node)
    word = operator.type.rstrip("=") if operator else "+"
    out.append(ir.AugmentedAssign(node.start_byte - low.base, node.end_byte - low.base, word, target, value))


def return_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`return value`."""
    children = parts(node)
    value = low.expression(children[0], depth) if children else None
    out.append(ir.Return(node.start_byte - low.base, node.end_byte - low.base, value))


def raise_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`raise value from cause`; Python 2's `raise E, "m"` is `raise E("m")`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    children = parts(node)
    cause_node = node.child_by_field_id(CAUSE)
    cause = optional(low, cause_node, depth)
    value: ir.Expression | None = None
    if children and children[0] != cause_node:
        value = low.expression(children[0], depth)
        if children[0].kind_id in _EXPRESSION_LIST and isinstance(value, ir.Sequence) and value.items:
            arguments = [ir.Argument(item.start, item.end, item) for item in value.items[1:2]]
            value = ir.Call(value.start, value.end, value.items[0], arguments)
    out.append(ir.Raise(start, end, value, cause))


def delete(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`del a, b`."""
    targets: list[ir.Expression] = []
    for child in parts(node):
        target = low.expression(child, depth)
        if isinstance(target, ir.Sequence):
            targets.extend(target.items)
        else:
            targets.append(target)
    out.append(ir.Delete(node.start_byte - low.base, node.end_byte - low.base, targets))


def assert_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`assert test, message`."""
    children = [low.expression(child, depth) for child in parts(node)]
    test = children[0] if children else missing(low, node)
    message = children[1] if len(children) > 1 else None
    out.append(ir.Assert(node.start_byte - low.base, node.end_byte - low.base, test, message))


def scope(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`global a` and `nonlocal a`."""
    names = [name_of(low, child) for child in parts(node)]
    start, end = node.start_byte - low.base, node.end_byte - low.base
    first = first_child(node)
    out.append(
        ir.ScopeDeclaration(start, end, "global" if first is not None and first.type == "global" else "nonlocal", names)
    )


def pass_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`pass`."""
    out.append(ir.Pass(node.start_byte - low.base, node.end_byte - low.base))


def break_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`break`."""
    out.append(ir.Break(node.start_byte - low.base, node.end_byte - low.base))


def continue_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`continue`."""
    out.append(ir.Continue(node.start_byte - low.base, node.end_byte - low.base))


def type_alias(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`type X[T] = value`."""
    left = node.child_by_field_id(LEFT)
    while left is not None and left.kind_id not in _IDENTIFIER:
        left = first_named(left)
    target = required(low, left, depth, node)
    value = optional(low, node.child_by_field_id(RIGHT), depth)
    out.append(ir.Assign(node.start_byte - low.base, node.end_byte - low.base, [target], value))


def print_or_exec(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """Python 2's `print >>file, a` and `exec code in globals` as the calls they became."""
    base = low.base
    start, end = node.start_byte - base, node.end_byte - base
    word = "print" if node.type == "print_statement" else "exec"
    arguments: list[ir.Argument] = []
    for child in parts(node):
        at, to = child.start_byte - base, child.end_byte - base
        if child.kind_id in _CHEVRON:
            inner = required(low, first_named(child), depth, child)
            arguments.append(ir.Argument(at, to, inner, "file"))
        else:
            arguments.append(ir.Argument(at, to, low.expression(child, depth)))
    call = ir.Call(start, end, ir.Name(start, start + len(word), word), arguments)
    out.append(ir.ExpressionStatement(start, end, call))


def if_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`if` with its `elif`s, built from the last one up: their number is no nesting."""
    end = node.end_byte - low.base
    test = required(low, node.child_by_field_id(CONDITION), depth, node)
    then = block(low, node.child_by_field_id(CONSEQUENCE), depth)
    heads = [(node.start_byte - low.base, test, then)]
    otherwise: _Out = []
    for child in node.children_by_field_id(ALTERNATIVE):
        if child.kind_id in _ELIF:
            test = required(low, child.child_by_field_id(CONDITION), depth, child)
            then = block(low, child.child_by_field_id(CONSEQUENCE), depth)
            heads.append((child.start_byte - low.base, test, then))
        elif child.kind_id in _ELSE:
            otherwise = block(low, child.child_by_field_id(BODY), depth)
    for start, test, then in reversed(heads):
        otherwise = [ir.If(start, end, test, then, otherwise)]
    out.extend(otherwise)


def while_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`while`."""
    test = required(low, node.child_by_field_id(CONDITION), depth, node)
    then = block(low, node.child_by_field_id(BODY), depth)
    out.append(ir.While(node.start_byte - low.base, node.end_byte - low.base, test, then, _else(low, node, depth)))


def _else(low: Lowerer, node: _Node, depth: int) -> _Out:
    clause = node.child_by_field_id(ALTERNATIVE)
    return [] if clause is None else block(low, clause.child_by_field_id(BODY), depth)


def for_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`for`, `async for`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    target = required(low, node.child_by_field_id(LEFT), depth, node)
    iterable = required(low, node.child_by_field_id(RIGHT), depth, node)
    then = block(low, node.child_by_field_id(BODY), depth)
    out.append(ir.For(start, end, target, iterable, then, _else(low, node, depth), is_async(node)))


def with_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`with`, `async with`."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    items: list[ir.WithItem] = []
    for clause in node.named_children:
        if clause.kind_id in _WITH_CLAUSE:
            items.extend(
                _with_item(low, child, depth) for child in clause.named_children if child.kind_id in _WITH_ITEM
            )
    out.append(ir.With(start, end, items, block(low, node.child_by_field_id(BODY), depth), is_async(node)))


def _with_item(low: Lowerer, node: _Node, depth: int) -> ir.WithItem:
    value = node.child_by_field_id(VALUE)
    target: ir.Expression | None = None
    if value is not None and value.kind_id in _AS_PATTERN:
        target = optional(low, value.child_by_field_id(ALIAS), depth)
        value = next(iter(parts(value)), None)
    context = required(low, value, depth, node)
    return ir.WithItem(node.start_byte - low.base, node.end_byte - low.base, context, target)


def try_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`try` with its clauses."""
    handlers: list[ir.Handler] = []
    otherwise: _Out = []
    final: _Out = []
    tried = block(low, node.child_by_field_id(BODY), depth)
    for child in node.named_children:
        kind = child.kind_id
        if kind in _EXCEPT:
            handlers.append(_handler(low, child, depth))
        elif kind in _ELSE:
            otherwise = block(low, child.child_by_field_id(BODY), depth)
        elif kind in _FINALLY:
            final = _clause_body(low, child, depth)
    out.append(ir.Try(node.start_byte - low.base, node.end_byte - low.base, tried, handlers, otherwise, final))


def _handler(low: Lowerer, node: _Node, depth: int) -> ir.Handler:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    caught = node.children_by_field_id(VALUE)
    name: str | None = None
    if len(caught) == 2 and caught[1].kind_id in _IDENTIFIER and low.text(caught[1]).islower():
        # Python 2's `except E, e`. Python 3.14's `except A, B` looks the same; classes are not in lower case.
        name = name_of(low, caught.pop())
    elif len(caught) == 1 and caught[0].kind_id in _AS_PATTERN:
        alias = caught[0].child_by_field_id(ALIAS)
        name = None if alias is None else low.text(alias)
        caught = parts(caught[0])[:1]
    types: list[ir.Expression] = []
    for child in caught:
        expression = low.expression(child, depth)
        if isinstance(expression, ir.Sequence) and expression.items and child.kind_id in _TUPLE:
            types.extend(expression.items)
        else:
            types.append(expression)
    return ir.Handler(start, end, types, name, _clause_body(low, node, depth))


_HANDLERS: dict[str, StatementHandler] = {
    "comment": nothing,
    "line_continuation": nothing,
    "ERROR": fragments,
    "block": fragments,
    "elif_clause": fragments,
    "else_clause": fragments,
    "except_clause": fragments,
    "finally_clause": fragments,
    "case_clause": fragments,
    "expression_statement": expression_statement,
    "assignment": assignment,
    "augmented_assignment": augmented,
    "return_statement": return_,
    "raise_statement": raise_,
    "delete_statement": delete,
    "assert_statement": assert_,
    "global_statement": scope,
    "nonlocal_statement": scope,
    "pass_statement": pass_,
    "break_statement": break_,
    "continue_statement": continue_,
    "type_alias_statement": type_alias,
    "print_statement": print_or_exec,
    "exec_statement": print_or_exec,
    "import_statement": import_,
    "import_from_statement": import_from,
    "future_import_statement": import_from,
    "if_statement": if_,
    "while_statement": while_,
    "for_statement": for_,
    "with_statement": with_,
    "try_statement": try_,
    "match_statement": match,
    "function_definition": definition,
    "class_definition": definition,
    "decorated_definition": definition,
}


STATEMENTS: dict[int, StatementHandler] = table(GRAMMAR, _HANDLERS, expression_alone)
