"""What the standard library of this Python has: its modules' names, read from their sources and not run.

To tell a proposal that uses it from one that made something up. Deliberately absent: members of classes, and packages that
are installed beside it, since those of this Python need not be the project's.
"""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import importlib.util
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path


def has(path: str) -> bool:
    """Whether there is such a module, or such a member of one: "shlex", "os.path.join"."""
    first, _, rest = path.partition(".")
    if first not in sys.stdlib_module_names or first.startswith("_"):
        return False
    module, names = first, rest.split(".") if rest else []
    while names and _spec(f"{module}.{names[0]}") is not None:
        module = f"{module}.{names.pop(0)}"
    return _spec(module) is not None and (not names or names[0] in _names(module))


def is_module(name: str) -> bool:
    """Whether `import NAME` gives a module of the standard library that programs use by that name."""
    return name in sys.stdlib_module_names and not name.startswith("_") and _spec(name) is not None


@lru_cache(maxsize=512)
def _spec(module: str) -> importlib.machinery.ModuleSpec | None:
    """Where a module is; found without running the packages around it."""
    parent, _, name = module.rpartition(".")
    if not parent:
        return importlib.util.find_spec(name)
    around = _spec(parent)
    if around is None or around.submodule_search_locations is None:
        return None
    found = importlib.machinery.PathFinder.find_spec(module, list(around.submodule_search_locations))
    return found if found is not None and found.origin is not None else None


@lru_cache(maxsize=128)
def _names(module: str) -> frozenset[str]:
    spec = _spec(module)
    if spec is None:
        return frozenset()
    if spec.origin is None or not isinstance(spec.loader, importlib.machinery.SourceFileLoader):
        # Compiled into the interpreter, or lying beside it: to be asked, it has to be loaded, and does nothing by itself.
        return frozenset(dir(importlib.import_module(module)))
    return frozenset(_bound(ast.parse(Path(spec.origin).read_bytes()).body))


def _bound(body: list[ast.stmt]) -> Iterator[str]:
    for statement in body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield statement.name
        elif isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*" and statement.module:
            yield from _names(statement.module) if not statement.level else ()
        elif isinstance(statement, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.Assign | ast.AnnAssign):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [node.id for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)]
            yield from names
            if (
                any(name.startswith("__") for name in names) and statement.value is not None
            ):  # lists of names, as __all__ is
                yield from (str(node.value) for node in ast.walk(statement.value) if isinstance(node, ast.Constant))
        else:
            for part in ("body", "orelse", "finalbody"):
                yield from _bound(getattr(statement, part, []))
            for handler in getattr(statement, "handlers", []):
                yield from _bound(handler.body)
