"""Imports and exports, of ES modules and of CommonJS."""

from __future__ import annotations

import re

import tree_sitter

from ... import ir
from ..lowering import kind_ids
from .literals import unescaped
from .lowerer import GRAMMAR, JavaScriptLowerer, has_token

_CALL = kind_ids(GRAMMAR, "call_expression")
_MEMBER = kind_ids(GRAMMAR, "member_expression")
_IDENTIFIER = kind_ids(GRAMMAR, "identifier")
_STRING = kind_ids(GRAMMAR, "string")
_OBJECT_PATTERN = kind_ids(GRAMMAR, "object_pattern")
_PAIR_PATTERN = kind_ids(GRAMMAR, "pair_pattern")
_SHORTHAND_PATTERN = kind_ids(GRAMMAR, "shorthand_property_identifier_pattern")
_PROPERTY = kind_ids(GRAMMAR, "property_identifier")
_IMPORT = kind_ids(GRAMMAR, "import")
_EXPORTED = re.compile(r"(?:module\.)?exports\.([\w$]+)|module\.exports()", re.ASCII)
_LONGEST_EXPORT = 200


def string_value(low: JavaScriptLowerer, node: tree_sitter.Node) -> str:
    """The value of a string literal."""
    return unescaped(low.slice(node.start_byte + 1, node.end_byte - 1))


def module_name(low: JavaScriptLowerer, node: tree_sitter.Node) -> str:
    """The module that a string literal names, without `node:`."""
    return string_value(low, node).removeprefix("node:")


def required_module(low: JavaScriptLowerer, node: tree_sitter.Node) -> str | None:
    """The module of `require("x")` or `import("x")`, or None for any other expression."""
    if node.kind_id not in _CALL:
        return None
    callee, arguments = node.child_by_field_name("function"), node.child_by_field_name("arguments")
    if callee is None or arguments is None:
        return None
    is_require = callee.kind_id in _IDENTIFIER and low.text(callee) == "require"
    if not is_require and callee.kind_id not in _IMPORT:
        return None
    given = [child for child in arguments.named_children if not child.is_extra]
    if not given or given[0].kind_id not in _STRING:
        return None
    return module_name(low, given[0])


def require_declaration(
    low: JavaScriptLowerer, declarator: tree_sitter.Node, name: tree_sitter.Node, value: tree_sitter.Node
) -> list[ir.Statement]:
    """`const x = require("y")`, `= require("y").z` and `const {a, b: c} = require("y")` as imports, else nothing."""
    member: str | None = None
    if value.kind_id in _MEMBER:
        whole, part = value.child_by_field_name("object"), value.child_by_field_name("property")
        if whole is None or part is None:
            return []
        value, member = whole, low.identifier(part)
    module = required_module(low, value)
    if module is None:
        return []
    start, end = declarator.start_byte - low.base, declarator.end_byte - low.base
    if name.kind_id in _IDENTIFIER:
        return [ir.Import(start, end, module, low.identifier(name), member)]
    if name.kind_id not in _OBJECT_PATTERN or member is not None:
        return []
    imports: list[ir.Statement] = []
    for entry in name.named_children:
        if entry.is_extra:
            continue
        pair = _imported_pair(low, entry)
        if pair is None:
            return []
        at, to = entry.start_byte - low.base, entry.end_byte - low.base
        imports.append(ir.Import(at, to, module, pair[1], pair[0]))
    return imports


def _imported_pair(low: JavaScriptLowerer, entry: tree_sitter.Node) -> tuple[str, str] | None:
    if entry.kind_id in _SHORTHAND_PATTERN:
        name = low.identifier(entry)
        return name, name
    if entry.kind_id not in _PAIR_PATTERN:
        return None
    key, bound = entry.child_by_field_name("key"), entry.child_by_field_name("value")
    if key is None or bound is None or key.kind_id not in _PROPERTY or bound.kind_id not in _IDENTIFIER:
        return None
    return low.identifier(key), low.identifier(bound)


def exported_name(low: JavaScriptLowerer, target: tree_sitter.Node) -> str | None:
    """ "a" for `exports.a` and `module.exports.a`, "*" for `module.exports`, None for other targets."""
    if low.in_function or target.kind_id not in _MEMBER or target.end_byte - target.start_byte > _LONGEST_EXPORT:
        return None
    match = _EXPORTED.fullmatch(low.text(target))
    if match is None:
        return None
    return match.group(1) or "*"


# --- ES modules ------------------------------------------------------------------------------------


def import_statement(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """`import d, {a as b} from "m"`, `import * as ns from "m"`, `import "m"`."""
    source = node.child_by_field_name("source")
    start, end = node.start_byte - low.base, node.end_byte - low.base
    if source is None:
        return
    module = module_name(low, source)
    clause = next((child for child in node.named_children if child.type == "import_clause"), None)
    if clause is None:
        out.append(ir.ExpressionStatement(start, end, ir.ImportExpression(start, end, module)))
        return
    for part in clause.named_children:
        if part.type == "identifier":
            out.append(ir.Import(start, end, module, low.identifier(part), "default"))
        elif part.type == "namespace_import":
            bound = next((child for child in part.named_children if child.type == "identifier"), None)
            if bound is not None:
                out.append(ir.Import(start, end, module, low.identifier(bound)))
        elif part.type == "named_imports":
            for specifier in part.named_children:
                names = _specified(low, specifier)
                if names is not None:
                    at, to = specifier.start_byte - low.base, specifier.end_byte - low.base
                    out.append(ir.Import(at, to, module, names[1], names[0]))


def _specified(low: JavaScriptLowerer, specifier: tree_sitter.Node) -> tuple[str, str] | None:
    """(name, alias) of one `a as b`."""
    name = specifier.child_by_field_name("name")
    if name is None:
        return None
    alias = specifier.child_by_field_name("alias")
    own = string_value(low, name) if name.kind_id in _STRING else low.identifier(name)
    if alias is None:
        return own, own
    return own, string_value(low, alias) if alias.kind_id in _STRING else low.identifier(alias)


def export_statement(low: JavaScriptLowerer, node: tree_sitter.Node, depth: int, out: list[ir.Statement]) -> None:
    """`export const a`, `export default v`, `export {a as b}`, all of them `from "m"` too."""
    start, end = node.start_byte - low.base, node.end_byte - low.base
    is_default = has_token(node, "default")
    declaration = node.child_by_field_name("declaration")
    value = node.child_by_field_name("value")
    if declaration is not None:
        declared: list[ir.Statement] = []
        low.statement(declaration, depth, declared)
        out.extend(declared)
        for name in _bound_names(declared):
            out.append(ir.Export(start, end, "default" if is_default else name, ir.Name(start, end, name)))
        return
    if value is not None:
        lowered = low.expression(value, depth)
        out.append(ir.Export(start, end, "default", lowered))
        return
    source = node.child_by_field_name("source")
    module = module_name(low, source) if source is not None else None
    for child in node.named_children:
        if child.type == "namespace_export" and module is not None:
            alias = next((part for part in child.named_children if not part.is_extra), None)
            if alias is not None:
                out.append(ir.Export(start, end, low.identifier(alias), ir.ImportExpression(start, end, module)))
            return
        if child.type == "export_clause":
            _export_clause(low, child, module, out)
            return
    if module is not None:
        out.append(ir.Import(start, end, module, "*", "*"))


def _export_clause(
    low: JavaScriptLowerer, clause: tree_sitter.Node, module: str | None, out: list[ir.Statement]
) -> None:
    for specifier in clause.named_children:
        names = _specified(low, specifier)
        if names is None:
            continue
        start, end = specifier.start_byte - low.base, specifier.end_byte - low.base
        value: ir.Expression = ir.Name(start, end, names[0])
        if module is not None:
            value = ir.Attribute(start, end, ir.ImportExpression(start, end, module), names[0])
        out.append(ir.Export(start, end, names[1], value))


def _bound_names(statements: list[ir.Statement]) -> list[str]:
    names: list[str] = []
    for statement in statements:
        if isinstance(statement, ir.FunctionDefinition):
            names.append(statement.function.name)
        elif isinstance(statement, ir.ClassDefinition):
            names.append(statement.definition.name)
        elif isinstance(statement, ir.Import):
            names.append(statement.bound)
        elif isinstance(statement, ir.Assign):
            pending: list[ir.Expression] = list(statement.targets)
            while pending:
                target = pending.pop(0)
                if isinstance(target, ir.Name):
                    names.append(target.id)
                elif isinstance(target, ir.Mapping):
                    pending.extend(entry for _, entry in target.entries)
                elif isinstance(target, ir.Sequence):
                    pending.extend(target.items)
                elif isinstance(target, ir.WithDefault):
                    pending.append(target.target)
                elif isinstance(target, ir.Spread):
                    pending.append(target.value)
    return names
