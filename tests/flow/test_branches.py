"""Branches and constants: what is decided is not walked, what is not is joined."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### straight
sink(source())  # finding

### constant
sink("ls")

### dead branch
if False:
    sink(source())

### both branches
x = source()
if unknown():
    x = "safe"
sink(x)  # finding

### overwritten on both branches
x = source()
if unknown():
    x = "a"
else:
    x = "b"
sink(x)

### decided by arithmetic
n = 106
x = "safe" if 7 * 18 + n > 200 else source()
sink(x)

### decided by text
mode = "AB"[1]
x = source()
if mode == "B":
    x = "safe"
sink(x)

### decided in a function
def f():
    debug = 0
    x = source()
    if debug:
        return
    sink(x)  # finding

### elif chain
def f(kind):
    x = source()
    if kind == 1:
        x = "a"
    elif kind == 2:
        x = "b"
    else:
        x = "c"
    sink(x)

### short circuit
x = "safe" or source()
sink(x)

### or with unknown
x = unknown() or source()
sink(x)  # finding

### and keeps the last
x = "a" and source()
sink(x)  # finding

### conditional expression
x = source() if unknown() else "safe"
sink(x)  # finding

### equality makes a constant
def f():
    x = source()
    if x == "ls":
        sink(x)
    sink(x)  # finding

### membership in constants
def f():
    x = source()
    if x not in ("ls", "ps"):
        return
    sink(x)

### not equal and leave
def f():
    x = source()
    if x != "ls":
        return
    sink(x)

### after raise
def f():
    x = source()
    raise ValueError
    sink(x)

### walrus
if (x := source()):
    sink(x)  # finding

### chained comparison
x = source()
if 1 < 2 < 3:
    x = "safe"
sink(x)

### never a number
def f():
    x = int(source())
    sink(f"ping -c {x} host")

### assert does not help
def f():
    x = source()
    assert x
    sink(x)  # finding

### a function's constant result decides
def enabled():
    return False

def f():
    x = "safe"
    if enabled():
        x = source()
    sink(x)

### a module constant in capitals decides
DEBUG = False

def f():
    if DEBUG:
        sink(source())

### a module variable may have changed
debug = False

def f():
    if debug:
        sink(source())  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_branches(program: str) -> None:
    check(program)
