"""What a user may set, and where from: `closeread.toml`, `[tool.closeread]`, the editor, the command line.

Later sources win, key by key. A key nobody knows, or a value of the wrong type, is a `Problem` that
names the file and the line; the rest of the file still counts.

A user's own models of libraries stand in the same files; they are data too, and of them all is well or none counts.

Deliberately absent: any setting that names a program, an interpreter, a plug-in, a model file or an
address. A workspace may be hostile, and so may its configuration.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomli

from closeread_analyzers.finding import Confidence, Problem, Severity

from . import platform_

CONFIG_NAME = "closeread.toml"
"""Wins over `pyproject.toml` in the same folder."""

_LARGEST_CONFIG = 1_000_000


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one project. In files, words are joined by dashes: `min-severity`."""

    exclude: tuple[str, ...] = ()
    """Patterns in the syntax of `.gitignore`, relative to the project's root."""

    disable: tuple[str, ...] = ()
    """Rules whose findings are not shown."""

    min_severity: Severity = Severity.INFO
    min_confidence: Confidence = Confidence.LOW
    fail_on: Severity | None = None
    """Vulnerabilities at least this severe make the command line exit with 1."""

    remarks: bool = True
    """Whether review remarks are shown beside the vulnerabilities."""

    max_file_size: int = 5_000_000
    """Bytes; larger files are reported and not read."""

    file_timeout: float = 60.0
    """Seconds that the analysis of one file may take."""

    worker_memory: int = 3072
    """Megabytes that a worker process may take, where the system can keep it to that (Linux)."""

    jobs: int = 0
    """Worker processes; 0 is one a core."""

    cache: bool = True

    inferred: bool = False
    """Whether what a model infers of libraries that no file describes counts too."""

    models: str = ""
    """The user's own models (`[[source]]`, `[[sink]]`...), packed: see `closeread_analyzers.catalogue.user`."""


class ModelsProblem(Problem):
    """A mistake in the user's own models: none of them is in force."""


class ModelsError(Exception):
    """`problem`, where nobody may go on without the user's models."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.path}:{problem.line}: {problem.message}")
        self.problem = problem


class _WrongType(ValueError):
    """Says what was expected, for the message."""


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not all(isinstance(item, str) for item in value):
        raise _WrongType("a list of strings")
    return tuple(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _WrongType("true or false")
    return value


def _count(minimum: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            raise _WrongType(f"a whole number, at least {minimum}")
        return value

    return read


def _seconds(value: Any) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 86_400:
        raise _WrongType("a number of seconds")
    return float(value)


def severity(value: Any) -> Severity:
    """The severity of that label. Raises ValueError with the labels there are."""
    labels = {level.label: level for level in Severity}
    if not isinstance(value, str) or value.lower() not in labels:
        raise _WrongType("one of " + ", ".join(labels))
    return labels[value.lower()]


def confidence(value: Any) -> Confidence:
    """The confidence of that label. Raises ValueError with the labels there are."""
    labels = {level.label: level for level in Confidence}
    if not isinstance(value, str) or value.lower() not in labels:
        raise _WrongType("one of " + ", ".join(labels))
    return labels[value.lower()]


_READERS: dict[str, Callable[[Any], Any]] = {
    "exclude": _texts,
    "disable": _texts,
    "min-severity": severity,
    "min-confidence": confidence,
    "fail-on": severity,
    "remarks": _switch,
    "max-file-size": _count(1),
    "file-timeout": _seconds,
    "worker-memory": _count(256),
    "jobs": _count(0),
    "cache": _switch,
    "inferred": _switch,
}

LineOf = Callable[[str], int]


def merged(
    settings: Settings, values: Mapping[str, Any], origin: str, line_of: LineOf = lambda key: 0
) -> tuple[Settings, tuple[Problem, ...]]:
    """`settings` with `values` over it, and what was wrong with them.

    `origin` is the file (or "the editor") that the problems name. Keys may be written `min-severity`
    or, as editors do, `minSeverity`.
    """
    changes: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in values.items():
        name = re.sub(r"(?<=[a-z])([A-Z])", lambda match: "-" + match[1].lower(), key)
        read = _READERS.get(name)
        if read is None:
            near = difflib.get_close_matches(name, _READERS, n=1, cutoff=0.5)
            hint = f"did you mean `{near[0]}`?" if near else "known keys are " + ", ".join(sorted(_READERS))
            problems.append(Problem(origin, line_of(key), f"Unknown key `{key[:80]}`: {hint}", "config"))
            continue
        try:
            changes[name.replace("-", "_")] = read(value)
        except _WrongType as expected:
            problems.append(Problem(origin, line_of(key), f"`{key}` must be {expected}; it is ignored.", "config"))
    return dataclasses.replace(settings, **changes), tuple(problems)


def read(root: Path, base: Settings | None = None) -> tuple[Settings, tuple[Problem, ...]]:
    """The settings that `root` carries, over `base`, and what was wrong with them."""
    base = base or Settings()
    for name, table in ((CONFIG_NAME, ""), ("pyproject.toml", "tool.closeread")):
        loaded = _table(root, name, table)
        if isinstance(loaded, Problem):
            return base, (loaded,)
        if loaded is not None:
            values, text = loaded
            values, packed, wrong = _models(values, text, name, table)
            found, problems = merged(base, values, name, lambda key, text=text, table=table: _line_of(text, table, key))  # type: ignore[misc]
            return dataclasses.replace(found, models=packed), (*problems, *wrong)
    return base, ()


def _models(
    values: dict[str, Any], text: str, name: str, table: str
) -> tuple[dict[str, Any], str, tuple[ModelsProblem, ...]]:
    """The settings among `values`, the models among them, packed, and the first mistake in those."""
    if values.keys() <= _READERS.keys():
        return values, "", ()  # the usual case does without the analysers
    from closeread_analyzers import catalogue

    words = {key: value for key, value in values.items() if catalogue.user.is_model(key, value)}
    rest = {key: value for key, value in values.items() if key not in words}
    try:
        return rest, catalogue.check_user(Path(name), text, words, f"{table}." if table else ""), ()
    except catalogue.CatalogueError as error:
        return rest, "", (ModelsProblem(name, error.line, error.message, "config"),)


def configures(folder: Path) -> bool:
    """Whether `folder` carries settings of ours (even malformed ones), and so is a project's root."""
    if platform_.is_regular(folder / CONFIG_NAME):
        return True
    return isinstance(_table(folder, "pyproject.toml", "tool.closeread"), tuple)


def _table(folder: Path, name: str, table: str) -> tuple[dict[str, Any], str] | Problem | None:
    """The TOML table of a file and the file's text; None where there is none."""
    path = folder / name
    if not platform_.is_regular(path):
        return None
    try:
        data = platform_.read_regular(path, _LARGEST_CONFIG)
        if data is None:
            return Problem(name, 0, f"Larger than {_LARGEST_CONFIG:,} bytes; its settings are ignored.", "config")
        text = data.decode("utf-8-sig")
        content: Any = tomli.loads(text)
    except OSError as error:
        return Problem(name, 0, f"Cannot be read ({platform_.reason(error)}); its settings are ignored.", "config")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1 if data else 0
        return Problem(name, line, "Not UTF-8; its settings are ignored.", "config")
    except tomli.TOMLDecodeError as error:
        place = re.search(r"at line (\d+)", str(error))
        line = int(place[1]) if place else text.count("\n") + 1
        return Problem(name, line, f"Not valid TOML: {error}. Its settings are ignored.", "config")
    except RecursionError:
        return Problem(name, 0, "Nested too deeply; its settings are ignored.", "config")
    for part in filter(None, table.split(".")):
        if not isinstance(content, dict) or part not in content:
            return None
        content = content[part]
    if not isinstance(content, dict):
        return Problem(name, _line_of(text, "tool", "closeread"), f"`{table}` must be a table.", "config")
    return content, text


def _line_of(text: str, table: str, key: str) -> int:
    """The line where `key` of `table` is written; 0 where a plain search finds none."""
    current = ""
    wanted = re.compile(rf"""\s*["']?{re.escape(key)}["']?\s*[=.]""")
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            current = header[1].replace(" ", "").replace('"', "").replace("'", "")
            if current == (f"{table}.{key}" if table else key):
                return number
        elif current == table and wanted.match(line):
            return number
    return 0
