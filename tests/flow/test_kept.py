"""What outlives a call: fields that another method sets, and module-level stores that another function fills."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### field set by another method
class C:
    def load(self):
        self.x = source()

    def run(self):
        sink(self.x)  # finding

### set by a subclass, read by the base
class B:
    def run(self):
        sink(self.x)  # finding

class C(B):
    def load(self):
        self.x = source()

### set by one base, read by the other
class A:
    def load(self):
        self.x = source()

class B:
    def run(self):
        sink(self.x)  # finding

class C(A, B):
    pass

### set and read by classes that nobody joins
class A:
    def load(self):
        self.x = source()

class B:
    def run(self):
        sink(self.x)

### field set to something else
class C:
    def load(self):
        self.x = source()
        self.y = "ls"

    def run(self):
        sink(self.y)

### field made harmless by the reader
class C:
    def load(self):
        self.x = source()

    def run(self):
        sink(str(int(self.x)))

### field set through a setter
class C:
    def set(self, x):
        self.x = x

    def load(self):
        self.set(source())

    def run(self):
        sink(self.x)  # finding

### field read through a getter
class C:
    def load(self):
        self.x = source()

    def get(self):
        return self.x

    def run(self):
        sink("ls " + self.get())  # finding

### field made of another field
class C:
    def load(self):
        self.x = source()

    def make(self):
        self.y = "ls " + self.x

    def run(self):
        sink(self.y)  # finding

### list that another method fills
class C:
    def __init__(self):
        self.items = []

    def add(self):
        self.items.append(source())

    def run(self):
        for item in self.items:
            sink(item)  # finding

### dict that another method fills
class C:
    def __init__(self):
        self.items = {}

    def add(self):
        self.items["a"] = source()
        self.items["b"] = "ls"

    def run(self):
        sink(self.items["a"])  # finding
        sink(self.items["b"])

### list of the class
class C:
    items = []

    def add(self):
        self.items.append(source())

    def run(self):
        sink(self.items[0])  # finding

### field of the base class
class A:
    def load(self):
        self.x = source()

class B(A):
    def run(self):
        sink(self.x)  # finding

### field of another class of the same name
class A:
    def load(self):
        self.x = source()

class B:
    def run(self):
        sink(self.x)

### field from another method decides the type
class Runner:
    def run(self, x):
        sink(x)  # finding

class C:
    def open(self):
        self.runner = Runner()

    def go(self):
        self.runner.run(source())

### passed to a method that keeps it, of an object that stays
class C:
    def __init__(self):
        self.x = ""

    def keep(self, x):
        self.x = x

    def run(self):
        sink(self.x)  # finding

c = C()

def f():
    c.keep(source())

def g():
    c.run()

### module-level list
items = []

def add():
    items.append(source())

def run():
    for item in items:
        sink(item)  # finding

### module-level list that is filled with something else
items = []

def add():
    items.append("ls")

def run():
    x = source()
    for item in items:
        sink(item)

### module-level dict
store = {}

def add(key):
    store[key] = source()

def run(key):
    sink(store.get(key))  # finding

### module-level dict, keys told apart
store = {}

def add():
    store["a"] = source()
    store["b"] = "ls"

def run():
    sink(store["a"])  # finding
    sink(store["b"])

### module-level variable
last = None

def add():
    global last
    last = source()

def run():
    sink(last)  # finding

### module-level variable, assigned a constant elsewhere
last = "ls"

def add():
    global last
    last = "ps"

def run():
    sink(last)

### local variable of the same name
last = []

def add():
    last = []
    last.append(source())

def run():
    sink(last[0])

### filled by a helper
items = []

def add(x):
    items.append(x)

def view():
    add(source())

def run():
    sink(items[-1])  # finding

### read by a helper
items = []

def newest():
    return items[-1]

def view():
    items.append(source())

def run():
    sink("ls " + newest())  # finding

### queue
import queue
jobs = queue.Queue()

def view():
    jobs.put(source())

def worker():
    while True:
        sink(jobs.get())  # finding

### in one function
items = []

def f():
    items.append(source())
    sink(items[0])  # finding

### records in a store
from dataclasses import dataclass

@dataclass
class Job:
    name: str
    count: int

jobs = []

def view():
    jobs.append(Job(source(), 1))

def run():
    for job in jobs:
        sink(job.name)  # finding

### a store of another module, filled there
from store import add, items

def run():
    sink(items[0])  # finding

# file: store.py
items = []

def add():
    items.append(source())

### a store of another module, filled here
from store import items

def add():
    items.append(source())

def run():
    sink(items[0])  # finding

# file: store.py
items = []

### a store of another module, by the module's name
import store

def add():
    store.items.append(source())

def run():
    sink(store.items[0])  # finding

# file: store.py
items = []

### a store of another module, filled here through its helper
from store import add, newest

def view():
    add(source())

def run():
    sink(newest())  # finding

# file: store.py
items = []

def add(x):
    items.append(x)

def newest():
    return items[-1]

### a store that two others share
import writer, reader

# file: store.py
items = []

# file: writer.py
import store

def add():
    store.items.append(source())

# file: reader.py
import store

def run():
    sink(store.items[0])  # missed
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_kept(program: str) -> None:
    check(program)
