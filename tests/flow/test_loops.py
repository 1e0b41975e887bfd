"""Loops: until nothing new flows."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### over data
for v in source():
    sink(v)  # finding

### carried to the next turn
x = "safe"
for _ in range(3):
    sink(x)  # finding
    x = source()

### through two variables
a = b = "safe"
for _ in range(9):
    sink(a)  # finding
    a = b
    b = source()

### through three variables
a = b = c = "safe"
for _ in range(9):
    sink(a)  # missed
    a = b
    b = c
    c = source()

### after the loop
x = "safe"
for _ in unknown():
    x = source()
sink(x)  # finding

### overwritten in the loop
for _ in unknown():
    x = source()
    x = "safe"
    sink(x)

### break keeps
x = "safe"
while True:
    x = source()
    break
sink(x)  # finding

### after an endless loop
def f():
    while True:
        pass
    sink(source())

### after an endless loop of a module, what follows is walked all the same
while True:
    pass
sink(source())  # spurious

### continue
for _ in unknown():
    x = source()
    if unknown():
        continue
    x = "safe"
    sink(x)

### else of a loop
x = "safe"
for _ in unknown():
    pass
else:
    x = source()
sink(x)  # finding

### while with a test
x = source()
while x != "ls":
    x = unknown()
sink(x)

### a constant table
for cmd in ("ls", "ps"):
    sink(cmd)

### a table of pairs
for name, cmd in (("a", "ls"), ("b", "ps")):
    sink(cmd)

### collected
x = []
for v in source().split():
    x.append(v)
sink(" ".join(x))  # finding

### counter
i = 0
while i < 3:
    i += 1
sink("head -%d" % i)

### nested
for a in unknown():
    for b in source():
        x = b
sink(x)  # finding

### dict items
for k, v in {"a": source()}.items():
    sink(k)
    sink(v)  # finding

### async for
async def f():
    async for v in source():
        sink(v)  # finding

### carried to the test
x = "safe"
while sink(x):  # finding
    x = source()

### carried into what a `with` opens
x = "safe"
for _ in unknown():
    with unknown(sink(x)) as y:  # finding
        x = source()

### carried in a list
x = [unknown()]
for _ in unknown():
    sink(x[0])  # finding
    x[0] = source()

### carried to a function inside, which looks when it is called
def f():
    def look():
        return x
    x = "safe"
    for _ in unknown():
        sink(look())  # finding
        x = source()

### made anew by every turn
for _ in unknown():
    x = "safe"
    sink(x)
    x = source()

### text built up
x = "ls"
for v in unknown():
    x += source()
sink(x)  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_loops(program: str) -> None:
    check(program)
