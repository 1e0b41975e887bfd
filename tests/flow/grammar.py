"""Random small projects, and random edits of their files. Many are not valid programs: that must not matter."""

from __future__ import annotations

from random import Random

PATHS = ["a.py", "b.py", "pkg/__init__.py", "pkg/c.py", "pkg/d.py"]
MODULES = ["a", "b", "pkg", "pkg.c", "pkg.d"]
FUNCTIONS = ["f", "g", "h"]
CLASSES = ["A", "B"]
VARIABLES = ["x", "y", "z"]
SOURCE = 'flask.request.args["q"]'


def expression(random: Random, depth: int = 0) -> str:
    def inner() -> str:
        return expression(random, depth + 1)

    function, variable, cls = random.choice(FUNCTIONS), random.choice(VARIABLES), random.choice(CLASSES)
    simple = [SOURCE, variable, random.choice(['"s"', "1", "None", "CONST", "LIST"])]
    if depth > 2:
        return random.choice(simple)
    return random.choice(
        [
            *simple,
            f"{function}({inner()})",
            f"{function}({inner()}, {inner()})",
            f"{cls}({inner()}).{function}({inner()})",
            f"{inner()} + {inner()}",
            f"m.{function}({inner()})",
            f"self.{variable}",
            f"self.{function}({inner()})",
            f"[{inner()}, {inner()}][0]",
            f"{{'k': {inner()}}}",
            f"{variable}['k']",
            f"(lambda v: {inner()})({inner()})",
            f"{cls}.{function}({inner()})",
            f"({inner()} if {inner()} else {inner()})",
        ]
    )


def statement(random: Random, indent: int, depth: int) -> list[str]:
    space, variable = "    " * indent, random.choice(VARIABLES)
    value = expression(random)
    simple = [
        f"{variable} = {value}",
        f"os.system({value})",
        f"return {value}",
        f"self.{variable} = {value}",
        f"{variable}.append({value})",
        f"{variable}['k'] = {value}",
        f"global {random.choice(['CONST', 'LIST'])}",
    ]
    nested = [f"if {value}:", f"for {variable} in {value}:", "def inner(v):"] if depth < 2 else []
    chosen = random.choice(simple * 2 + nested)
    lines = [space + chosen]
    return lines + body(random, indent + 1, depth + 1) if chosen.endswith(":") else lines


def body(random: Random, indent: int, depth: int = 0) -> list[str]:
    return [line for _ in range(random.randint(1, 3)) for line in statement(random, indent, depth)]


def function(random: Random, indent: int = 0) -> list[str]:
    space, lines = "    " * indent, []
    name = random.choice([*FUNCTIONS, "__init__"] if indent else FUNCTIONS)
    parameters = random.sample(VARIABLES, random.randint(0, 2))
    if indent:
        parameters.insert(0, "self")
    if random.random() < 0.15:
        decorators = ["@property", "@classmethod", "@staticmethod"] if indent else ["@app.route('/<x>')"]
        lines.append(space + random.choice(decorators))
    start = random.choice(["def", "def", "def", "async def"])
    return [*lines, f"{space}{start} {name}({', '.join(parameters)}):", *body(random, indent + 1)]


def definition(random: Random) -> list[str]:
    lines = [f"class {random.choice(CLASSES)}{random.choice(['', '', f'({random.choice(CLASSES)})'])}:"]
    for _ in range(random.randint(1, 3)):
        if random.random() < 0.25:
            lines.append(f"    {random.choice(VARIABLES)} = {expression(random)}")
        else:
            lines += function(random, 1)
    return lines


def imported(random: Random) -> list[str]:
    module = random.choice(MODULES)
    name = random.choice([*FUNCTIONS, *CLASSES, "CONST", "LIST", "x"])
    relative = f"from .{random.choice(['c', 'd'])} import {name}"
    named = f"from {module} import {name}"
    return [random.choice([named, named, f"import {module} as m", relative, f"from {module} import *"])]


def block(random: Random) -> list[str]:
    value = expression(random)
    return random.choice(
        [
            function(random),
            function(random),
            definition(random),
            imported(random),
            imported(random),
            [f"CONST = {value}"],
            [f"LIST = [{value}]"],
            [f"os.system({value})"],
            [f"{random.choice(VARIABLES)} = {value}"],
            [f"LIST.append({value})"],
            ["if __name__ == '__main__':", f"    {random.choice(VARIABLES)} = {value}"],
            ["app = flask.Flask('x')"],
            ["# a comment"],
        ]
    )


def module(random: Random) -> str:
    blocks = [["import os, flask"], *(block(random) for _ in range(random.randint(2, 6)))]
    return "\n".join(line for lines in blocks for line in lines) + "\n"


def edited(random: Random, text: str) -> str:
    """The text with one thing changed."""
    lines = text.split("\n")
    at = random.randrange(len(lines))
    space = " " * (len(lines[at]) - len(lines[at].lstrip()))
    match random.randrange(7):
        case 0:
            lines.insert(at, "")
        case 1:
            lines[at:at] = block(random)
        case 2:
            del lines[at]
        case 3:
            lines.insert(at, f"{space}pass")
        case 4:
            names = FUNCTIONS + VARIABLES + CLASSES
            lines[at] = lines[at].replace(random.choice(names), random.choice(names))
        case 5:
            lines.insert(at, f"{space}os.system({expression(random)})")
        case _:
            lines[at] += "  # note"
    return "\n".join(lines)


def byte_edit(old: str, new: str) -> tuple[int, int, int]:
    """The edit between two texts, in bytes: start, old end, new end."""
    before, after = old.encode(), new.encode()
    shorter = min(len(before), len(after))
    start = 0
    while start < shorter and before[start] == after[start]:
        start += 1
    end = 0
    while end < shorter - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return start, len(before) - end, len(after) - end
