"""Imports of all kinds, module-level flows and globals."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### from
from b import f
f(source())
# file: b.py
def f(x):
    sink(x)  # finding

### import
import b
b.f(source())
# file: b.py
def f(x):
    sink(x)  # finding

### import as
import b as c
c.f(source())
# file: b.py
def f(x):
    sink(x)  # finding

### from as
from b import f as g
g(source())
# file: b.py
def f(x):
    sink(x)  # finding

### star
from b import *
f(source())
# file: b.py
def f(x):
    sink(x)  # finding

### package
import pkg.b
pkg.b.f(source())
# file: pkg/__init__.py
# file: pkg/b.py
def f(x):
    sink(x)  # finding

### package without init
import pkg.b
pkg.b.f(source())
# file: pkg/b.py
def f(x):
    sink(x)  # finding

### submodule from package
from pkg import b
b.f(source())
# file: pkg/__init__.py
# file: pkg/b.py
def f(x):
    sink(x)  # finding

### re-export
from pkg import f
f(source())
# file: pkg/__init__.py
from .b import f
# file: pkg/b.py
def f(x):
    sink(x)  # finding

### re-export by star
from pkg import f
f(source())
# file: pkg/__init__.py
from .b import *
# file: pkg/b.py
def f(x):
    sink(x)  # finding

### relative
# file: pkg/a.py
from .b import f
f(source())
# file: pkg/b.py
def f(x):
    sink(x)  # finding

### relative to the parent
# file: pkg/sub/a.py
from ..b import f
f(source())
# file: pkg/b.py
def f(x):
    sink(x)  # finding

### inside a function
def g():
    from b import f
    f(source())
# file: b.py
def f(x):
    sink(x)  # finding

### under try
try:
    import fast as impl
except ImportError:
    import b as impl
impl.f(source())
# file: b.py
def f(x):
    sink(x)  # finding

### in a circle
import b

def f(x):
    sink(x)  # finding

b.g()
# file: b.py
import app

def g():
    app.f(source())

### class from elsewhere
from b import C
C(source()).run()
# file: b.py
class C:
    def __init__(self, x):
        self.x = x

    def run(self):
        sink(self.x)  # finding

### base class from elsewhere
from b import A

class B(A):
    pass

B().run(source())
# file: b.py
class A:
    def run(self, x):
        sink(x)  # finding

### constant from elsewhere
from b import DEBUG

def f():
    if DEBUG:
        sink(source())
# file: b.py
DEBUG = False

### data from elsewhere
from b import x
sink(x)  # finding
# file: b.py
x = source()

### object from elsewhere
from b import runner
runner.run(source())
# file: b.py
class R:
    def run(self, x):
        sink(x)  # finding

runner = R()

### global read in a function
x = source()

def f():
    sink(x)  # finding

### global overwritten
x = source()
x = "safe"

def f():
    sink(x)

### global written in a function
x = "safe"

def load():
    global x
    x = source()

def f():
    sink(x)  # finding

### global list filled
items = []

def load():
    items.append(source())

def f():
    sink(items[0])  # finding

### local hides global
x = source()

def f():
    x = "safe"
    sink(x)

### import_module
import importlib
b = importlib.import_module("b")
b.f(source())
# file: b.py
def f(x):
    sink(x)  # finding

### main guard
def main():
    sink(source())  # finding

if __name__ == "__main__":
    main()

### attribute of a module is set
import b
b.x = source()
sink(b.x)  # missed
# file: b.py
x = "safe"

### name in __all__
from b import *
f(source())
# file: b.py
__all__ = ["f"]

def f(x):
    sink(x)  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_imports(program: str) -> None:
    check(program)
