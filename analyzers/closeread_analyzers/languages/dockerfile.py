"""Recipes of container images (Dockerfile, Containerfile), by lines: there is little grammar in them.

`ENV` and `ARG` are assignments. Every other instruction is a call of its name: its flags (`--mount=x`) are keyword
arguments, its words texts; of `RUN`, `CMD`, `ENTRYPOINT` and `SHELL` the whole command is one text, or the list that
it is written as. Lines that go on are read with the break as spaces, so that positions stay; here-documents belong
to their instruction.

Deliberately absent: what variables stand for, and what a shell would make of a command.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from .. import ir
from .config import ConfigLanguage, Reading

_INSTRUCTION = re.compile(r"[ \t]*([A-Za-z]+)(?:[ \t]+|$)")
_ESCAPE = re.compile(r"[ \t]*#[ \t]*escape[ \t]*=[ \t]*`", re.IGNORECASE)
_HERE = re.compile(r"<<-?[\"']?([A-Za-z_]\w*)[\"']?")
_PAIR = re.compile(r"([A-Za-z_][\w.-]*)=(\"(?:[^\"\\]|\\.)*\"|'[^']*'|(?:\\.|[^\s\\\"'])*)", re.DOTALL)
_FLAG = re.compile(r"--([a-z][a-z-]*)(?:=(\S*))?\s+")
_WORD = re.compile(r"\"[^\"\n]*\"|\S+")
_NO_RECIPE = re.compile(r"\.(?:md|txt|rst|pyc|pyo|log|bak|orig|swp|dockerignore|test)$")
_COMMANDS = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL"})
_KNOWN = _COMMANDS | frozenset(
    {"FROM", "ENV", "ARG", "LABEL", "USER", "ADD", "COPY", "EXPOSE", "WORKDIR", "VOLUME", "ONBUILD", "STOPSIGNAL"}
    | {"HEALTHCHECK", "MAINTAINER"}
)


class Dockerfile(ConfigLanguage):
    """The language object."""

    name = "dockerfile"
    suffixes = (".dockerfile", ".containerfile")
    names = ("dockerfile", "containerfile")
    prefixes = ("dockerfile.", "containerfile.")
    traits = frozenset({"settings", "image-recipe"})
    largest = 200_000
    always_relevant = True

    def reads(self, name: str) -> bool:
        """Not what is only called after a recipe: its description, a copy, a compiled module."""
        return super().reads(name) and not _NO_RECIPE.search(name.lower())

    def read(self, path: str, source: bytes) -> Reading:
        """The statements of a text."""
        text = source.decode("latin-1")
        statements = [statement for start, line in _instructions(text) for statement in _lowered(start, line)]
        if text.strip() and not statements:
            problem = ir.SyntaxProblem(0, 0, "no instruction of a container image's recipe was found; not analysed")
            return Reading([], [problem])
        return Reading(statements, [])


def _instructions(text: str) -> Iterator[tuple[int, str]]:
    """Where each instruction starts, and its text with breaks and comments blanked out."""
    mark = "`" if _ESCAPE.match(text) else "\\"
    at = 0
    closed = True  # one here-document without an end, and none is looked for any more
    while at < len(text):
        end = _line_end(text, at)
        first = text[at:end]
        if not first.strip() or first.lstrip().startswith("#"):
            at = end + 1
            continue
        start = at
        parts: list[str] = []
        while True:
            line = text[at:end]
            goes_on = line.rstrip().endswith(mark)
            is_blank = bool(parts) and (not line.strip() or line.lstrip().startswith("#"))
            parts.append(" " * len(line) if is_blank else _without_break(line, mark) if goes_on else line)
            at = end + 1
            if at >= len(text) or not (goes_on or is_blank):
                break
            end = _line_end(text, at)
            parts.append(" ")
        whole = "".join(parts)
        for here in _HERE.finditer(whole[:2_000]) if closed else ():
            closing = re.compile(rf"^[ \t]*{here[1]}[ \t\r]*$", re.MULTILINE).search(text, at)
            if closing is None:
                closed = False
                break
            whole += "\n" + text[at : closing.end()]
            at = _line_end(text, closing.end()) + 1
        yield start, whole


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return end if end >= 0 else len(text)


def _without_break(line: str, mark: str) -> str:
    place = line.rindex(mark)
    return line[:place] + " " * (len(line) - place)


def _lowered(start: int, line: str) -> Iterator[ir.Statement]:
    found = _INSTRUCTION.match(line)
    if found is None or found[1].upper() not in _KNOWN:
        return
    name = found[1].upper()
    if name in ("ENV", "ARG"):
        yield from _assigned(name, start, line, found.end())
        return
    end = start + len(line.rstrip())
    first = start + found.start(1)
    callee = ir.Name(first, start + found.end(1), name)
    arguments, rest = _flags(start, line, found.end())
    if name in _COMMANDS:
        arguments += _command(start, line, rest)
    else:
        arguments += [
            _argument(start + word.start(), _decoded(word[0]).strip('"'), len(word[0]))
            for word in _WORD.finditer(line, rest)
        ]
    yield ir.ExpressionStatement(first, end, ir.Call(first, end, callee, arguments))


def _assigned(name: str, start: int, line: str, at: int) -> Iterator[ir.Statement]:
    pairs = list(_PAIR.finditer(line, at))
    if pairs and line[at : pairs[0].start()].strip() == "":
        for pair in pairs:
            value = _decoded(pair[2])
            if value[:1] in ('"', "'"):
                value = value[1:-1]
            constant = ir.Constant(start + pair.start(2), start + pair.end(2), value)
            yield _assign(start + pair.start(1), pair[1], constant)
        return
    word = re.compile(r"[A-Za-z_]\w*").match(line, at)
    if word is None:
        return
    text = line[word.end() :].strip()
    value_at = start + line.index(text, word.end()) if text else 0
    old = name == "ENV" and text  # ENV NAME the rest of the line
    yield _assign(start + word.start(), word[0], _argument(value_at, _decoded(text), len(text)).value if old else None)


def _assign(start: int, name: str, value: ir.Expression | None) -> ir.Assign:
    end = start + len(name)
    return ir.Assign(start, max(end, value.end if value else end), [ir.Name(start, end, name)], value)


def _flags(start: int, line: str, at: int) -> tuple[list[ir.Argument], int]:
    arguments: list[ir.Argument] = []
    while found := _FLAG.match(line, at):
        first, end = start + found.start(), start + found.start() + len(found[0].rstrip())
        value = ir.Constant(first, end, _decoded(found[2]) if found[2] is not None else True)
        arguments.append(ir.Argument(first, end, value, found[1]))
        at = found.end()
    return arguments, at


def _command(start: int, line: str, at: int) -> list[ir.Argument]:
    text = line[at:].strip()
    if not text:
        return []
    first = start + line.index(text, at)
    if text.startswith("["):
        try:
            words = json.loads(_decoded(text))
        except (ValueError, RecursionError):
            words = None
        if isinstance(words, list) and all(isinstance(word, str) for word in words):
            end = first + len(text)
            items: list[ir.Expression] = [ir.Constant(first, end, word) for word in words]
            return [ir.Argument(first, end, ir.Sequence(first, end, "list", items))]
    return [_argument(first, _decoded(text), len(text))]


def _argument(start: int, text: str, length: int | None = None) -> ir.Argument:
    end = start + (len(text.encode()) if length is None else length)
    return ir.Argument(start, end, ir.Constant(start, end, text))


def _decoded(text: str) -> str:
    return text.encode("latin-1").decode("utf-8", "replace")


language = Dockerfile()
