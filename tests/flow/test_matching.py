"""match statements."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### value
x = source()
match x:
    case "ls":
        sink(x)
    case _:
        sink(x)  # finding

### capture
match source():
    case x:
        sink(x)  # finding

### sequence
match ["safe", source()]:
    case [a, b]:
        sink(a)
        sink(b)  # finding

### star
items = ["safe", source()]
match items:
    case [a, *rest]:
        sink(rest[0])  # finding

### star over a display, which the grammar takes for a subscript
match ["safe", source()]:
    case [a, *rest]:
        sink(rest[0])  # missed

### mapping
match {"a": source(), "b": "safe"}:
    case {"a": a, "b": b}:
        sink(a)  # finding
        sink(b)

### mapping rest
match {"a": "safe", "b": source()}:
    case {"a": a, **rest}:
        sink(rest["b"])  # finding

### class
class P:
    def __init__(self, x):
        self.x = x

match P(source()):
    case P(x=v):
        sink(v)  # finding

### or
x = source()
match x:
    case "ls" | "ps":
        sink(x)

### guard
match source():
    case x if x in ("ls", "ps"):
        sink(x)

### as
match source():
    case str() as x:
        sink(x)  # finding

### decided
match 2:
    case 1:
        x = source()
    case 2:
        x = "safe"
sink(x)

### lengths
match ("a",):
    case (a, b):
        x = source()
    case (a,):
        x = "safe"
sink(x)

### all arms overwrite
x = source()
match unknown():
    case 1:
        x = "a"
    case _:
        x = "b"
sink(x)

### no arm may match
x = source()
match unknown():
    case 1:
        x = "a"
sink(x)  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_matching(program: str) -> None:
    check(program)
