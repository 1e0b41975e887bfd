"""The languages Closeread reads. One module a language; the folder is the registry.

A language module offers one object named `language` that satisfies `Language`. Everything that is
particular to a language is in its module (its grammar, what its nodes become, how its imports find
files) or in its library models; nothing else names a language.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol

from ..ir import Module

TEMPLATE = "template"
"""A file that is a template has a function unit of this name, which renders it: its one argument is the context."""

AUTOESCAPE = "(autoescape)"
"""False under this key of a context: this renderer does not escape."""


class TreeNode(Protocol):
    """A node of a syntax tree, as far as anybody outside its language asks."""

    @property
    def type(self) -> str:
        """What it is; the word "comment" is in the types of comments."""
        ...


class TreeRoot(Protocol):
    """The root of a syntax tree."""

    def descendant_for_byte_range(self, start: int, end: int, /) -> TreeNode | None:
        """The smallest node around these bytes."""
        ...


class Tree(Protocol):
    """A syntax tree, as far as anybody outside its language asks. tree-sitter's is one."""

    @property
    def root_node(self) -> TreeRoot:
        """The whole file."""
        ...

    def edit(
        self,
        start_byte: int,
        old_end_byte: int,
        new_end_byte: int,
        start_point: tuple[int, int],
        old_end_point: tuple[int, int],
        new_end_point: tuple[int, int],
    ) -> None:
        """The text was changed here, for incremental parsing."""
        ...


class Language(Protocol):
    """What a language module offers."""

    name: str
    """The folder of its library models, and its name in a rule's code fences: "python"."""

    suffixes: tuple[str, ...]
    """File suffixes, with the dot."""

    comment: str
    """What starts a comment that ends with the line: "#"; "" where there is no such comment."""

    traits: frozenset[str]
    """Facts that rules may ask for (`needs = [...]`) without naming the language.

    shared-defaults   default arguments are evaluated once, at definition
    none-identity     the null value is a singleton that is compared by identity
    assert-removable  assertions may be compiled away
    builtin-names     built-in functions are ordinary names that can be shadowed
    catch-by-type     exception handlers name types, and a bare one catches everything
    coroutine-calls   calling an async function without awaiting does nothing
    plain-imports     a line `import NAME` binds NAME
    loose-equality    == converts its operands
    routes            frameworks call functions that decorators, base classes or registrations name
    settings          values given to keys, and no code that runs
    image-recipe      instructions that make a container's image
    """

    def parse(self, source: bytes, previous: Any = None) -> Tree:
        """Parse UTF-8 `source`; `previous` is an edited earlier tree of this language for incremental parsing."""
        ...

    def lower(self, path: str, source: bytes, tree: Any, previous: Module | None = None) -> Module:
        """Lower a tree that `parse` made. Units of `previous` whose digest is unchanged are reused as they are.

        Never raises on any input: what cannot be lowered becomes a `SyntaxProblem`.
        """
        ...

    def resolve(self, importer: str, module: str, level: int) -> Iterable[str]:
        """Candidate project paths, best first, that `module` imported from file `importer` may be.

        `level` is the number of leading dots of a relative import (0: absolute).
        """
        ...

    def module_name(self, path: str) -> str:
        """The dotted name users know a file by ("pkg.mod"); for messages only."""
        ...


class NamedFiles(Protocol):
    """What a language may offer besides, if it is not by suffix alone that its files are known.

    A known suffix goes before a name, and a name before a prefix. All are in lower case.
    """

    names: tuple[str, ...]
    """Whole names of files: "dockerfile"."""

    prefixes: tuple[str, ...]
    """What names start with, up to and with a dot that is not their first character: ".env."."""

    largest: int | None
    """Files of more bytes are data, and nobody's source."""

    def reads(self, name: str) -> bool:
        """Whether this language wants a file of this name (no folder) that is one of its own by suffix or name."""
        ...


@cache
def languages() -> tuple[Language, ...]:
    """Every language in this folder, by name."""
    found: list[Language] = []
    for info in sorted(pkgutil.iter_modules(__path__), key=lambda info: info.name):
        module = importlib.import_module(f"{__name__}.{info.name}")
        if hasattr(module, "language"):
            found.append(module.language)
    return tuple(found)


@cache
def _by_suffix() -> dict[str, Language]:
    return {suffix: language for language in languages() for suffix in language.suffixes}


@cache
def _by_name() -> dict[str, Language]:
    """By whole names, and by prefixes: these end in a dot, so that none can be taken for the other."""
    by_language = {language.name: language for language in languages()}
    return {
        name: by_language[language] for language, named in _named().items() for name in (*named.names, *named.prefixes)
    }


@cache
def _named() -> dict[str, NamedFiles]:
    """What languages offer besides, by the language's name."""
    named: dict[str, Any] = {language.name: language for language in languages() if hasattr(language, "reads")}
    return named


@cache
def patterns() -> tuple[str, ...]:
    """Globs of all files that some language may read, for those who watch a folder: "**/*.py", "**/[Dd]ockerfile"."""
    globs = [f"**/*{suffix}" for suffix in _by_suffix()]
    for name in _by_name():
        first = f"[{name[0].upper()}{name[0]}]" if name[0].isalpha() else name[0]
        globs.append(f"**/{first}{name[1:]}{'*' if name.endswith('.') else ''}")
    return tuple(sorted(globs))


def language_of(path: str) -> Language | None:
    """The language of a file by its suffix or its name, or None."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    language = _by_suffix().get(name[dot:].lower()) if dot >= 0 else None
    if language is None:
        lower = name.lower()
        language = _by_name().get(lower) or _by_name().get(lower[: lower.find(".", 1) + 1])
    if language is None:
        return None
    named = _named().get(language.name)
    return language if named is None or named.reads(name) else None


def largest(path: str) -> int | None:
    """The size in bytes from which on a file of this name is data, and nobody's source; None if there is none."""
    language = language_of(path)
    named = _named().get(language.name) if language is not None else None
    return named.largest if named is not None else None
