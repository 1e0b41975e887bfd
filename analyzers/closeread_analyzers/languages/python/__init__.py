"""Python 3, and what of Python 2 the grammar still reads."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator

import tree_sitter

from ...ir import Module
from ..lowering import parsed
from .grammar import GRAMMAR
from .lowerer import PythonLowerer

_SOURCE_ROOTS = ("src", "lib", "app", "python")


class Python:
    """Satisfies `Language`."""

    name = "python"
    suffixes = (".py", ".pyw")
    comment = "#"
    traits = frozenset(
        {
            "shared-defaults",
            "none-identity",
            "assert-removable",
            "builtin-names",
            "catch-by-type",
            "coroutine-calls",
            "plain-imports",
            "routes",
        }
    )

    def parse(self, source: bytes, previous: tree_sitter.Tree | None = None) -> tree_sitter.Tree:
        """Parse `source`; `previous` is an edited earlier tree."""
        return parsed(GRAMMAR, source, previous)

    def lower(self, path: str, source: bytes, tree: tree_sitter.Tree, previous: Module | None = None) -> Module:
        """Lower a tree; never raises."""
        return PythonLowerer(path, source, tree, previous).module()

    def resolve(self, importer: str, module: str, level: int) -> Iterable[str]:
        """Candidate files, best first.

        An absolute import is looked for beside the importer, then in each folder above it, then in the usual source
        roots: without knowing `sys.path`, the nearest is the likeliest. A name of the standard library
        is believed to be the project's only at a root, because a package's own `types.py` does not hide `types`.
        """
        return [path for path in self._candidates(importer, module, level) if path != importer]

    def _candidates(self, importer: str, module: str, level: int) -> Iterator[str]:
        folders = importer.split("/")[:-1]
        inner = module.split(".") if module else []
        if level:
            if level - 1 <= len(folders):
                package = folders[: len(folders) - level + 1]
                yield from _files(package + inner) if inner else ["/".join([*package, "__init__.py"])]
            return
        if not inner:
            return
        if inner[0] not in sys.stdlib_module_names:
            for count in range(len(folders), 0, -1):
                yield from _files(folders[:count] + inner)
        yield from _files(inner)
        for root in _SOURCE_ROOTS:
            yield from _files([root, *inner])

    def module_name(self, path: str) -> str:
        """The dotted name of a file."""
        names = path.rsplit(".", 1)[0].split("/")
        if len(names) > 1 and names[0] == "src":
            names = names[1:]
        if len(names) > 1 and names[-1] == "__init__":
            names = names[:-1]
        return ".".join(names)


def _files(names: list[str]) -> Iterator[str]:
    path = "/".join(names)
    yield f"{path}.py"
    yield f"{path}/__init__.py"


language = Python()
