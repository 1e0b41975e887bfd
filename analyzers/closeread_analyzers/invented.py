"""Names that a changed function uses and nothing defines, and those of its own that it no longer uses.

A name counts as defined where the function, the module or the language binds it, or where the file used it before. A
member of a module counts where the file used it before, where a library model describes it, or where `there` says so.
Deliberately absent: members of values whose type nobody knows (`response.sanitized()`); those cannot be told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from . import ir
from .flow.scopes import Source
from .scope import import_path, names_of, scope_of, targets
from .tree import walk

Exists = Callable[[str], bool]
"""Whether a module, or a member of one, is known to exist, by its whole path: "shlex.quote", "builtins.len"."""


class Objection(NamedTuple):
    """Why a fix is none, "" if it is one; `invented` are the names in it that nothing defines."""

    reason: str
    invented: tuple[str, ...] = ()


def invented(before: Source, after: Source, function: str, there: Exists) -> tuple[str, ...]:
    """What the function of that qualified name uses in `after` that is defined nowhere, in the function's order."""
    unit = after.units.get(function)
    if unit is None:
        return (function,)
    module = names_of(after.module)
    used = {path for one in before.module.units for path in _paths(one.statement)}
    bound = module.scope.bound | _bound(unit.statement)
    imports = {**module.scope.imports, **_imports(unit.statement)}
    known_imports = set(names_of(before.module).scope.imports.values())
    known_imports.update(path for one in before.module.units for path in _imports(one.statement).values())

    def known(path: str) -> bool:
        models = after.models
        return path in models.calls or path in models.attributes or path in models.receivers or there(path)

    found = [
        path
        for path in _imports(unit.statement).values()
        if path not in known_imports
        and not known(path)
        and not any(one.startswith(f"{path}.") for one in known_imports)
    ]
    for path in _paths(unit.statement):
        root, dot, rest = path.partition(".")
        if path in used:
            continue
        if root not in bound and not there(f"builtins.{root}"):
            found.append(root)
        elif (
            dot
            and root in imports
            and not known(f"{imports[root]}.{rest.partition('.')[0]}")
            and not known(f"{imports[root]}.{rest}")
        ):
            found.append(path)
    return tuple(dict.fromkeys(found))


def forgotten(before: Source, after: Source, function: str) -> tuple[str, ...]:
    """The parameters and variables of a function that it read before and does not read any more."""
    then, now = before.units.get(function), after.units.get(function)
    if then is None or now is None:
        return ()
    return tuple(sorted((_read(then.statement) & _bound(then.statement)) - _read(now.statement)))


def _read(root: ir.Node) -> set[str]:
    """The names that are read somewhere in a function, and not only assigned."""
    assigned: set[int] = set()
    for node in walk(root):
        if isinstance(node, ir.Assign):
            assigned.update(id(target) for target in node.targets)
        elif isinstance(node, ir.For | ir.Clause | ir.Bind):
            assigned.add(id(node.target))
    return {node.id for node in walk(root) if isinstance(node, ir.Name) and id(node) not in assigned}


def _paths(root: ir.Node) -> Iterator[str]:
    """Every name, and every chain of members that begins with one: "os", "os.path", "os.path.join"."""
    for node in walk(root):
        if isinstance(node, ir.Name):
            yield node.id
        elif isinstance(node, ir.Attribute):
            parts = [node.name]
            value = node.value
            while isinstance(value, ir.Attribute):
                parts.append(value.name)
                value = value.value
            if isinstance(value, ir.Name):
                yield ".".join([value.id, *reversed(parts)])


def _imports(root: ir.Node) -> dict[str, str]:
    return {node.bound: import_path(node) for node in walk(root) if isinstance(node, ir.Import)}


def _bound(root: ir.Node) -> set[str]:
    """All that is bound anywhere in a function, and in what lies in it."""
    found: set[str] = set()
    for node in walk(root):
        if isinstance(node, ir.Function):
            found |= scope_of(node.body, node.parameters).bound | {node.name}
        elif isinstance(node, ir.Class):
            found.add(node.name)
        elif isinstance(node, ir.Clause | ir.Bind):
            found.update(targets(node.target))
    return found
