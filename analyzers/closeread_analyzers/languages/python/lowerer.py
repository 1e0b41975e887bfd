"""The lowering of Python with its tables."""

from __future__ import annotations

from typing import ClassVar

import tree_sitter

from ..lowering import ExpressionHandler, Lowerer, StatementHandler
from .definitions import definition_of
from .expressions import EXPRESSIONS
from .grammar import NAME
from .statements import STATEMENTS
from .tree import NOISE, name_of


class PythonLowerer(Lowerer):
    """One Python file on its way to a `Module`."""

    expressions: ClassVar[dict[int, ExpressionHandler]] = EXPRESSIONS
    statements: ClassVar[dict[int, StatementHandler]] = STATEMENTS
    noise: ClassVar[frozenset[int]] = NOISE

    def defined_name(self, node: tree_sitter.Node) -> str:
        """The function's or class's name."""
        inner = definition_of(node)
        name = None if inner is None else inner.child_by_field_id(NAME)
        return "" if name is None else name_of(self, name)
