"""What a name in a template means: the context's, a variable of the template itself, a global, or a macro.

The whole context is one parameter, a dict: that is how an included template gets it all, and how the engine
tells its keys apart. A name that the template binds anywhere is a variable from its start, first with the
context's value. Absent: the scopes of loops and blocks (a loop's variable is still there behind it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from ... import ir

CONTEXT: Final = "(context)"
"""The parameter. No template can name it."""

GLOBALS: Final = frozenset({"request", "session", "config", "g", "handler", "current_user"})
"""What frameworks put into every context: a name that models may know."""

_BINDINGS: Final = re.compile(
    r"^\{%[-+]?\s*(?:set|for)\b([^=%]*?)(?:=|\bin\b)|\b([A-Za-z_]\w*+)\s*+=(?!=)|\bas\s+([A-Za-z_]\w*)", re.ASCII
)
_WORD: Final = re.compile(r"[A-Za-z_]\w*", re.ASCII)


def bound_names(tags: Iterable[str]) -> frozenset[str]:
    """The names that these tags bind, and perhaps some that they do not, which is harmless."""
    names: set[str] = set()
    for tag in tags:
        for found in _BINDINGS.finditer(tag):
            targets, assigned, alias = found.groups()
            names.update(_WORD.findall(targets) if targets is not None else (assigned or alias,))
    return frozenset(names)


class Names:
    """The names in one function: the template, or a macro (whose free names are globals)."""

    def __init__(self, bound: frozenset[str], is_macro: bool) -> None:
        self.bound = bound
        self.is_macro = is_macro
        self.assigned: set[str] = set()
        self.used: set[str] = set()

    def read(self, name: str, start: int, end: int, called: bool) -> ir.Expression:
        """A name where its value is asked for."""
        plain = ir.Name(start, end, name)
        self.used.add(name)
        if self.is_macro or called or name in self.bound:
            return plain
        found = from_context(name, start, end)
        return ir.Boolean(start, end, "??", [found, plain]) if name in GLOBALS else found

    def target(self, name: str, start: int, end: int) -> ir.Expression:
        """A name where it is bound."""
        self.assigned.add(name)
        self.used.add(name)
        return ir.Name(start, end, name)


def from_context(name: str, start: int, end: int) -> ir.Expression:
    """The context's value under a name."""
    return ir.Subscript(start, end, ir.Name(start, end, CONTEXT), ir.Constant(start, end, name))
