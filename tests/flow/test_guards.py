"""Guards and barriers: what a test clears, and what a call does."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### workspace guard
def is_safe(x):
    return x in ("ls", "ps")

def f():
    x = source()
    if not is_safe(x):
        return
    sink(x)

### workspace guard with branches
def is_safe(x):
    if x in ("ls", "ps"):
        return True
    return False

def f():
    x = source()
    if is_safe(x):
        sink(x)

### workspace guard by a library guard
def is_safe(x):
    return x.isalnum()

def f():
    x = source()
    if not is_safe(x):
        return
    sink(x)

### guard with early False
def is_safe(x):
    if not x.isalnum():
        return False
    return True

def f():
    x = source()
    if not is_safe(x):
        return "no"
    sink(x)

### guard that raises
def check(x):
    if not x.isalnum():
        raise ValueError

def f():
    x = source()
    check(x)
    sink(x)

### guard of the other argument
def is_safe(x, y):
    return x in ("ls", "ps")

def f():
    x = source()
    y = source()
    if is_safe(x, y):
        sink(y)  # finding

### guard by name
def is_safe(x):
    return x in ("ls", "ps")

def f():
    x = source()
    if is_safe(x=x):
        sink(x)

### the wrong branch
def is_safe(x):
    return x in ("ls", "ps")

def f():
    x = source()
    if is_safe(x):
        pass
    else:
        sink(x)  # finding

### not a guard at all
def is_long(x):
    return len(x) > 3

def f():
    x = source()
    if is_long(x):
        sink(x)  # finding

### method guard
class C:
    def ok(self, x):
        return x in ("ls", "ps")

    def f(self):
        x = source()
        if not self.ok(x):
            return
        sink(x)

### library guard
def f():
    x = source()
    if x.isdigit():
        sink("head -" + x)

### library guard negated
def f():
    x = source()
    if not x.isdigit():
        sink("head -" + x)  # finding

### and
def f():
    x = source()
    if unknown() and x.isdigit():
        sink(x)

### or
def f():
    x = source()
    if unknown() or x.isdigit():
        sink(x)  # finding

### or and leave
def f():
    x = source()
    if not x or not x.isdigit():
        return
    sink(x)

### regular expression
import re

def f():
    x = source()
    if not re.fullmatch(r"[a-z]+", x):
        return
    sink(x)

### abort
from flask import abort

def f():
    x = source()
    if x not in ("a", "b"):
        abort(400)
    sink(x)

### dict as allow list
COMMANDS = {"a": "ls", "b": "ps"}

def f():
    sink(COMMANDS[source()])

### dict get as allow list
COMMANDS = {"a": "ls", "b": "ps"}

def f():
    sink(COMMANDS.get(source(), "ls"))

### dict get falls back on data
COMMANDS = {"a": "ls", "b": "ps"}

def f():
    x = source()
    sink(COMMANDS.get(x, x))  # finding

### barrier
sink("head -" + str(int(source())))

### barrier is not for the rest
x = source()
n = len(x)
sink(x)  # finding

### guard in a loop
def f():
    for x in source().split():
        if not x.isalnum():
            continue
        sink(x)

### all of them
def f():
    x = source()
    if all(c in "abc" for c in x):
        sink(x)

### common path
root = os.path.realpath("/srv")
x = os.path.realpath(os.path.join(root, source()))
if os.path.commonpath([root, x]) == root:
    sink("cat " + x)  # finding
    open(x)

### member of an enumeration
import enum

class Colour(enum.Enum):
    RED = "red"

sink(Colour(source()).value)
sink(Colour[source()].value)

### index of an enumeration
for index, word in enumerate([source()]):
    sink(str(index))
    sink(word)  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_guards(program: str) -> None:
    check(program)
