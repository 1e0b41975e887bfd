"""A handler of a built-in exception behind a handler of its base class."""

from __future__ import annotations

import builtins
from collections.abc import Iterator

from ... import ir
from ...check import Context, Report

visits = (ir.Try,)

_EXCEPTIONS = {
    name: kind for name, kind in vars(builtins).items() if isinstance(kind, type) and issubclass(kind, BaseException)
}


def check(node: ir.Try, context: Context) -> Iterator[Report]:
    """Reports the type that is caught above."""
    if len(node.handlers) < 2:
        return
    caught: list[type[BaseException]] = []
    for handler in node.handlers:
        known = [(at, _EXCEPTIONS.get(context.path(at) or "")) for at in _types(handler)]
        if known and all(kind is not None and issubclass(kind, tuple(caught)) for _, kind in known):
            yield Report(known[0][0], name=context.text(known[0][0]))
        caught.extend(kind for _, kind in known if kind is not None)


def _types(handler: ir.Handler) -> list[ir.Expression]:
    found: list[ir.Expression] = []
    for at in handler.types:
        found.extend(at.items if isinstance(at, ir.Sequence) else [at])
    return found
