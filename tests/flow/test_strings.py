"""Text: what is made of data is data."""

from __future__ import annotations

import pytest

from flow.programs import cases, check

PROGRAMS = r"""
### plus
sink("ls " + source())  # finding

### percent
sink("ls %s" % source())  # finding

### percent with a tuple
sink("ls %s %s" % ("a", source()))  # finding

### percent with a dict
sink("ls %(a)s" % {"a": source()})  # finding

### format
sink("ls {}".format(source()))  # finding

### format by name
sink("ls {a}".format(a=source()))  # finding

### format_map
sink("ls {a}".format_map({"a": source()}))  # finding

### f-string
sink(f"ls {source()}")  # finding

### f-string with a conversion
sink(f"ls {source()!r:>10}")  # finding

### join
sink(" ".join(["ls", source()]))  # finding

### join of a generator
sink(" ".join(a for a in ["ls", source()]))  # finding

### methods
sink(source().strip().lower().replace("a", "b"))  # finding

### replaced into a constant
sink("ls X".replace("X", source()))  # finding

### split
sink(source().split(",")[0])  # finding

### partition
a, b, c = source().partition("=")
sink(c)  # finding

### encode
sink(source().encode().decode())  # finding

### slices
sink(source()[1:3])  # finding

### augmented
x = "ls "
x += source()
sink(x)  # finding

### times
sink(source() * 2)  # finding

### a length is harmless
sink("x" * len(source()))

### a test is harmless
sink("ls -l" if source().startswith("a") else "ls")

### repr and str
sink(str(source()))  # finding

### adjacent literals
sink("ls " "-l")

### textwrap
import textwrap
sink(textwrap.dedent(source()))  # finding

### base64
import base64
sink(base64.b64decode(source()))  # finding

### json
import json
sink(json.loads(source())["cmd"])  # finding

### Template
import string
sink(string.Template("ls $a").substitute(a=source()))  # finding

### StringIO
import io
b = io.StringIO()
b.write(source())
sink(b.getvalue())  # finding

### quoted
import shlex
sink("ls " + shlex.quote(source()))

### hash is harmless for nobody
import hashlib
sink(hashlib.sha256(source().encode()).hexdigest())
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_strings(program: str) -> None:
    check(program)
