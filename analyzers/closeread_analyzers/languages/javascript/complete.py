"""The lowering of JavaScript with its tables; apart from lowerer.py, on which the tables themselves lean."""

from __future__ import annotations

from typing import ClassVar

from ..lowering import ExpressionHandler, StatementHandler
from .expressions import EXPRESSIONS
from .lowerer import JavaScriptLowerer
from .statements import STATEMENTS


class CompleteLowerer(JavaScriptLowerer):
    """One JavaScript file on its way to a `Module`."""

    expressions: ClassVar[dict[int, ExpressionHandler]] = EXPRESSIONS
    statements: ClassVar[dict[int, StatementHandler]] = STATEMENTS
