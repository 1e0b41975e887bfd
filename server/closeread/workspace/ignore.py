"""What a walk leaves out: `.gitignore` files at every level, `.git/info/exclude`, the user's `exclude`.

Deliberately absent: the user's global ignore file (its place is git's configuration, which a
repository can set), and tracked-but-ignored files (git would have to be asked). A pattern that could
match for ever is refused and reported, for a workspace may be hostile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from closeread_analyzers.finding import Problem

from .. import platform_

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_LARGEST_FILE = 1_000_000
_MOST_PATTERNS = 5_000
_LONGEST_PATTERN = 1_000

# Each star is one more power of the name's length in the time a regular expression takes to fail.
_MOST_STARS = 3

ALWAYS_SKIPPED = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        "node_modules",
        "__pycache__",
        ".tox",
        ".nox",
        ".mypy_cache",
        ".ruff_cache",
        ".pytest_cache",
    }
)
"""Folders that hold no source of the project's own."""

_MINIFIED = re.compile(r"[.-]min\.\w+$")


@dataclass(frozen=True, slots=True)
class _Level:
    """The patterns of one file; `base` is the folder they are relative to, "" or ending in a slash."""

    base: str
    spec: GitIgnoreSpec

    def verdict(self, path: str) -> bool | None:
        """Whether `path` is ignored; None where no pattern speaks of it."""
        return self.spec.check_file(path[len(self.base) :]).include


@dataclass(frozen=True, slots=True)
class Ignore:
    """The levels that hold for a folder, outermost first. `prefix` leads from the top level to the project's root."""

    prefix: str = ""
    levels: tuple[_Level, ...] = ()
    excluded: GitIgnoreSpec | None = None

    def skips(self, path: str, name: str, is_folder: bool) -> bool:
        """Whether the walk leaves out `path` (relative to the root)."""
        if is_folder and name in ALWAYS_SKIPPED:
            return True
        if not is_folder and _MINIFIED.search(name):
            return True
        if is_folder:
            path += "/"
        if self.excluded is not None and self.excluded.check_file(path).include:
            return True
        path = self.prefix + path
        for level in reversed(self.levels):
            verdict = level.verdict(path)
            if verdict is not None:
                return verdict
        return False

    def below(self, folder: Path, path: str, problems: list[Problem]) -> Ignore:
        """The rules inside a folder: these, and its own `.gitignore`. `path` is "" or ends in a slash."""
        spec = _read(folder / ".gitignore", path + ".gitignore", problems)
        if spec is None:
            return self
        return Ignore(self.prefix, (*self.levels, _Level(self.prefix + path, spec)), self.excluded)

    def forget_outside(self) -> Ignore:
        """For a folder that was asked for by name although it is ignored: only the user's own patterns hold."""
        return Ignore(self.prefix, (), self.excluded)


def for_root(root: Path, exclude: Iterable[str], problems: list[Problem]) -> Ignore:
    """The rules at a project's root, before its own `.gitignore`: those of the folders up to the repository's top."""
    excluded = _spec(exclude, "exclude", problems)
    top = next((folder for folder in (root, *root.parents) if (folder / ".git").exists()), root)
    prefix = "" if top == root else root.relative_to(top).as_posix() + "/"
    ignore = Ignore(prefix, (), excluded)
    spec = _read(top / ".git" / "info" / "exclude", ".git/info/exclude", problems)
    levels = [_Level("", spec)] if spec is not None else []
    for folder in [folder for folder in reversed(root.parents) if folder == top or top in folder.parents]:
        base = "" if folder == top else folder.relative_to(top).as_posix() + "/"
        spec = _read(folder / ".gitignore", "../" * (prefix.count("/") - base.count("/")) + ".gitignore", problems)
        if spec is not None:
            levels.append(_Level(base, spec))
    return Ignore(prefix, tuple(levels), ignore.excluded)


def _read(path: Path, shown: str, problems: list[Problem]) -> GitIgnoreSpec | None:
    # git does not follow a link here either.
    if path.is_symlink() or not platform_.is_regular(path):
        return None
    try:
        data = platform_.read_regular(path, _LARGEST_FILE)
    except OSError as error:
        problems.append(Problem(shown, 0, f"Cannot be read ({platform_.reason(error)}); it is not honoured.", "config"))
        return None
    if data is None:
        problems.append(
            Problem(shown, 0, f"Larger than {_LARGEST_FILE:,} bytes; its patterns are not honoured.", "config")
        )
        return None
    return _spec(data.decode("utf-8-sig", "surrogateescape").splitlines(), shown, problems)


def _spec(lines: Iterable[str], shown: str, problems: list[Problem]) -> GitIgnoreSpec | None:
    """The patterns of some lines; None where there are none, as in the file that git puts into each new repository."""
    meant = [(number, line) for number, line in enumerate(lines, 1) if line.strip() and not line.startswith("#")]
    if not meant:
        return None
    # Imported where it is needed: a hook that somebody waits for may not need it.
    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    patterns: list[GitIgnoreSpecPattern] = []
    for number, line in meant:
        if len(patterns) == _MOST_PATTERNS:
            problems.append(
                Problem(shown, number, f"More than {_MOST_PATTERNS:,} patterns; the rest are not honoured.", "config")
            )
            break
        if fault := _fault(line):
            problems.append(Problem(shown, number, f"Pattern {line[:60]!r} is not honoured: {fault}.", "config"))
            continue
        try:
            patterns.append(GitIgnoreSpecPattern(line))
        except (GitIgnorePatternError, ValueError, re.error):
            problems.append(
                Problem(shown, number, f"Pattern {line[:60]!r} is not honoured: it is malformed.", "config")
            )
    return GitIgnoreSpec(patterns)


def _unheeded(shown: str, line: int, pattern: str, why: str) -> Problem:
    return Problem(shown, line, f"Pattern {pattern[:60]!r} is not honoured: {why}.", "config")


def _fault(pattern: str) -> str:
    if len(pattern) > _LONGEST_PATTERN:
        return "it is too long"
    parts = pattern.split("/")
    if parts.count("**") > _MOST_STARS or any(part.count("*") > _MOST_STARS for part in parts if part != "**"):
        return "so many wildcards could take for ever"
    return ""
