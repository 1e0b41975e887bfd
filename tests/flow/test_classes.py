"""Classes: fields, inheritance, super, properties, classmethods, dataclasses."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### field
class C:
    def __init__(self, x):
        self.x = x

c = C(source())
sink(c.x)  # finding

### other field
class C:
    def __init__(self, x):
        self.x = x
        self.y = "safe"

c = C(source())
sink(c.y)

### two objects
class C:
    def __init__(self, x):
        self.x = x

a = C(source())
b = C("safe")
sink(b.x)

### method reads the field
class C:
    def __init__(self, x):
        self.x = x

    def run(self):
        sink(self.x)  # finding

C(source()).run()

### method is called on a safe object
class C:
    def __init__(self, x):
        self.x = x

    def run(self):
        sink(self.x)

C("safe").run()

### getter
class C:
    def __init__(self, x):
        self.x = x

    def get(self):
        return self.x

sink(C(source()).get())  # finding

### setter
class C:
    def set(self, x):
        self.x = x

c = C()
c.set(source())
sink(c.x)  # finding

### field from the constructor itself
class C:
    def __init__(self):
        self.x = source()

    def run(self):
        sink(self.x)  # finding

### field in a container from the constructor
class C:
    def __init__(self):
        self.x = [source()]

    def run(self):
        sink(self.x[0])  # finding

### field set by another method
class C:
    def load(self):
        self.x = source()

    def run(self):
        sink(self.x)  # finding

### inherited method
class A:
    def run(self, x):
        sink(x)  # finding

class B(A):
    pass

B().run(source())

### overridden method
class A:
    def run(self, x):
        sink(x)

class B(A):
    def run(self, x):
        pass

B().run(source())

### super
class A:
    def run(self, x):
        sink(x)  # finding

class B(A):
    def run(self, x):
        super().run(x)

B().run(source())

### super constructor
class A:
    def __init__(self, x):
        self.x = x

class B(A):
    def __init__(self, x):
        super().__init__(x)

sink(B(source()).x)  # finding

### super by name
class A:
    def __init__(self, x):
        self.x = x

class B(A):
    def __init__(self, x):
        A.__init__(self, x)

sink(B(source()).x)  # finding

### template method
class A:
    def run(self):
        sink(self.cmd())  # finding

class B(A):
    def cmd(self):
        return source()

B().run()

### property
class C:
    @property
    def x(self):
        return source()

sink(C().x)  # finding

### property with a setter
class C:
    @property
    def x(self):
        return self._x

    @x.setter
    def x(self, value):
        self._x = value

c = C()
c._x = source()
sink(c.x)  # finding

### property setter stores
class C:
    @property
    def x(self):
        return self._x

    @x.setter
    def x(self, value):
        self._x = value

c = C()
c.x = source()
sink(c.x)  # finding

### classmethod
class C:
    @classmethod
    def make(cls, x):
        return cls(x)

    def __init__(self, x):
        self.x = x

sink(C.make(source()).x)  # finding

### staticmethod
class C:
    @staticmethod
    def run(x):
        sink(x)  # finding

C.run(source())

### staticmethod on an object
class C:
    @staticmethod
    def run(x):
        sink(x)  # finding

C().run(source())

### class attribute
class C:
    x = source()

sink(C.x)  # finding

### class attribute through self
class C:
    cmd = "ls"

    def run(self):
        sink(self.cmd)

### dataclass
from dataclasses import dataclass

@dataclass
class C:
    a: str
    b: str

c = C(source(), "safe")
sink(c.a)  # finding
sink(c.b)

### dataclass by name
from dataclasses import dataclass

@dataclass
class C:
    a: str
    b: str

sink(C(b=source(), a="safe").b)  # finding

### call
class C:
    def __call__(self, x):
        sink(x)  # finding

C()(source())

### nested class
class A:
    class B:
        def run(self, x):
            sink(x)  # finding

A.B().run(source())

### method through a parameter's annotation
class C:
    def run(self, x):
        sink(x)  # finding

def f(c: C):
    c.run(source())

### method through a field
class Runner:
    def run(self, x):
        sink(x)  # finding

class C:
    def __init__(self):
        self.runner = Runner()

    def go(self):
        self.runner.run(source())

### method through a module variable
class C:
    def run(self, x):
        sink(x)  # finding

c = C()

def f():
    c.run(source())

### object given to the constructor
class Runner:
    def run(self, x):
        sink(x)  # finding

class C:
    def __init__(self, runner):
        self.runner = runner

    def go(self, x):
        self.runner.run(x)

C(Runner()).go(source())

### one of two kinds of objects given to the constructor
class Runner:
    def run(self, x):
        sink(x)

class Harmless:
    def run(self, x):
        pass

class C:
    def __init__(self, runner):
        self.runner = runner

    def go(self, x):
        self.runner.run(x)

C(Harmless()).go(source())

### objects given on, two deep
class Store:
    def find(self, x):
        sink(x)  # finding

class Service:
    def __init__(self, store):
        self.store = store

    def find(self, x):
        return self.store.find(x.strip())

class View:
    def __init__(self, service):
        self.service = service

    def get(self):
        return self.service.find(source())

View(Service(Store())).get()

### object given to the constructor of what a module makes
class Runner:
    def run(self, x):
        sink(x)  # finding

class C:
    def __init__(self, runner):
        self.runner = runner

    def go(self, x):
        self.runner.run(x)

c = C(Runner())

def view():
    c.go(source())

### chained builder
class B:
    def __init__(self):
        self.parts = []

    def add(self, x):
        self.parts.append(x)
        return self

    def text(self):
        return " ".join(self.parts)

sink(B().add("ls").add(source()).text())  # finding

### getattr
class C:
    def run(self, x):
        sink(x)  # finding

getattr(C(), "run")(source())

### setattr
class C:
    pass

c = C()
setattr(c, "x", source())
sink(c.x)  # finding

### item protocol
class C:
    def __getitem__(self, key):
        return source()

sink(C()["a"])  # finding

### str protocol
class C:
    def __str__(self):
        return source()

sink(str(C()))  # finding

### redefined function
def f(x):
    sink(x)

def f(x):
    pass

f(source())

### overload
from typing import overload

@overload
def f(x: int) -> int: ...
@overload
def f(x: str) -> str: ...
def f(x):
    sink(x)  # finding

f(source())
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_classes(program: str) -> None:
    check(program)
