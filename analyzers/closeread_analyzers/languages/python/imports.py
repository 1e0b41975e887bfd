"""Import statements: one `Import` for each name they bind."""

from __future__ import annotations

import tree_sitter

from ... import ir
from ..lowering import Lowerer
from .grammar import ALIAS, MODULE_NAME, NAME, kinds
from .tree import name_of, parts

_Node = tree_sitter.Node
_Out = list[ir.Statement]

_ALIASED = kinds("aliased_import")
_IMPORT_PREFIX = kinds("import_prefix")
_RELATIVE = kinds("relative_import")
_WILDCARD = kinds("wildcard_import")


def _dotted(low: Lowerer, node: _Node | None) -> str:
    return "" if node is None else ".".join(name_of(low, child) for child in parts(node))


def import_(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`import a.b as c, d.e`."""
    for child in parts(node):
        start, end = child.start_byte - low.base, child.end_byte - low.base
        if child.kind_id in _ALIASED:
            alias = child.child_by_field_id(ALIAS)
            module = _dotted(low, child.child_by_field_id(NAME))
            out.append(ir.Import(start, end, module, "" if alias is None else name_of(low, alias)))
        elif not child.is_error:
            module = _dotted(low, child)
            first = module.partition(".")[0]
            out.append(ir.Import(start, end, module, first, root=True))


def import_from(low: Lowerer, node: _Node, depth: int, out: _Out) -> None:
    """`from ..a import b as c, d`, `from m import *`."""
    origin = node.child_by_field_id(MODULE_NAME)
    level = 0
    module = "__future__" if node.type == "future_import_statement" else ""
    if origin is not None and origin.kind_id in _RELATIVE:
        for child in origin.named_children:
            if child.kind_id in _IMPORT_PREFIX:
                level = low.text(child).count(".")
            else:
                module = _dotted(low, child)
    elif origin is not None:
        module = _dotted(low, origin)
    for child in parts(node):
        if child == origin or child.is_error:
            continue
        start, end = child.start_byte - low.base, child.end_byte - low.base
        if child.kind_id in _WILDCARD:
            out.append(ir.Import(start, end, module, "*", "*", level))
        elif child.kind_id in _ALIASED:
            alias = child.child_by_field_id(ALIAS)
            member = _dotted(low, child.child_by_field_id(NAME))
            out.append(ir.Import(start, end, module, member if alias is None else name_of(low, alias), member, level))
        else:
            member = _dotted(low, child)
            out.append(ir.Import(start, end, module, member, member, level))
