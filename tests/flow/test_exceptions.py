"""try, finally and with."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### body
try:
    sink(source())  # finding
except ValueError:
    pass

### handler sees what the body did
x = "safe"
try:
    x = source()
    unknown()
except ValueError:
    sink(x)  # finding

### handler sees what was before
x = source()
try:
    x = "safe"
    unknown()
except ValueError:
    sink(x)  # finding

### handler sees the middle of the body
x = "safe"
try:
    x = source()
    unknown()
    x = "safe"
except ValueError:
    sink(x)  # missed

### after
x = source()
try:
    x = "safe"
finally:
    pass
sink(x)

### finally after return
def f():
    x = source()
    try:
        return 1
    finally:
        sink(x)  # finding

### finally overwrites
x = source()
try:
    unknown()
finally:
    x = "safe"
sink(x)

### else
try:
    unknown()
except ValueError:
    x = "safe"
else:
    x = source()
sink(x)  # finding

### handler leaves
def f():
    x = source()
    try:
        x = int(x)
    except ValueError:
        return
    sink(f"head -{x}")

### handler replaces
def f():
    x = source()
    try:
        x = int(x)
    except ValueError:
        x = 0
    sink(f"head -{x}")

### handler forgets
def f():
    x = source()
    try:
        x = int(x)
    except ValueError:
        pass
    sink(f"head -{x}")  # finding

### the exception's text
def f():
    try:
        raise ValueError(source())
    except ValueError as e:
        sink(str(e))  # missed

### with as
with open(source()) as f:
    pass
sink("ls")

### with workspace class
class C:
    def __enter__(self):
        return source()

    def __exit__(self, *a):
        pass

def f():
    with C() as x:
        sink(x)  # finding

### contextmanager
from contextlib import contextmanager

@contextmanager
def c():
    yield source()

def f():
    with c() as x:
        sink(x)  # finding

### suppress
import contextlib
with contextlib.suppress(ValueError):
    x = source()
sink(x)  # finding

### nested try
def f():
    x = source()
    try:
        try:
            x = "safe"
        finally:
            unknown()
    except ValueError:
        return
    sink(x)
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_exceptions(program: str) -> None:
    check(program)
