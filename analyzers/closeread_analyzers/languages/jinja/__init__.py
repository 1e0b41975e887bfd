"""The template language of Jinja2 and of Django, which differ little: `{{ output|filter }}` and `{% tag %}`.

Tornado's and Swig's templates are read well enough too. There is no grammar: scanner.py finds the pieces.
A file of markup without any is an empty module at almost no cost.
"""

from __future__ import annotations

from collections.abc import Iterable

from ...ir import Module
from .scanner import has_pieces, pieces
from .tree import Root, Spans, Tree

_FOLDERS = ("templates", "jinja2")
"""What the folder is called, by convention, to which templates' names are relative."""


class Jinja:
    """Satisfies `Language`."""

    name = "jinja"
    suffixes: tuple[str, ...] = (".html", ".htm", ".jinja", ".jinja2", ".j2", ".djhtml")
    comment = ""
    traits: frozenset[str] = frozenset()

    def parse(self, source: bytes, previous: Tree | None = None) -> Tree:
        """The comments of a template; nothing else is kept of it."""

        def comments() -> Spans:
            found = pieces(source.decode("latin-1"))
            return [(piece.start, piece.end) for piece in found if piece.kind == "comment"]

        return Tree(Root(comments, len(source)))

    def lower(self, path: str, source: bytes, tree: Tree, previous: Module | None = None) -> Module:
        """Lower a template; never raises."""
        if not has_pieces(source):
            return Module(path, source, [], [])
        from .lowerer import TemplateLowerer  # read when the first template comes: most projects have none

        return TemplateLowerer(path, source).module()

    def resolve(self, importer: str, module: str, level: int) -> Iterable[str]:
        """Candidate files for a template's name, best first.

        A name is relative to the folder of templates that the importer is in, or to one beside a folder above;
        failing those, to any folder above the importer.
        """
        if level or not module or module.startswith("/"):
            return []
        folders = importer.split("/")[:-1]
        parts = [part for part in module.split("/") if part not in ("", ".")]
        if ".." in parts:
            return []
        name = "/".join(parts)
        roots = ["/".join(folders[:count]) for count in range(len(folders), -1, -1)]
        homes = [root for root in roots if root.rpartition("/")[2] in _FOLDERS]
        homes += [f"{root}/{folder}" if root else folder for root in roots for folder in _FOLDERS]
        candidates = [f"{root}/{name}" if root else name for root in [*homes, *roots]]
        return [path for path in dict.fromkeys(candidates) if path != importer]

    def module_name(self, path: str) -> str:
        """A template's name: its path in the folder of templates."""
        folders = path.split("/")
        for place in range(len(folders) - 1, 0, -1):
            if folders[place - 1] in _FOLDERS:
                return "/".join(folders[place:])
        return path


language = Jinja()
