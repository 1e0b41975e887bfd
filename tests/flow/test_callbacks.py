"""Functions that something else calls: threads, executors, task queues, `map`, `partial`, and the methods behind operators."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### thread
import threading

def run(x):
    sink(x)  # finding

threading.Thread(target=run, args=(source(),)).start()

### thread, by keywords
from threading import Thread

def run(a, b):
    sink(a)
    sink(b)  # finding

Thread(target=run, kwargs={"a": "ls", "b": source()}).start()

### thread with a method
import threading

class C:
    def __init__(self, x):
        self.x = x

    def run(self):
        sink(self.x)  # finding

threading.Thread(target=C(source()).run).start()

### thread with a lambda
import threading

x = source()
threading.Thread(target=lambda: sink(x)).start()  # finding

### subclass of a thread
import threading

class Worker(threading.Thread):
    def __init__(self, x):
        super().__init__()
        self.x = x

    def run(self):
        sink(self.x)  # finding

Worker(source()).start()

### timer
import threading

def run(x):
    sink(x)  # finding

threading.Timer(5, run, [source()]).start()

### executor
from concurrent.futures import ThreadPoolExecutor

def run(x, y):
    sink(x)
    sink(y)  # finding

with ThreadPoolExecutor() as pool:
    pool.submit(run, "ls", source())

### executor that maps
from concurrent.futures import ThreadPoolExecutor

def run(x):
    sink(x)  # finding

with ThreadPoolExecutor() as pool:
    pool.map(run, ["ls", source()])

### executor of the loop
import asyncio

def run(x):
    sink(x)  # finding

async def f():
    loop = asyncio.get_running_loop()
    await loop.run_in_executor(None, run, source())

### to a thread
import asyncio

def run(x):
    return x

async def f():
    sink(await asyncio.to_thread(run, source()))  # finding

### to a thread, and made harmless there
import asyncio

def number(x):
    return int(x)

async def f():
    sink(str(await asyncio.to_thread(number, source())))

### task
import asyncio

async def run(x):
    sink(x)  # finding

async def f():
    asyncio.create_task(run(source()))

### task queue
from celery import shared_task

@shared_task
def run(x):
    sink(x)  # finding

@shared_task
def harmless(x):
    print(x)

def f():
    run.delay(source())
    harmless.delay(source())

### task queue, with a list of arguments
from celery import Celery
app = Celery()

@app.task
def run(x, y):
    sink(y)  # finding

def f():
    run.apply_async(args=["ls", source()], countdown=3)

### task queue, by a signature
from celery import shared_task

@shared_task
def run(x):
    sink(x)  # finding

def f():
    run.s(source()).delay()

### background task
from fastapi import BackgroundTasks

def run(x):
    sink(x)  # finding

def f(tasks: BackgroundTasks):
    tasks.add_task(run, source())

### job queue
def run(x):
    sink(x)  # finding

def f(queue):
    queue.enqueue(run, source())

### partial
from functools import partial

def run(x, y):
    sink(x)  # finding
    sink(y)

partial(run, source())("ls")

### partial, by keyword
from functools import partial

def run(x, y):
    sink(x)
    sink(y)  # finding

job = partial(run, y=source())
job("ls")

### partial, in a thread
import asyncio
from functools import partial

def run(x, y):
    sink(x)  # finding

async def f():
    await asyncio.to_thread(partial(run, source()), 3)

### map
def quoted(x):
    return "ls " + x

sink(" ".join(map(quoted, [source()])))  # finding

### map that makes harmless
def number(x):
    return str(int(x))

sink(" ".join(map(number, [source()])))

### map with a sink
def run(x):
    sink(x)  # finding

list(map(run, [source()]))

### handed to a function of the workspace
def each(items, do):
    for item in items:
        do(item)

def run(x):
    sink(x)  # finding

each([source()], run)

### kept in a dict and called
def run(x):
    sink(x)  # finding

table = {"run": run, "other": print}
table["run"](source())

### end of a context
class C:
    def __init__(self, x):
        self.x = x

    def __enter__(self):
        return self

    def __exit__(self, *details):
        sink(self.x)  # finding

with C(source()):
    pass

### context manager that gives data
from contextlib import contextmanager

@contextmanager
def opened():
    yield source()

with opened() as x:
    sink(x)  # finding

### context manager that takes data
from contextlib import contextmanager

@contextmanager
def opened(x):
    sink(x)  # finding
    yield

with opened(source()):
    pass

### asynchronous context
class C:
    async def __aenter__(self):
        return source()

    async def __aexit__(self, *details):
        pass

async def f():
    async with C() as x:
        sink(x)  # finding

### text of an object
class C:
    def __init__(self, x):
        self.x = x

    def __str__(self):
        return "ls " + self.x

sink(str(C(source())))  # finding
sink(f"{C(source())}")  # finding
sink(f"{C('a')}")

### iteration of an object
class C:
    def __init__(self, x):
        self.x = x

    def __iter__(self):
        yield self.x

for x in C(source()):
    sink(x)  # finding

### iteration that makes harmless
class C:
    def __init__(self, x):
        self.x = x

    def __iter__(self):
        yield str(int(self.x))

for x in C(source()):
    sink(x)

### item of an object
class C:
    def __init__(self, x):
        self.x = x

    def __getitem__(self, key):
        return self.x

sink(C(source())["a"])  # finding
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_callbacks(program: str) -> None:
    check(program)
