"""Statements: node kind -> IR. Imports and exports are in `modules`, definitions in `definitions`."""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import StatementHandler, kind_ids, table
from .definitions import class_statement, function_statement
from .expressions import augmented_parts, named
from .lowerer import GRAMMAR, JavaScriptLowerer, first_child, unwrapped
from .modules import export_statement, exported_name, import_statement, require_declaration

_ASSIGNMENT = kind_ids(GRAMMAR, "assignment_expression")
_AUGMENTED = kind_ids(GRAMMAR, "augmented_assignment_expression", "update_expression")
_COMMA = kind_ids(GRAMMAR, "sequence_expression")
_DECLARATOR = kind_ids(GRAMMAR, "variable_declarator")
_DECLARATION = kind_ids(GRAMMAR, "lexical_declaration", "variable_declaration", "using_declaration")
_IF = kind_ids(GRAMMAR, "if_statement")
_BLOCK = kind_ids(GRAMMAR, "statement_block")
_LOOPS = kind_ids(GRAMMAR, "for_statement", "for_in_statement", "while_statement", "do_statement")
_EMPTY = kind_ids(GRAMMAR, "empty_statement")
_DEFAULT_ARM = kind_ids(GRAMMAR, "switch_default")

_CAUGHT = "catch"
_LONGEST_FALL = 3
"""How many arms a `switch` arm falls through before the rest is cut: each carries the next ones' bodies."""


# --- Simple statements -----------------------------------------------------------------------------


def _expression(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    child = first_child(node)
    if child is not None:
        _effect(low, child, depth, out)


def _effect(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """An expression for its effect: assignments become statements, and each part of `a, b` its own."""
    node = unwrapped(node)
    kind = node.kind_id
    if kind in _COMMA:
        for child in node.named_children:
            if not child.is_extra:
                low.statement(child, depth, out)  # the table's default is `_effect`
        return
    if kind in _ASSIGNMENT:
        _assign(low, node, [], depth, out)
        return
    start, end = node.start_byte - low.base, node.end_byte - low.base
    if kind in _AUGMENTED:
        operator, target, value = augmented_parts(low, node, depth)
        out.append(ir.AugmentedAssign(start, end, operator, target, value))
        return
    out.append(ir.ExpressionStatement(start, end, low.expression(node, depth)))


def _assign(
    low: JavaScriptLowerer,
    node: tree_sitter.Node,
    targets: list[ir.Expression],
    depth: int,
    out: list[ir.Statement],
) -> None:
    """`a = exports.b = v`; `targets` are those of a declaration around it."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    targets, exports = list(targets), []
    value_node: tree_sitter.Node | None = node
    while value_node is not None and value_node.kind_id in _ASSIGNMENT:
        left = value_node.child_by_field_name("left")
        name = exported_name(low, left) if left is not None else None
        if name is not None:
            exports.append(name)
        elif left is not None:
            targets.append(low.expression(left, depth))
        value_node = value_node.child_by_field_name("right")
    value: ir.Expression = ir.Opaque(end, end, "missing", [])
    if value_node is not None:
        value = low.expression(value_node, depth)
    if targets:
        named(value, targets[0])
        out.append(ir.Assign(start, end, targets, value))
    elif isinstance(value, ir.FunctionExpression) and not value.function.name and exports != ["*"]:
        value.function.name = exports[0]
    bound = next((target for target in targets if isinstance(target, ir.Name)), None)
    for name in exports:
        out.append(ir.Export(start, end, name, ir.Name(start, end, bound.id) if bound is not None else value))


def _declaration(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    for declarator in node.named_children:
        if declarator.kind_id in _DECLARATOR:
            _declarator(low, declarator, depth, out)
        elif not declarator.is_extra:
            low.statement(declarator, depth, out)


def _declarator(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
    if name is None:
        return
    start, end = node.start_byte - low.base, node.end_byte - low.base
    if value is None:
        out.append(ir.Assign(start, end, [low.expression(name, depth)], None))
        return
    imports = require_declaration(low, node, name, value)
    if imports:
        out.extend(imports)
        return
    target = low.expression(name, depth)
    if value.kind_id in _ASSIGNMENT:
        _assign(low, value, [target], depth, out)
        return
    out.append(ir.Assign(start, end, [target], named(low.expression(value, depth), target)))


def _return(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    out.append(ir.Return(node.start_byte - low.base, node.end_byte - low.base, low.only(node, depth)))


def _throw(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    value = low.only(node, depth) or low.opaque(node, depth)
    out.append(ir.Raise(node.start_byte - low.base, node.end_byte - low.base, value))


def _break(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    if low.in_switch:
        low.switch_left = True
    out.append(ir.Break(node.start_byte - low.base, node.end_byte - low.base))


def _continue(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    out.append(ir.Continue(node.start_byte - low.base, node.end_byte - low.base))


def _nothing(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    return


def _broken(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    for child in node.named_children:
        if not child.is_extra:
            low.statement(child, depth, out)


# --- Blocks, branches, loops -----------------------------------------------------------------------


def _block(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    body = low.body(node.named_children, depth)
    if body:
        out.append(ir.Block(node.start_byte - low.base, node.end_byte - low.base, body))


def _if(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    current: tree_sitter.Node | None = node
    while current is not None:
        test = low.field(current, "condition", depth)
        body = low.branch(current.child_by_field_name("consequence"), depth)
        orelse: list[ir.Statement] = []
        out.append(ir.If(current.start_byte - low.base, current.end_byte - low.base, test, body, orelse))
        out = orelse
        clause = current.child_by_field_name("alternative")
        other = first_child(clause) if clause is not None else None
        if other is None or other.kind_id in _IF:
            current = other
            continue
        orelse.extend(low.branch(other, depth))
        return


def _while(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    test = low.field(node, "condition", depth)
    body = low.loop_body(node.child_by_field_name("body"), depth)
    is_do = node.type == "do_statement"
    out.append(ir.While(node.start_byte - low.base, node.end_byte - low.base, test, body, [], post_test=is_do))


def _for(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    first = node.child_by_field_name("initializer")
    if first is not None:
        low.statement(first, depth, out)
    condition, update = node.child_by_field_name("condition"), node.child_by_field_name("increment")
    test: ir.Expression = ir.Constant(start, start, True)
    if condition is not None and condition.kind_id not in _EMPTY:
        test = low.expression(condition, depth)
    body = low.loop_body(node.child_by_field_name("body"), depth)
    if update is not None:
        low.statement(update, depth, body)
    out.append(ir.While(start, end, test, body, []))


def _for_in(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    sign = node.child_by_field_name("operator")
    target = low.field(node, "left", depth)
    iterable = low.field(node, "right", depth)
    body = low.loop_body(node.child_by_field_name("body"), depth)
    out.append(
        ir.For(
            node.start_byte - low.base,
            node.end_byte - low.base,
            target,
            iterable,
            body,
            [],
            is_async=any(child.type == "await" for child in node.children),
            keys=sign is not None and sign.type == "in",
        )
    )


def _labelled(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """A label is dropped; a labelled block, which `break` can leave, is a loop of one turn."""
    body = node.child_by_field_name("body")
    if body is None:
        return
    if body.kind_id not in _BLOCK:
        low.statement(body, depth, out)
        return
    start, end = node.start_byte - low.base, node.end_byte - low.base
    out.append(_one_turn(start, end, low.loop_body(body, depth)))


def _one_turn(start: int, end: int, body: list[ir.Statement]) -> ir.Statement:
    return ir.While(start, end, ir.Constant(end, end, False), body, [], post_test=True)


def _with(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """`with (o) body`: `o`, then the body. That names in it may be `o`'s members is lost."""
    scope = low.field(node, "object", depth)
    out.append(ir.ExpressionStatement(scope.start, scope.end, scope))
    out.extend(low.branch(node.child_by_field_name("body"), depth))


def _try(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    body = low.branch(node.child_by_field_name("body"), depth)
    handlers: list[ir.Handler] = []
    clause = node.child_by_field_name("handler")
    if clause is not None:
        handlers.append(_handler(low, clause, depth))
    final: list[ir.Statement] = []
    finalizer = node.child_by_field_name("finalizer")
    if finalizer is not None:
        final = low.branch(finalizer.child_by_field_name("body"), depth)
    out.append(ir.Try(node.start_byte - low.base, node.end_byte - low.base, body, handlers, [], final))


def _handler(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int) -> ir.Handler:
    start, end = node.start_byte - low.base, node.end_byte - low.base
    parameter = node.child_by_field_name("parameter")
    name: str | None = None
    opening: list[ir.Statement] = []
    if parameter is not None and parameter.type == "identifier":
        name = low.identifier(parameter)
    elif parameter is not None:  # catch ({message})
        at, to = parameter.start_byte - low.base, parameter.end_byte - low.base
        name = _CAUGHT
        opening.append(ir.Assign(at, to, [low.expression(parameter, depth)], ir.Name(at, to, name)))
    return ir.Handler(start, end, [], name, opening + low.branch(node.child_by_field_name("body"), depth))


# --- switch ----------------------------------------------------------------------------------------


def _switch(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """Empty arms join the next as alternatives; `default` comes last; a fall carries the next bodies along."""
    outer, low.in_switch, low.switch_left = (low.in_switch, low.switch_left), True, False
    subject = low.field(node, "value", depth)
    block = node.child_by_field_name("body")
    arms: list[tuple[list[tree_sitter.Node], list[ir.Statement], bool]] = []
    waiting: list[tree_sitter.Node] = []
    for arm in block.named_children if block is not None else []:
        if arm.is_extra:
            continue
        waiting.append(arm)
        nodes = arm.children_by_field_name("body")
        if nodes:
            body, falls = _arm_body(low, nodes, depth)
            arms.append((waiting, body, falls))
            waiting = []
    cases: list[ir.Case] = []
    default: ir.Case | None = None
    for place, (nodes, body, falls) in enumerate(arms):
        body = list(body)
        following = place + 1
        while falls and following < len(arms) and following - place <= _LONGEST_FALL:
            body.extend(arms[following][1])
            falls = arms[following][2]
            following += 1
        case = _case(low, nodes, body, depth)
        if case.pattern.kind == "capture":
            default = case
        else:
            cases.append(case)
    if waiting:  # the last arms are empty
        cases.append(_case(low, waiting, [], depth))
    if default is not None:
        cases.append(default)
    start, end = node.start_byte - low.base, node.end_byte - low.base
    match = ir.Match(start, end, subject, cases)
    out.append(_one_turn(start, end, [match]) if low.switch_left else match)
    low.in_switch, low.switch_left = outer


def _arm_body(low: JavaScriptLowerer, nodes: list[tree_sitter.Node], depth: int) -> tuple[list[ir.Statement], bool]:
    """An arm's statements without the `break` at its end, and whether it falls into the next."""
    if len(nodes) == 1 and nodes[0].kind_id in _BLOCK:
        nodes = [child for child in nodes[0].named_children if not child.is_extra]
    last = nodes[-1].type if nodes else ""
    if last == "break_statement" and not any(child.is_named for child in nodes[-1].children):
        return low.body(nodes[:-1], depth), False
    ends = last in ("break_statement", "return_statement", "throw_statement", "continue_statement")
    return low.body(nodes, depth), not ends


def _case(low: JavaScriptLowerer, arms: list[tree_sitter.Node], body: list[ir.Statement], depth: int) -> ir.Case:
    start, end = arms[0].start_byte - low.base, arms[-1].end_byte - low.base
    patterns: list[ir.Pattern] = []
    for arm in arms:
        at, to = arm.start_byte - low.base, arm.end_byte - low.base
        if arm.kind_id in _DEFAULT_ARM:
            return ir.Case(start, end, ir.Pattern(at, to, "capture"), None, body)
        value = low.field(arm, "value", depth)
        patterns.append(ir.Pattern(value.start, value.end, "value", value))
    pattern = patterns[0] if len(patterns) == 1 else ir.Pattern(start, end, "or", children=patterns)
    return ir.Case(start, end, pattern, None, body)


_HANDLERS: dict[str, StatementHandler] = {
    "expression_statement": _expression,
    "lexical_declaration": _declaration,
    "variable_declaration": _declaration,
    "using_declaration": _declaration,
    "function_declaration": function_statement,
    "generator_function_declaration": function_statement,
    "class_declaration": class_statement,
    "import_statement": import_statement,
    "export_statement": export_statement,
    "return_statement": _return,
    "throw_statement": _throw,
    "break_statement": _break,
    "continue_statement": _continue,
    "statement_block": _block,
    "if_statement": _if,
    "while_statement": _while,
    "do_statement": _while,
    "for_statement": _for,
    "for_in_statement": _for_in,
    "labeled_statement": _labelled,
    "with_statement": _with,
    "try_statement": _try,
    "switch_statement": _switch,
    "empty_statement": _nothing,
    "debugger_statement": _nothing,
    "hash_bang_line": _nothing,
    "ERROR": _broken,
}

STATEMENTS = table(GRAMMAR, _HANDLERS, _effect)
