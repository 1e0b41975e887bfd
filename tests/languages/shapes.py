"""A compact writing of the IR, so that a test reads as source -> shape. Positions are left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

from closeread_analyzers import ir
from closeread_analyzers.languages.python import language

_SILENT = {"start", "end", "digest"}


def module(source: str | bytes, previous: ir.Module | None = None) -> ir.Module:
    text = source.encode() if isinstance(source, str) else source
    return language.lower("pkg/mod.py", text, language.parse(text), previous)


def shape(value: object) -> str:
    """Fields at their default are left out."""
    if isinstance(value, list | tuple):
        inner = " ".join(shape(item) for item in value)
        return f"[{inner}]"
    if isinstance(value, ir.Name):
        return value.id
    if isinstance(value, ir.Constant):
        return repr(value.value)
    if isinstance(value, ir.Argument) and not value.name and not value.spread:
        return shape(value.value)
    if isinstance(value, ir.ExpressionStatement):
        return shape(value.value)
    if dataclasses.is_dataclass(value):
        shown: list[str] = []
        for f in dataclasses.fields(value):
            inner = getattr(value, f.name)
            default = f.default_factory() if f.default_factory is not dataclasses.MISSING else f.default
            if f.name not in _SILENT and (default is dataclasses.MISSING or inner != default):
                shown.append(inner if isinstance(inner, str) else shape(inner))
        return f"{type(value).__name__}({', '.join(shown)})"
    return str(value)


def shapes(source: str | bytes) -> str:
    lowered = module(source)
    return "; ".join(shape(unit.statement) for unit in lowered.units)


def nodes(root: object) -> Iterator[ir.Node]:
    """Every node below, iteratively, and each once."""
    pending = [root]
    seen: set[int] = set()
    while pending:
        value = pending.pop()
        if isinstance(value, list | tuple):
            pending.extend(value)
        elif isinstance(value, ir.Node) and id(value) not in seen:
            seen.add(id(value))
            yield value
            pending.extend(getattr(value, f.name) for f in dataclasses.fields(value))
