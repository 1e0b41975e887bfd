"""Regular expressions that are compiled late: each of them can be."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from typing import Any

import pytest

import closeread_analyzers
from closeread_analyzers.pattern import _Later, later


def test_it_is_compiled_when_it_is_asked() -> None:
    pattern, broken = later("a(b)", re.IGNORECASE), later("(")
    found = pattern.search("xAB")

    assert found is not None and found[1] == "B"
    assert (pattern.pattern, pattern.groups) == ("a(b)", 1)
    with pytest.raises(re.error):
        broken.match("x")


def patterns() -> Iterator[tuple[str, Any]]:
    for info in pkgutil.walk_packages(closeread_analyzers.__path__, "closeread_analyzers."):
        for name, value in vars(importlib.import_module(info.name)).items():
            yield from ((f"{info.name}.{name}", one) for one in (value if isinstance(value, tuple) else (value,)))


def test_each_can_be_compiled() -> None:
    late = {name: value for name, value in patterns() if isinstance(value, _Later)}

    assert len(late) > 60
    assert [name for name, value in late.items() if not isinstance(value.pattern, str | bytes)] == []
