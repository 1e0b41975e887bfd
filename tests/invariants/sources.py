"""The project's own source code, as trees: what the tests of the invariants look at."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
ANALYZERS = ROOT / "analyzers" / "closeread_analyzers"
SERVER = ROOT / "server" / "closeread"
SIDECAR = ROOT / "server" / "closeread_sidecar"


@dataclass(frozen=True)
class Source:
    """One Python file. `name` is its path from the source root, "closeread/lsp/server.py"."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, self.name)

    def imports(self) -> Iterator[tuple[int, str]]:
        """Line and absolute dotted name of every import, wherever it stands; relative ones are resolved."""
        package = self.name.removesuffix(".py").split("/")[:-1]
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node.lineno, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = package[: len(package) - node.level + 1] if node.level else []
                module = ".".join([*base, *(node.module.split(".") if node.module else [])])
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in node.names)

    def calls(self) -> Iterator[tuple[int, str]]:
        """Line and dotted name, as written, of everything that is called."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                yield node.lineno, ast.unparse(node.func)

    def strings(self) -> Iterator[tuple[int, str]]:
        """Line and value of every string literal that is not a docstring."""
        documentation = {
            id(node.body[0].value)
            for node in ast.walk(self.tree)
            if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                yield node.lineno, node.value


def sources(*folders: Path) -> list[Source]:
    """Every Python file below some source folders."""
    found = [
        Source(file.relative_to(folder.parent).as_posix(), file.read_text(encoding="utf-8"))
        for folder in folders
        for file in sorted(folder.rglob("*.py"))
    ]
    assert found, f"no source below {folders}"
    return found


def importing(files: list[Source], *modules: str) -> list[str]:
    """`file:line module` for every import of one of `modules` or of something in it."""
    return [
        f"{source.name}:{line} {name}"
        for source in files
        for line, name in source.imports()
        if any(name == module or name.startswith(f"{module}.") for module in modules)
    ]
