"""The walk over a project's folders: which source files there are.

Iterative, so that depth costs nothing. Folders come first and links last: a link to what was walked
already is no news, one that leaves the root is not followed, and both kinds of loop end by themselves.
"""
# ruff: noqa: PTH110, PTH116, PTH118
# One string join a file, not one object: pathlib costs more than reading does.

from __future__ import annotations

import os
import stat
from pathlib import Path

from closeread_analyzers.finding import Problem
from closeread_analyzers.languages import largest

from .. import platform_
from . import ignore
from .files import Listing, Workspace, is_source


def walk(workspace: Workspace, under: tuple[Path, ...]) -> Listing:
    """See `Workspace.sources`."""
    return _Walk(workspace).run(under)


class _Walk:
    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.root = workspace.root
        self.real_root = os.path.realpath(self.root)
        self.files: set[str] = set()
        self.problems: list[Problem] = []
        self.ignored = 0
        self.seen: set[str] = set()
        self.links: list[tuple[str, ignore.Ignore]] = []
        self.pending: list[tuple[str, str, ignore.Ignore]] = []

    def run(self, under: tuple[Path, ...]) -> Listing:
        for path in under:
            self.start(path)
        self.folders()
        for link, rules in sorted(self.links, key=lambda item: item[0]):
            self.link(link, rules)
            self.folders()
        return Listing(tuple(sorted(self.files)), tuple(sorted(set(self.problems), key=_order)), self.ignored)

    def start(self, path: Path) -> None:
        relative = self.workspace.relative(path)
        if relative is None:
            self.skip(str(path), "Outside the project's root.")
            return
        try:
            mode = os.stat(path).st_mode
        except OSError as error:
            self.skip(relative, f"Cannot be read: {platform_.reason(error)}.")
            return
        if not self.inside(str(path)):
            self.skip(relative, "A symbolic link that leaves the project; not followed.")
            return
        if stat.S_ISDIR(mode):
            folder = relative + "/" if relative else ""
            self.pending.append((folder, os.path.realpath(path), self.rules(relative)))
        elif not stat.S_ISREG(mode):
            self.skip(relative, "Not a regular file; not opened.")
        elif not is_source(path.name):
            self.skip(relative, "No language here reads files of this name.")
        else:
            self.add(relative, os.path.realpath(path))

    def rules(self, folder: str) -> ignore.Ignore:
        """The ignore rules that hold at `folder`, before its own `.gitignore`."""
        rules = ignore.for_root(self.root, self.workspace.settings.exclude, self.problems)
        above = ""
        for name in folder.split("/") if folder else ():
            rules = rules.below(self.root / above, above, self.problems)
            if rules.skips(above + name, name, is_folder=True):
                rules = rules.forget_outside()
            above += name + "/"
        return rules

    def folders(self) -> None:
        while self.pending:
            folder, real, outer = self.pending.pop()
            if real in self.seen:
                continue
            self.seen.add(real)
            try:
                with os.scandir(real) as found:
                    entries = list(found)
            except OSError as error:
                self.skip(folder or ".", f"The folder cannot be read: {platform_.reason(error)}.")
                continue
            names = {entry.name for entry in entries}
            rules = outer.below(Path(real), folder, self.problems) if ".gitignore" in names else outer
            for entry in entries:
                self.entry(folder, real, entry, rules)

    def entry(self, folder: str, real: str, entry: os.DirEntry[str], rules: ignore.Ignore) -> None:
        path = folder + entry.name
        try:
            if entry.is_symlink():
                if not rules.skips(path, entry.name, is_folder=False) and not rules.skips(path, entry.name, True):
                    self.links.append((path, rules))
                else:
                    self.ignored += 1
            elif entry.is_dir():
                if rules.skips(path, entry.name, is_folder=True) or os.path.exists(
                    os.path.join(entry.path, "pyvenv.cfg")
                ):
                    self.ignored += 1
                else:
                    self.pending.append((path + "/", os.path.join(real, entry.name), rules))
            elif is_source(entry.name):
                if rules.skips(path, entry.name, is_folder=False):
                    self.ignored += 1
                elif entry.is_file():
                    limit = largest(entry.name)
                    if limit is not None and entry.stat().st_size > limit:
                        self.ignored += 1
                        return
                    self.files.add(path)
                    self.seen.add(os.path.join(real, entry.name))
                else:
                    self.skip(path, "Not a regular file; not opened.")
        except OSError as error:
            self.skip(path, f"Cannot be read: {platform_.reason(error)}.")

    def link(self, path: str, rules: ignore.Ignore) -> None:
        full = os.path.join(self.root, path)
        try:
            mode = os.stat(full).st_mode
        except OSError as error:
            if is_source(path):
                self.skip(path, f"A symbolic link that leads nowhere: {platform_.reason(error)}.")
            return
        if not stat.S_ISDIR(mode) and not is_source(path):
            return
        if not self.inside(full):
            self.skip(path, "A symbolic link that leaves the project; not followed.")
        elif stat.S_ISDIR(mode):
            if not _is_environment(full):
                self.pending.append((path + "/", os.path.realpath(full), rules))
        elif stat.S_ISREG(mode):
            self.add(path, os.path.realpath(full))
        else:
            self.skip(path, "Not a regular file; not opened.")

    def add(self, path: str, real: str) -> None:
        if real not in self.seen:
            self.seen.add(real)
            self.files.add(path)

    def inside(self, full: str) -> bool:
        real = os.path.realpath(full)
        return real == self.real_root or real.startswith(self.real_root.rstrip(os.sep) + os.sep)

    def skip(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, 0, message, "unreadable"))


def _is_environment(folder: str) -> bool:
    """Whether a folder is a Python environment: other people's code, installed."""
    return os.path.exists(os.path.join(folder, "pyvenv.cfg"))


def _order(problem: Problem) -> tuple[str, int, str]:
    return problem.path, problem.line, problem.message
