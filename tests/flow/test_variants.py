"""Functions as others than their text says: wrapped by decorators of the workspace, or run on an object of a subclass."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### decorator that passes on
def timed(function):
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

@timed
def run(x):
    sink(x)  # finding

run(source())

### decorator that hands in data
def with_argument(function):
    def wrapper(*args):
        return function(source(), *args)
    return wrapper

@with_argument
def run(x, y):
    sink(x)  # finding
    sink(y)

### decorator with an argument
def with_argument(name):
    def decorate(function):
        def wrapper(*args):
            return function(flask.request.args[name], *args)
        return wrapper
    return decorate

@with_argument("q")
def run(x):
    sink(x)  # finding

### decorator with a sink of its own
def logged(function):
    def wrapper(x):
        sink(x)  # finding
        return function(x)
    return wrapper

@logged
def run(x):
    pass

run(source())

### decorator with a sink of its own that registers too
names = []

def logged(function):
    names.append(function.__name__)
    def wrapper(x):
        sink(x)  # finding
        return function(x)
    return wrapper

@logged
def run(x):
    pass

run(source())

### table that decorators fill
table = {}

def register(name):
    def keep(function):
        table[name] = function
        return function
    return keep

@register("one")
def first(x):
    sink(x)  # finding

@register("two")
def second(x):
    sink(str(int(x)))

def call(name):
    table[name](source())

### decorator that makes harmless
def numbered(function):
    def wrapper(x):
        return function(str(int(x)))
    return wrapper

@numbered
def run(x):
    sink(x)

run(source())

### decorator that changes the result
def prefixed(function):
    def wrapper(*args):
        return "ls " + function(*args)
    return wrapper

@prefixed
def name():
    return source()

sink(name())  # finding

### decorator that makes the result harmless
def quoted(function):
    def wrapper(*args):
        return str(int(function(*args)))
    return wrapper

@quoted
def name():
    return source()

sink(name())

### decorator that registers
table = {}

def register(function):
    table[function.__name__] = function
    return function

@register
def run(x):
    sink(x)  # finding

run(source())

### decorator that is a class
class Wrapper:
    def __init__(self, function):
        self.function = function

    def __call__(self, x):
        return self.function(x)

@Wrapper
def run(x):
    sink(x)  # finding

run(source())

### two decorators
def upper(function):
    def wrapper(x):
        return function(x.upper())
    return wrapper

def given(function):
    def wrapper():
        return function(source())
    return wrapper

@given
@upper
def run(x):
    sink(x)  # finding

run()

### decorator of a method
def timed(function):
    def wrapper(self, *args):
        return function(self, *args)
    return wrapper

class C:
    @timed
    def run(self, x):
        sink(x)  # finding

C().run(source())

### decorator of another module
from deco import with_argument

@with_argument
def run(x):
    sink(x)  # finding

# file: deco.py
def with_argument(function):
    def wrapper(*args):
        return function(source(), *args)
    return wrapper

### template method
class A:
    def run(self):
        sink(self.cmd())  # finding

class B(A):
    def cmd(self):
        return source()

### template method of a class that gives nothing
class A:
    def run(self):
        sink(self.cmd())

    def cmd(self):
        return "ls"

class B(A):
    def cmd(self):
        return "ps"

### hook that holds the sink
class A:
    def run(self):
        self.handle(source())

class B(A):
    def handle(self, x):
        sink(x)  # finding

### hook, called from outside
class A:
    def run(self, x):
        self.handle(x)

    def handle(self, x):
        pass

class B(A):
    def handle(self, x):
        sink(x)  # finding

class D(A):
    def handle(self, x):
        sink(str(int(x)))

B().run(source())
D().run(source())

### hook, on an object that has none
class A:
    def run(self, x):
        self.handle(x)

    def handle(self, x):
        pass

class B(A):
    def handle(self, x):
        sink(x)

A().run(source())

### hook behind a helper
class A:
    def run(self, x):
        self.helper(x)

    def helper(self, x):
        self.handle(x)

class B(A):
    def handle(self, x):
        sink(x)  # finding

B().run(source())

### class attribute of the subclass
class A:
    command = "ls"

    def run(self):
        sink(self.command)  # finding

class B(A):
    command = source()

### abstract base
from abc import ABC, abstractmethod

class Repository(ABC):
    @abstractmethod
    def query(self, condition):
        ...

    def named(self, name):
        return self.query("name = " + name)

class Shell(Repository):
    def query(self, condition):
        sink(condition)  # finding

def view():
    Shell().named(source())

### handler of a mixin
from flask.views import MethodView

class Mixin:
    def get(self, name):
        sink("ls " + name)  # finding

class View(Mixin, MethodView):
    pass

### base class of another module
from base import A

class B(A):
    def cmd(self):
        return source()

# file: base.py
class A:
    def run(self):
        sink(self.cmd())  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_variants(program: str) -> None:
    check(program)
