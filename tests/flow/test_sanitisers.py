"""Sanitisers as adversaries and careful people write them, each beside what only looks like one.

The programs were written before any of them was run; 40 of the first 73 were then judged wrongly. What is still wrong says so.
"""

from __future__ import annotations

import pytest

from flow.programs import cases, check

RULES = ("command-injection", "path-traversal", "server-side-request-forgery", "open-redirect", "sql-injection")
PROGRAMS = r"""
### in a tuple of constants, safe branch
def f():
    name = source()
    if name in ("date", "uptime"):
        sink(name)

### in a tuple that also holds data
def f():
    name = source()
    if name in ("date", source()):
        sink(name)  # finding

### in a frozenset of the module, early return
ALLOWED = frozenset({"date", "uptime"})

def f():
    name = source()
    if name not in ALLOWED:
        return None
    sink(name)

### in a set built by a comprehension over constants
ALLOWED = {word.lower() for word in ("DATE", "UPTIME")}

def f():
    name = source()
    if name not in ALLOWED:
        raise ValueError(name)
    sink(name)

### in a set that the module fills from outside
allowed = {"date"}
allowed.add(source())

def f():
    name = source()
    if name in allowed:
        sink(name)  # finding

### in the keys of a constant dict
TABLE = {"d": "date", "u": "uptime"}

def f():
    name = source()
    if name in TABLE.keys():
        sink(name)
        sink(TABLE[name])

### in a text is a substring test
def f():
    name = source()
    if name in "date uptime":
        sink(name)
    if "date" in name:
        sink(name)  # finding

### in the values of a class's attribute
class Settings:
    commands = ["date", "uptime"]

    def run(self):
        name = source()
        if name not in self.commands:
            return
        sink(name)

### any equal
ALLOWED = ("date", "uptime")

def f():
    name = source()
    if not any(name == one for one in ALLOWED):
        return
    sink(name)

### any starts with
ALLOWED = ("date", "uptime")

def f():
    name = source()
    if not any(name.startswith(one) for one in ALLOWED):
        return
    sink(name)  # finding

### continue in a loop
def f():
    for name in source().split(","):
        if name not in {"date", "uptime"}:
            continue
        sink(name)
    for name in source().split(","):
        if name in {"date", "uptime"}:
            continue
        sink(name)  # finding

### break out of a loop
def f():
    for name in source().split(","):
        if name not in ("date",):
            break
        sink(name)
    sink(name)  # finding

### a filtered comprehension
ALLOWED = ["date", "uptime"]

def f():
    names = [name for name in source().split() if name in ALLOWED]
    for name in names:
        sink(name)
    others = [name for name in source().split() if name not in ALLOWED]
    for name in others:
        sink(name)  # finding

### filter with a lambda
ALLOWED = ["date", "uptime"]

def f():
    for name in filter(lambda one: one in ALLOWED, source().split()):
        sink(name)

### intersection of sets
ALLOWED = {"date", "uptime"}

def f():
    for name in ALLOWED & set(source().split()):
        sink(name)
    for name in ALLOWED.intersection(source().split()):
        sink(name)
    for name in set(source().split()) - ALLOWED:
        sink(name)  # finding

### next of the constants that are equal
ALLOWED = ["date", "uptime"]

def f():
    asked = source()
    name = next((one for one in ALLOWED if one == asked), None)
    if name is None:
        return
    sink(name)

### the index of the constants
ALLOWED = ["date", "uptime"]

def f():
    sink(ALLOWED[ALLOWED.index(source())])

### max by similarity
import difflib

ALLOWED = ["date", "uptime"]

def f():
    for name in difflib.get_close_matches(source(), ALLOWED):
        sink(name)

### full match, anchored match, search
import re

def f():
    name = source()
    if re.fullmatch(r"[a-z0-9_]+", name):
        sink("cat " + name)

def g():
    name = source()
    if re.match(r"^[a-z0-9_]+\Z", name):
        sink("cat " + name)

def h():
    name = source()
    if re.match(r"[a-z0-9_]+", name):
        sink("cat " + name)  # finding

def i():
    name = source()
    if re.search(r"[a-z0-9_]+$", name):
        sink("cat " + name)  # finding

### a full match of anything
import re

def f():
    name = source()
    if re.fullmatch(r".+\.txt", name):
        sink("cat " + name)  # finding

### a compiled pattern of the module
import re

NAME = re.compile(r"[A-Za-z0-9-]{1,32}")
LOOSE = re.compile(r"[A-Za-z0-9-]{1,32}", re.MULTILINE)

def f():
    name = source()
    if NAME.fullmatch(name) is None:
        raise ValueError("name")
    sink("cat " + name)

def g():
    name = source()
    if not LOOSE.match(name):
        raise ValueError("name")
    sink("cat " + name)  # finding

### a group of a match
import re

def f():
    match = re.search(r"id=(\d+)", source())
    if match:
        sink("kill " + match.group(1))
        sink("kill " + match[1])

def g():
    match = re.search(r"id=(.*)", source())
    if match:
        sink("kill " + match.group(1))  # finding

### remembered match
import re

def f():
    name = source()
    match = re.match(r"\w+$", name)
    if not match:
        raise ValueError(name)
    sink("cat " + name)

def g():
    name = source()
    match = re.match(r"\w+$", name)
    name = source()
    if match is None:
        raise ValueError(name)
    sink("cat " + name)  # finding

### any bad one
def f():
    name = source()
    if any(not c.isalnum() for c in name):
        return
    sink("cat " + name)

### all matches
import re

def f():
    for number in re.findall(r"\d+", source()):
        sink("kill " + number)
    for word in re.findall(r"\S+", source()):
        sink("kill " + word)  # finding

### what is not a letter taken out
import re

def f():
    sink("cat " + re.sub(r"[^A-Za-z0-9_]", "", source()))
    sink("cat " + re.sub(r"[A-Za-z0-9_]", "", source()))  # finding
    sink("cat " + re.sub(r"\.\./", "", source()))  # finding

### letters kept one by one
def f():
    sink("cat " + "".join(c for c in source() if c.isalnum()))
    sink("cat " + "".join(filter(str.isalnum, source())))
    sink("cat " + "".join(c for c in source() if c != ";"))  # finding

### all are letters
def f():
    name = source()
    if not all(c.isalnum() or c == "_" for c in name):
        return
    sink("cat " + name)

def g():
    name = source()
    if not any(c.isalnum() for c in name):
        return
    sink("cat " + name)  # finding

### set of characters is a subset
import string

LETTERS = set(string.ascii_letters)

def f():
    name = source()
    if not set(name) <= LETTERS:
        return
    sink("cat " + name)

def g():
    name = source()
    if set(name).issubset(LETTERS):
        sink("cat " + name)

def h():
    name = source()
    if LETTERS.issubset(name):
        sink("cat " + name)  # finding

### converted in a try
def f():
    number = source()
    try:
        int(number)
    except ValueError:
        return
    sink("kill " + number)

def g():
    number = source()
    try:
        int(number)
    except ValueError:
        pass
    sink("kill " + number)  # finding

### converted or a default
import uuid

def f():
    try:
        key = uuid.UUID(source())
    except ValueError:
        key = None
    sink(f"show {key}")

def g():
    text = source()
    try:
        text = str(int(text))
    except ValueError:
        pass
    sink("kill " + text)  # finding

### is an instance
def f():
    value = source()
    if isinstance(value, (int, float)):
        sink("kill " + value)
    if isinstance(value, str):
        sink("kill " + value)  # finding
    if not isinstance(value, int):
        raise TypeError
    sink("kill " + value)

### type is
def f():
    value = source()
    if type(value) is int:
        sink("kill " + value)
    if type(value) is not int:
        return
    sink("kill " + value)

### match statement
def f():
    match source():
        case "date" | "uptime" as name:
            sink(name)
        case str() as other:
            sink(other)  # finding

def g():
    name = source()
    match name:
        case "a" | "b":
            pass
        case _:
            return
    sink(name)

def h():
    match source():
        case "a":
            command = "date"
        case "b":
            command = "uptime"
        case _:
            command = "true"
    sink(command)

### match with a guard
ALLOWED = ("date", "uptime")

def f():
    match source():
        case name if name in ALLOWED:
            sink(name)
        case name:
            sink(name)  # finding

### match on an integer class
def f():
    match source():
        case int(number):
            sink(f"kill {number}")
        case bool() | float() as value:
            sink(f"kill {value}")

### walrus
def f():
    if (name := source()) in ("date", "uptime"):
        sink(name)
    if (name := source()) not in ("date", "uptime"):
        return
    sink(name)

### walrus while
def f():
    while (name := source()) not in ("date", "uptime"):
        print("no")
    sink(name)

### default of a dict
TABLE = {"d": "date"}

def f():
    sink(TABLE.get(source(), "true"))
    sink(TABLE.get("d", source()))
    sink(TABLE.get(source()) or source())  # finding
    sink(TABLE.setdefault(source(), "true"))

### a table with data in it
def f():
    table = {"d": "date", "e": source()}
    sink(table[source()])  # finding
    sink(table["d"])

### a table of functions
def date():
    return "date"

def echo():
    return source()

SAFE = {"d": date}
MIXED = {"d": date, "e": echo}

def f():
    sink(SAFE[source()]())
    sink(MIXED[source()]())  # finding

### getattr of an allowed name
class Commands:
    date = "date"

def f():
    name = source()
    if name in ("date",):
        sink(getattr(Commands, name))

### ternary
ALLOWED = ("date", "uptime")

def f():
    name = source()
    sink(name if name in ALLOWED else "true")
    sink("true" if name in ALLOWED else name)  # finding
    name = name if name in ALLOWED else ALLOWED[0]
    sink(name)

### assert
def f():
    name = source()
    assert name in ("date", "uptime")
    sink(name)

### a variable that remembers the test
def f():
    name = source()
    fine = name in ("date", "uptime")
    if not fine:
        return
    sink(name)

def g():
    name = source()
    fine = name.isalnum()
    name = source()
    if fine:
        sink(name)  # finding

### a flag set in branches
def f():
    name = source()
    fine = False
    if name in ("date", "uptime"):
        fine = True
    if fine:
        sink(name)  # spurious

### a decorator that validates
from functools import wraps
from flask import abort, request

ALLOWED = ("date", "uptime")

def checked(view):
    @wraps(view)
    def inner(name, *rest):
        if name not in ALLOWED:
            abort(404)
        return view(name, *rest)
    return inner

def unchecked(view):
    @wraps(view)
    def inner(name, *rest):
        if name not in ALLOWED:
            print("odd")
        return view(name, *rest)
    return inner

@checked
def f(name):
    sink(name)

@unchecked
def g(name):
    sink(name)  # finding

f(source())
g(source())

### a decorator that converts
def number(view):
    def inner(value):
        return view(int(value))
    return inner

@number
def f(value):
    sink(f"kill {value}")

f(source())

### a helper that validates and raises
class Bad(Exception):
    pass

def checked(name):
    if not name.isalnum():
        raise Bad(name)

def f():
    name = source()
    checked(name)
    sink("cat " + name)

def g():
    name = source()
    try:
        checked(name)
    except Bad:
        print("odd")
    sink("cat " + name)  # finding

def h():
    name = source()
    try:
        checked(name)
    except Bad:
        return
    sink("cat " + name)

### a helper that validates and returns
def checked(name):
    if name in ("date", "uptime"):
        return name
    return None

def loose(name):
    if name in ("date", "uptime"):
        return None
    return name

def f():
    sink(checked(source()))
    sink(loose(source()))  # finding

### a helper that says whether and why
def problem(name):
    if not name.isalnum():
        return "letters only"
    return None

def f():
    name = source()
    if problem(name):
        return
    sink("cat " + name)

def g():
    name = source()
    error = problem(name)
    if error is not None:
        return
    sink("cat " + name)

### a helper that gives a pair
def split(name):
    if not name.isalnum():
        return False, None
    return True, name

def f():
    fine, name = split(source())
    if not fine:
        return
    sink("cat " + name)

### a validator in a class
class Form:
    def __init__(self, name):
        self.name = name

    def valid(self):
        return self.name in ("date", "uptime")

def f():
    form = Form(source())
    if not form.valid():
        return
    sink(form.name)

def g():
    form = Form(source())
    form.valid()
    sink(form.name)  # finding

### a validating property setter
class Job:
    @property
    def command(self):
        return self._command

    @command.setter
    def command(self, value):
        if value not in ("date", "uptime"):
            raise ValueError(value)
        self._command = value

def f():
    job = Job()
    job.command = source()
    sink(job.command)  # spurious

### a dataclass that validates
from dataclasses import dataclass

@dataclass
class Job:
    command: str

    def __post_init__(self):
        if self.command not in ("date", "uptime"):
            raise ValueError(self.command)

@dataclass
class Loose:
    command: str

def f():
    sink(Job(source()).command)
    sink(Loose(source()).command)  # finding

### pydantic
from typing import Annotated, Literal
from enum import Enum
from pydantic import BaseModel, Field, StringConstraints, constr, field_validator

class Kind(str, Enum):
    a = "date"

class Job(BaseModel):
    number: int
    kind: Kind
    word: Literal["date", "uptime"]
    name: constr(pattern=r"^[a-z]+$")
    other: str = Field(pattern=r"^[a-z]+$")
    third: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]
    free: str
    long: str = Field(max_length=40)
    looked: str

    @field_validator("looked")
    @classmethod
    def look(cls, value):
        if not value.isalnum():
            raise ValueError("letters")
        return value

def f():
    job = Job(**flask.request.json)
    sink(f"kill {job.number}")
    sink(job.kind.value)
    sink(job.word)
    sink(job.name)
    sink(job.other)
    sink(job.third)
    sink(job.looked)  # spurious
    sink(job.free)  # finding
    sink(job.long)  # finding

### marshmallow
from marshmallow import Schema, fields, validate

class JobSchema(Schema):
    number = fields.Integer(required=True)
    key = fields.UUID()
    word = fields.String(validate=validate.OneOf(["date", "uptime"]))
    free = fields.String(validate=validate.Length(max=10))

def f():
    job = JobSchema().load(flask.request.json)
    sink(f"kill {job['number']}")
    sink(f"kill {job['key']}")
    sink(job["word"])
    sink(job["free"])  # finding

### WTForms
from flask_wtf import FlaskForm
from wtforms import IntegerField, SelectField, StringField
from wtforms.validators import AnyOf, Length, Regexp

class JobForm(FlaskForm):
    number = IntegerField()
    word = SelectField(choices=[("date", "Date")])
    other = StringField(validators=[AnyOf(["date", "uptime"])])
    narrow = StringField(validators=[Regexp(r"^[a-z]+$")])
    free = StringField(validators=[Length(max=10)])

def f():
    form = JobForm()
    if form.validate_on_submit():
        sink(f"kill {form.number.data}")
        sink(form.word.data)
        sink(form.other.data)
        sink(form.narrow.data)
        sink(form.free.data)  # finding

### inside a folder
from pathlib import Path

ROOT = Path("/srv/files").resolve()

def f():
    path = (ROOT / source()).resolve()
    if not path.is_relative_to(ROOT):
        raise PermissionError
    return path.read_text()

def g():
    path = ROOT / source()
    if not path.is_relative_to(ROOT):
        raise PermissionError
    return path.read_text()  # finding

def h():
    path = (ROOT / source()).resolve()
    if ROOT not in path.parents:
        flask.abort(404)
    return path.read_text()

def i():
    path = (ROOT / source()).resolve()
    try:
        path.relative_to(ROOT)
    except ValueError:
        flask.abort(404)
    return path.read_text()

### the real path starts with the folder
ROOT = "/srv/files"

def f():
    path = os.path.realpath(os.path.join(ROOT, source()))
    if not path.startswith(ROOT + os.sep):
        flask.abort(404)
    return open(path).read()

def g():
    path = os.path.join(ROOT, source())
    if not path.startswith(ROOT + os.sep):
        flask.abort(404)
    return open(path).read()  # finding

def h():
    path = os.path.normpath(os.path.join(ROOT, source()))
    if os.path.commonpath((ROOT, path)) != ROOT:
        flask.abort(404)
    return open(path).read()

def i():
    path = os.path.join(ROOT, source())
    if os.path.commonprefix([ROOT, path]) != ROOT:
        flask.abort(404)
    return open(path).read()  # finding

### dots taken out
def f():
    return open("/srv/" + source().replace("../", "")).read()  # finding

def g():
    name = source()
    if ".." in name:
        flask.abort(404)
    return open("/srv/files/" + name).read()

def h():
    name = source()
    if ".." in name:
        flask.abort(404)
    return open(name).read()  # missed

def i():
    return open("/srv/" + os.path.basename(source())).read()

def j():
    name = source()
    if "/" in name or "\\" in name:
        flask.abort(404)
    return open(os.path.join("/srv/files", name)).read()

### a listed file
def f():
    name = source()
    if name not in os.listdir("/srv/files"):
        flask.abort(404)
    return open(os.path.join("/srv/files", name)).read()

### secure file name
from werkzeug.utils import safe_join, secure_filename

def f():
    open(os.path.join("/srv", secure_filename(source())))
    open(safe_join("/srv", source()))
    open(os.path.join("/srv", source()))  # finding

### the host is compared
from urllib.parse import urlparse, urlsplit
import requests

HOSTS = {"api.example.com", "cdn.example.com"}

def f():
    url = source()
    if urlparse(url).hostname not in HOSTS:
        flask.abort(400)
    requests.get(url, timeout=3)

def g():
    url = source()
    if urlparse(url).hostname == "api.example.com":
        requests.get(url, timeout=3)

def h():
    url = source()
    host = urlsplit(url).netloc
    if host.endswith(".example.com"):
        requests.get(url, timeout=3)

def i():
    url = source()
    host = urlsplit(url).hostname
    if host.endswith("example.com"):
        requests.get(url, timeout=3)  # finding

def j():
    url = source()
    if "example.com" in url:
        requests.get(url, timeout=3)  # finding

def k():
    url = source()
    if url.startswith("https://api.example.com"):
        requests.get(url, timeout=3)  # finding

def l():
    url = source()
    if url.startswith("https://api.example.com/"):
        requests.get(url, timeout=3)

def m():
    url = source()
    if "example.com" in urlparse(url).netloc:
        requests.get(url, timeout=3)  # finding

def n():
    url = source()
    if urlparse(url).scheme not in ("http", "https"):
        flask.abort(400)
    requests.get(url, timeout=3)  # finding

def o():
    url = source()
    if url.endswith("example.com"):
        requests.get(url, timeout=3)  # finding

### a redirect to this host
from urllib.parse import urljoin, urlparse
from flask import redirect, request, url_for
from django.utils.http import url_has_allowed_host_and_scheme

def f():
    target = source()
    if urlparse(target).netloc != "":
        target = "/"
    return redirect(target)

def g():
    target = source()
    test = urlparse(urljoin(request.host_url, target))
    if test.netloc != urlparse(request.host_url).netloc:
        flask.abort(400)
    return redirect(target)

def h():
    target = source()
    if not target.startswith("/"):
        target = "/"
    return redirect(target)  # finding

def i():
    target = source()
    if not target.startswith("/") or target.startswith("//"):
        target = "/"
    return redirect(target)

def j():
    target = source()
    if not url_has_allowed_host_and_scheme(target, allowed_hosts={"example.com"}):
        target = "/"
    return redirect(target)

def k():
    target = source()
    if target.startswith("http"):
        flask.abort(400)
    return redirect(target)  # finding

def is_safe(target):
    return urlparse(target).netloc in ("", "example.com")

def l():
    target = source()
    return redirect(target if is_safe(target) else url_for("index"))

### order of a query
import sqlite3

COLUMNS = {"name": "name", "age": "age"}
db = sqlite3.connect("x.db")

def f():
    column = source()
    if column not in {"name", "age"}:
        column = "name"
    db.execute("SELECT * FROM people ORDER BY " + column)

def g():
    db.execute("SELECT * FROM people ORDER BY " + COLUMNS.get(source(), "name"))

def h():
    direction = "DESC" if source() == "desc" else "ASC"
    db.execute(f"SELECT * FROM people ORDER BY name {direction}")

def i():
    marks = ",".join("?" for _ in source().split(","))
    db.execute(f"SELECT * FROM people WHERE id IN ({marks})", source().split(","))

def j():
    limit = min(int(source()), 100)
    db.execute(f"SELECT * FROM people LIMIT {limit}")

def k():
    column = source()
    if column.lower() not in ("name", "age"):
        column = "name"
    db.execute("SELECT * FROM people ORDER BY " + column)

def l():
    column = source().replace("'", "''")
    db.execute("SELECT * FROM people ORDER BY " + column)  # missed

def m():
    column = source().strip()
    if len(column) > 20:
        return
    db.execute("SELECT * FROM people ORDER BY " + column)  # finding

### a number by arithmetic
def f():
    sink(f"sleep {int(source()) + 1}")
    sink(f"sleep {len(source())}")
    sink(f"sleep {round(float(source()), 2)}")
    sink(f"sleep {bool(source())}")
    sink(f"sleep {source() == 'x'}")
    sink(f"sleep {source().count('x')}")
    sink(f"sleep {hash(source())}")

def g():
    sink(f"sleep {source() * 2}")  # finding

### a digest or an encoding
import base64, hashlib, shlex

def f():
    sink("cat " + hashlib.sha256(source().encode()).hexdigest())
    sink("cat " + shlex.quote(source()))
    sink("cat " + source().encode().hex())  # spurious
    sink("cat " + base64.urlsafe_b64encode(source().encode()).decode())  # spurious
    sink("cat " + base64.b64decode(source()).decode())  # finding
    sink("cat '" + source() + "'")  # finding

### a date
from datetime import datetime, date

def f():
    sink("cal " + datetime.strptime(source(), "%Y-%m-%d").strftime("%m %Y"))
    sink("cal " + date.fromisoformat(source()).isoformat())
    text = source()
    try:
        datetime.strptime(text, "%Y-%m-%d")
    except ValueError:
        return
    sink("cal " + text)

### an address, whose zone may be any text in version 6
import ipaddress

def f():
    sink("ping " + str(ipaddress.ip_address(source())))  # finding
    sink("ping " + str(ipaddress.IPv4Address(source())))

def g():
    host = source()
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        flask.abort(400)
    sink("ping " + host)

### checked and then replaced
def f():
    name = source()
    if name in ("date", "uptime"):
        name += source()
        sink(name)  # finding

### checked one, used another
def f():
    name, other = source(), source()
    if name in ("date", "uptime"):
        sink(other)  # finding

### either is enough
def f():
    name = source()
    if name in ("date", "uptime") or len(name) < 3:
        sink(name)  # finding
    if name in ("date", "uptime") and len(name) < 9:
        sink(name)
    if not (name in ("date", "uptime") or name == "true"):
        return
    sink(name)

### the empty default
def f():
    name = source() or "date"
    sink(name)  # finding
    flag = source()
    if flag == "yes":
        sink("echo " + flag)
    if flag != "yes":
        sink("echo " + flag)  # finding

### try, else, finally
def f():
    text = source()
    try:
        number = int(text)
    except ValueError:
        number = 0
    else:
        sink("kill " + text)
    finally:
        sink("kill " + text)  # finding
    sink(f"kill {number}")
"""


@pytest.mark.parametrize("program", cases(PROGRAMS))
def test_sanitisers(program: str) -> None:
    check(program, RULES)
