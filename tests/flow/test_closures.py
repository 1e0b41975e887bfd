"""Functions as values: closures, decorators, partial, lambdas, generators, async."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### lambda
f = lambda x: "ls " + x
sink(f(source()))  # finding

### lambda at a sink
f = lambda x: sink(x)  # finding
f(source())

### closure reads
def outer():
    x = source()

    def inner():
        sink(x)  # finding

    inner()

### closure that nobody calls
def outer():
    x = source()

    def inner():
        sink(x)  # finding

    return inner

### closure writes
def outer():
    x = "safe"

    def inner():
        nonlocal x
        x = source()

    inner()
    sink(x)  # finding

### returned closure
def make(x):
    def inner():
        return x

    return inner

sink(make(source())())  # finding

### function passed on
def apply(f, x):
    f(x)

def run(x):
    sink(x)  # finding

apply(run, source())

### function in a dict
def run(x):
    sink(x)  # finding

table = {"run": run}
table["run"](source())

### partial
from functools import partial

def run(a, b):
    sink(b)  # finding

partial(run, "a")(source())

### partial holds it
from functools import partial

def run(a, b):
    sink(a)  # finding

partial(run, source())("b")

### decorator that wraps
def logged(f):
    def wrapper(*args, **kwargs):
        return f(*args, **kwargs)

    return wrapper

@logged
def run(x):
    sink(x)  # finding

run(source())

### decorator that cleans
def quoted(f):
    def wrapper(x):
        return f("safe")

    return wrapper

@quoted
def run(x):
    sink(x)

run(source())

### wraps
import functools

def logged(f):
    @functools.wraps(f)
    def wrapper(*args):
        return f(*args)

    return wrapper

@logged
def run(x):
    return x

sink(run(source()))  # finding

### generator
def g():
    yield source()

for x in g():
    sink(x)  # finding

### generator with next
def g():
    yield source()

sink(next(g()))  # finding

### yield from
def g():
    yield source()

def h():
    yield from g()

for x in h():
    sink(x)  # finding

### async
async def get():
    return source()

async def f():
    sink(await get())  # finding

### gather
import asyncio

async def get():
    return source()

async def f():
    a, b = await asyncio.gather(get(), get())
    sink(a)  # finding

### map of a lambda
for x in map(lambda v: "ls " + v, [source()]):
    sink(x)  # finding

### sorted by a key
sink(sorted([source()], key=lambda v: v)[0])  # finding

### recursion
def f(n, x):
    if n:
        return f(n - 1, x)
    return x

sink(f(3, source()))  # finding

### recursion that turns its arguments
def f(x, y, z):
    if unknown():
        return x
    return g(x, y, z)

def g(x, y, z):
    return f(y, z, x)

sink(f("a", "b", source()))  # finding

### mutual recursion to a sink
def even(n, x):
    if n == 0:
        sink(x)  # finding
    else:
        odd(n - 1, x)

def odd(n, x):
    even(n - 1, x)

odd(3, source())

### comprehension in a function
def f(items):
    return [i.strip() for i in items]

sink(f([source()])[0])  # finding

### lambda default
f = lambda x=source(): x
sink(f())  # finding

### late binding
def f():
    x = "safe"
    g = lambda: x
    x = source()
    sink(g())  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_closures(program: str) -> None:
    check(program)
