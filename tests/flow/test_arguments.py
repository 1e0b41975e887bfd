"""Binding of arguments, results and effects."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### by place
def f(a, b):
    sink(b)  # finding

f("a", source())

### other place
def f(a, b):
    sink(a)

f("a", source())

### by name
def f(a, b):
    sink(a)  # finding

f(b="b", a=source())

### default
def f(a=source()):
    sink(a)  # missed

f()

### default that is not used
def f(a="ls"):
    sink(a)

f()

### star
def f(*args):
    sink(args[1])  # finding

f("a", source())

### star keeps places apart
def f(*args):
    sink(args[0])

f("a", source())

### double star
def f(**kwargs):
    sink(kwargs["a"])  # finding

f(a=source())

### double star other key
def f(**kwargs):
    sink(kwargs["b"])

f(a=source(), b="safe")

### spread list
def f(a, b):
    sink(b)  # finding

x = ["a", source()]
f(*x)

### spread list other place
def f(a, b):
    sink(a)

x = ["a", source()]
f(*x)

### spread dict
def f(a, b):
    sink(b)  # finding

f(**{"a": "a", "b": source()})

### passed through
def f(*args, **kwargs):
    g(*args, **kwargs)

def g(a, b=None):
    sink(b)  # finding

f("a", b=source())

### only by keyword
def f(a, *, b):
    sink(b)  # finding

f("a", b=source())

### only by place
def f(a, /, b):
    sink(a)  # finding

f(source(), b=1)

### result
def f(x):
    return x

sink(f(source()))  # finding

### result of something else
def f(x):
    return "ls"

sink(f(source()))

### tuple result
def f(x):
    return "safe", x

a, b = f(source())
sink(a)
sink(b)  # finding

### dict result
def f(x):
    return {"a": x, "b": "safe"}

sink(f(source())["b"])
sink(f(source())["a"])  # finding

### fills a list
def f(items):
    items.append(source())

x = []
f(x)
sink(x[0])  # finding

### fills a dict
def f(d, v):
    d["a"] = v

x = {}
f(x, source())
sink(x["a"])  # finding
sink(x.get("b", "safe"))

### fills an attribute
class C:
    pass

def f(c, v):
    c.x = v

c = C()
f(c, source())
sink(c.x)  # finding

### two levels
def f(x):
    return g(x)

def g(x):
    return "ls " + x

sink(f(source()))  # finding

### many levels
def a(x): return b(x)
def b(x): return c(x)
def c(x): return d(x)
def d(x): return e(x)
def e(x): sink(x)  # finding

a(source())

### part of an argument
def f(x):
    sink(x["a"])  # finding

f({"a": source(), "b": "safe"})

### other part of an argument
def f(x):
    sink(x["b"])

f({"a": source(), "b": "safe"})

### attribute of an argument
class C:
    pass

def f(c):
    sink(c.x)

c = C()
c.x = "safe"
c.y = source()
f(c)

### a flag decides
def f(x, quote):
    if quote:
        x = "safe"
    sink(x)  # finding

f(source(), False)

### a flag decides for safety
def f(x, quote):
    if quote:
        x = "safe"
    sink(x)

f(source(), True)

### clean result
import shlex

def clean(x):
    return shlex.quote(x)

sink("ls " + clean(source()))

### a handler's parameter
app = flask.Flask(__name__)

@app.route("/<name>")
def f(name):
    sink(name)  # finding

### an ordinary parameter
def f(name):
    sink(name)
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_arguments(program: str) -> None:
    check(program)
