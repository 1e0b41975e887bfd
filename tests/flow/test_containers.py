"""Lists, dicts, sets and tuples: known keys and positions are told apart."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### other position
x = [source(), "safe"]
sink(x[1])

### same position
x = [source(), "safe"]
sink(x[0])  # finding

### negative position
x = ["safe", source()]
sink(x[-1])  # finding

### other key
x = {"a": source(), "b": "safe"}
sink(x["b"])

### same key
x = {"a": source(), "b": "safe"}
sink(x["a"])  # finding

### key set later
x = {}
x["a"] = source()
sink(x["a"])  # finding

### key overwritten
x = {"a": source()}
x["a"] = "safe"
sink(x["a"])

### unknown key
x = {"a": source()}
sink(x[unknown()])  # finding

### get with default
x = {"a": source()}
sink(x.get("b", "safe"))

### get of the key
x = {"a": source()}
sink(x.get("a"))  # finding

### default is tainted
x = {}
sink(x.get("a", source()))  # finding

### append and pop
x = ["safe"]
x.append(source())
sink(x.pop())  # finding

### pop shifts
x = ["a", source(), "b"]
x.pop(0)
sink(x[0])  # finding

### remove first then safe
x = [source(), "b"]
x.pop(0)
sink(x[0])

### insert
x = ["a"]
x.insert(0, source())
sink(x[1])

### extend
x = ["a"]
x.extend(["b", source()])
sink(x[2])  # finding

### whole list
x = ["ls", source()]
sink(" ".join(x))  # finding

### slice
x = ["a", source(), "b"]
sink(x[0:1][0])

### slice with it
x = ["a", source(), "b"]
sink(x[1:][0])  # finding

### concatenation
x = ["a"] + [source()]
sink(x[1])  # finding

### unpacking
a, b = "safe", source()
sink(a)
sink(b)  # finding

### unpacking with a star
a, *b = ["safe", source(), "x"]
sink(a)
sink(b[0])  # finding

### star in the middle
a, *b, c = ["a", source(), "safe"]
sink(c)

### swap
a, b = "safe", source()
a, b = b, a
sink(a)  # finding
sink(b)

### nested
x = {"a": {"b": [source()]}}
sink(x["a"]["b"][0])  # finding

### nested other
x = {"a": {"b": [source()], "c": "safe"}}
sink(x["a"]["c"])

### set
x = {source(), "a"}
sink(x.pop())  # finding

### update
x = {"a": "safe"}
x.update({"a": source()})
sink(x["a"])  # finding

### update by name
x = {"a": "safe"}
x.update(a=source())
sink(x["a"])  # finding

### dict call
x = dict(a=source(), b="safe")
sink(x["a"])  # finding

### dict call other key
x = dict(a=source(), b="safe")
sink(x["b"])

### list call
x = list((source(),))
sink(x[0])  # finding

### spread in a display
x = {"a": source()}
y = {**x, "b": "safe"}
sink(y["a"])  # finding
sink(y["b"])

### spread is overwritten
x = {"a": source()}
y = {**x, "a": "safe"}
sink(y["a"])

### comprehension
x = [v for v in [source()]]
sink(x[0])  # finding

### comprehension filters
x = [v for v in [source()] if v in ("a", "b")]
sink(x[0])

### dict comprehension
x = {k: v for k, v in {"a": source()}.items()}
sink(x["a"])  # finding

### del
x = {"a": source()}
del x["a"]
sink(x.get("a", "safe"))

### aliasing
x = []
y = x
y.append(source())
sink(x[0])  # finding

### copy is another
x = []
y = x.copy()
y.append(source())
sink(x)

### setdefault
x = {}
sink(x.setdefault("a", source()))  # finding

### sorted
x = sorted([source()])
sink(x[0])  # finding

### enumerate
for i, v in enumerate([source()]):
    sink(v)  # finding

### zip
for a, b in zip(["safe"], [source()]):
    sink(b)  # finding

### zip keeps its columns apart
for a, b in zip(["safe", "x"], [source(), source()]):
    sink(a)

### map
x = list(map(str.strip, [source()]))
sink(x[0])  # finding

### defaultdict
from collections import defaultdict
x = defaultdict(list)
x["a"].append(source())
sink(x["a"][0])  # finding

### deque
from collections import deque
x = deque()
x.append(source())
sink(x.popleft())  # finding

### namedtuple
from collections import namedtuple
P = namedtuple("P", "a b")
p = P(source(), "safe")
sink(p.a)  # finding

### len is a number
x = [source()]
sink("head -%d" % len(x))
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_containers(program: str) -> None:
    check(program)
