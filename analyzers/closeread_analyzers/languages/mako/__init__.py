"""Mako's templates: `${output | filters}`, `% for x in y:`, `<% code %>`, `<%include file="x"/>`.

What stands between the delimiters is Python, of which the expressions that Jinja2 has too are read; Mako's pieces are
told to Jinja2's lowerer in its own words. Nothing is escaped but by a filter: `| h`, `expression_filter="h"` of
`<%page>`, or `default_filters` of whoever renders. Deliberately absent: Mako in files that are called `.html`, control
flow inside `<% %>`, namespaces, filters of a block, and what a `<%def>` finds in the context by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ... import ir
from ..jinja import Jinja
from ..jinja.tree import Root, Spans, Tree


class Mako(Jinja):
    """Satisfies `Language`. What reads templates is loaded when the first one comes: most projects have none."""

    name = "mako"
    suffixes = (".mako", ".mak")

    def parse(self, source: bytes, previous: Tree | None = None) -> Tree:
        """The comments of a template; nothing else is kept of it."""
        from .lowerer import pieces

        def comments() -> Spans:
            return [(p.start, p.end) for p in pieces(source.decode("latin-1")) if p.kind == "comment"]

        return Tree(Root(comments, len(source)))

    def lower(self, path: str, source: bytes, tree: Any, previous: ir.Module | None = None) -> ir.Module:
        """Lower a template; never raises."""
        from .lowerer import MakoLowerer

        return MakoLowerer(path, source).module()

    def resolve(self, importer: str, module: str, level: int) -> Iterable[str]:
        """As Jinja2's; a name that starts with a slash is one of the lookup's folders."""
        return super().resolve(importer, module.lstrip("/"), level)


language = Mako()
