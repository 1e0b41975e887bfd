"""The only caller of git, which is asked for objects and the index and for nothing else.

A repository's configuration names programs: file-system monitors, filters, text converters, hooks, transports, pagers,
signers. Of the commands used here none starts any of them, as long as nothing is read from the working tree and nothing
is fetched; what could still be asked of them is overridden, and the environment is built, not inherited. The tests plant
each of these traps. Working files are read by `files.py`, which runs nothing.

The repository is found here and named outright, so git looks for none; whose it is does not matter then, since nothing
of it is run. Deliberately absent: writing, and any command for people (`status`, `diff`, `log`, `show`).
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from .. import platform_
from ..errors import Mistake

_SECONDS = 120.0
_LARGEST_POINTER = 10_000
_REGULAR = frozenset({"100644", "100755"})

_OVERRIDES = {
    "core.fsmonitor": "false",
    "core.untrackedCache": "false",
    "core.hooksPath": os.devnull,
    "core.attributesFile": os.devnull,
    "core.excludesFile": os.devnull,
    "core.pager": "cat",
    "core.askPass": "",
    "core.gitProxy": "",
    "core.sshCommand": "false",
    "core.alternateRefsCommand": "false",
    "credential.helper": "",
    "diff.external": "",
    "gc.auto": "0",
    "gpg.program": "false",
    "log.showSignature": "false",
    "maintenance.auto": "false",
    "protocol.allow": "never",
    "submodule.recurse": "false",
}

_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "none",  # an object that a partial clone lacks is not fetched
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_PROTOCOL_FROM_USER": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class GitError(Mistake):
    """What git, or the lack of it, made impossible: one sentence."""


@dataclass(frozen=True, slots=True)
class Commit:
    """What a commit object says. `subject` is the first line of its `message`, `time` is in seconds since 1970."""

    id: str
    parents: tuple[str, ...]
    subject: str
    author: str
    time: int
    message: str = ""


def find(path: Path) -> Repository | None:
    """The repository whose work tree `path` is in. Never asks git, and never believes what a repository says of its own place."""
    for folder in (path, *path.parents):
        place = folder / ".git"
        git_dir = place if place.is_dir() else _pointed(place)
        if git_dir is not None and (git_dir / "HEAD").exists():
            return Repository(folder, git_dir)
    return None


def _pointed(place: Path) -> Path | None:
    """The folder that a `.git` file of a linked work tree or a submodule names."""
    try:
        text = (platform_.read_regular(place, _LARGEST_POINTER) or b"").decode()
    except (OSError, UnicodeDecodeError):
        return None
    if not text.startswith("gitdir:"):
        return None
    return Path(os.path.normpath(place.parent / text.removeprefix("gitdir:").strip()))


class Repository:
    """One repository. `top` is its work tree, `git_dir` the folder with HEAD, `common_dir` the one with the branches.

    Every method raises `GitError`. Paths are relative to `top`, with forward slashes.
    """

    def __init__(self, top: Path, git_dir: Path, index: str | None = None) -> None:
        """`index` is another index file than the repository's own: what a partial commit hands to its hook."""
        self.top = top
        self.git_dir = git_dir
        self.common_dir = _common(git_dir)
        self.index_file = index
        self._objects: Objects | None = None

    def close(self) -> None:
        """End the process that gives objects, if there is one."""
        if self._objects is not None:
            self._objects.close()
            self._objects = None

    def commit_id(self, ref: str) -> str:
        """The id of the commit that `ref` names."""
        return self._text("rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}").strip()

    def head(self) -> str | None:
        """The commit of HEAD; None before the first one."""
        done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", "HEAD^{commit}")
        if done.returncode not in (0, 1):
            raise self._failed("rev-parse", done)
        return done.stdout.decode().strip() or None

    def past(self, commit: str, most: int) -> list[str]:
        """A commit and those it rests on, the newest first, `most` of them."""
        return self._text("rev-list", f"--max-count={most}", commit, "--").split()

    def merge_base(self, one: str, other: str) -> str | None:
        """The commit that two have in common; None where there is none, or a shallow clone does not have it."""
        try:
            return self._text("merge-base", one, other).split("\n", 1)[0] or None
        except GitError:
            return None

    def commit(self, id_: str) -> Commit:
        """What the commit says."""
        text = self.objects().read(id_).decode("utf-8", "replace")
        head, _, message = text.partition("\n\n")
        fields = [line.partition(" ")[::2] for line in head.split("\n")]
        author = next((value for key, value in fields if key == "author"), "")
        committer = next((value for key, value in fields if key == "committer"), author)
        words = committer.rsplit(" ", 2)
        time = int(words[1]) if len(words) == 3 and words[1].isdecimal() else 0
        name = author.partition(" <")[0]
        parents = tuple(value for key, value in fields if key == "parent")
        return Commit(id_, parents, message.strip().split("\n", 1)[0], name, time, message)

    def tree(self, commit: str) -> dict[str, str]:
        """The regular files of a commit, and their blobs' ids."""
        return _entries(self._bytes("ls-tree", "-r", "-z", "--full-tree", commit), mode=0, id_=2)

    def index(self) -> dict[str, str]:
        """The regular files of the index, and their blobs' ids; of a file in conflict, ours."""
        entries = self._bytes("ls-files", "-s", "-z")
        return _entries(entries, mode=0, id_=1) | _entries(entries, mode=0, id_=1, stage="2")

    def staged(self) -> dict[str, str]:
        """The files whose staged content is not that of HEAD, with the blobs that HEAD has of them; "" where it has none."""
        try:
            told = self._bytes("diff-index", "--cached", "--raw", "-z", "--no-renames", "--no-abbrev", "HEAD", "--")
        except GitError:
            if self.head() is None:
                return dict.fromkeys(self.index(), "")
            raise
        return _before(told)

    def hooks_path(self) -> tuple[str, str]:
        """The scope ("local", "global"...) and value of `core.hooksPath`, as the user's own git sees it; "" without."""
        program = platform_.program("git")
        if program is None:
            raise GitError("git is not installed, or not on the PATH.")
        own = (
            "PATH",
            "HOME",
            "XDG_CONFIG_HOME",
            "USERPROFILE",
            "SYSTEMROOT",
            "GIT_CONFIG_GLOBAL",
            "GIT_CONFIG_NOSYSTEM",
        )
        done = subprocess.run(
            [str(program), f"--git-dir={self.git_dir}", "config", "--show-scope", "--get", "core.hooksPath"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=self.git_dir.anchor,
            env={name: os.environ[name] for name in own if name in os.environ},
            timeout=_SECONDS,
            check=False,
        )
        scope, _, path = done.stdout.decode("utf-8", "surrogateescape").rstrip("\n").partition("\t")
        return (scope, path) if done.returncode == 0 else ("", "")

    def objects(self) -> Objects:
        """The contents of objects, by id."""
        if self._objects is None:
            self._objects = Objects(self)
        return self._objects

    def command(self, *arguments: str) -> list[str]:
        """A whole command line. Raises `GitError` where there is no git."""
        program = platform_.program("git")
        if program is None:
            raise GitError("git is not installed, or not on the PATH.")
        overrides = [word for name, value in _OVERRIDES.items() for word in ("-c", f"{name}={value}")]
        place = [f"--git-dir={self.git_dir}", f"--work-tree={self.top}"]
        return [str(program), "--no-pager", "--literal-pathspecs", *overrides, *place, *arguments]

    def environment(self) -> dict[str, str]:
        """What git is started with: nothing of ours but the path, and the index if it is another one."""
        kept = {name: os.environ[name] for name in ("PATH", "SYSTEMROOT", "TMPDIR", "TEMP") if name in os.environ}
        index = {"GIT_INDEX_FILE": self.index_file} if self.index_file else {}
        return {**kept, **_ENVIRONMENT, **index}

    def _text(self, *arguments: str) -> str:
        return self._bytes(*arguments).decode("utf-8", "surrogateescape")

    def _bytes(self, *arguments: str) -> bytes:
        done = self._run(*arguments)
        if done.returncode:
            raise self._failed(arguments[0], done)
        return done.stdout

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                self.command(*arguments),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=self.git_dir.anchor,  # outside, so that no path is taken as relative to a folder of it
                env=self.environment(),
                timeout=_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise GitError(f"git {arguments[0]} took longer than {_SECONDS:g} seconds.") from None
        except (OSError, ValueError) as error:
            raise GitError(f"git could not be started: {error}") from None

    def _failed(self, command: str, done: subprocess.CompletedProcess[bytes]) -> GitError:
        said = " ".join(done.stderr.decode("utf-8", "replace").split()).removeprefix("fatal: ")[:300]
        hint = "; reftable needs git 2.45 or later" if "refstorage" in said.lower() else ""
        return GitError(f"git {command} failed in {self.top}: {said or f'status {done.returncode}'}{hint}")


class Objects:
    """`git cat-file --batch`, kept running: one start for all that is read."""

    def __init__(self, repository: Repository) -> None:
        self._lock = threading.Lock()
        try:
            self._process = subprocess.Popen(
                repository.command("cat-file", "--batch"),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                cwd=repository.git_dir.anchor,
                env=repository.environment(),
            )
        except (OSError, ValueError) as error:
            raise GitError(f"git could not be started: {error}") from None

    def read(self, id_: str, limit: int = 1 << 30) -> bytes:
        """The bytes of an object. Raises `GitError` if it is missing or larger than `limit` bytes."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            try:
                self._process.stdin.write(id_.encode() + b"\n")
                self._process.stdin.flush()
                words = self._process.stdout.readline().split()
                if len(words) != 3:
                    raise GitError(f"the object {id_[:12]} is missing (a partial clone, or a broken one).")
                size = int(words[2])
                if size > limit:
                    self._skip(size + 1)
                    raise TooLarge(f"larger than {limit:,} bytes")
                data = self._process.stdout.read(size + 1)
            except (OSError, ValueError) as error:
                raise GitError(f"git cat-file ended: {error}") from None
            if len(data) != size + 1:
                raise GitError("git cat-file ended before its answer did.")
            return data[:-1]

    def _skip(self, size: int) -> None:
        assert self._process.stdout is not None
        while size > 0 and (chunk := self._process.stdout.read(min(size, 1 << 20))):
            size -= len(chunk)

    def close(self) -> None:
        """End the process."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        platform_.stop(self._process)


class TooLarge(GitError):
    """An object of more bytes than were asked for."""


def below(entries: Mapping[str, str], top: Path, root: Path) -> dict[str, str]:
    """The entries below `root`, a folder of the work tree, by their paths from there."""
    prefix = "" if root == top else root.relative_to(top).as_posix() + "/"
    return {path.removeprefix(prefix): id_ for path, id_ in entries.items() if path.startswith(prefix)}


def _common(git_dir: Path) -> Path:
    try:
        text = (platform_.read_regular(git_dir / "commondir", _LARGEST_POINTER) or b"").decode().strip()
    except (OSError, UnicodeDecodeError):
        return git_dir
    return Path(os.path.normpath(git_dir / text)) if text else git_dir


def _entries(output: bytes, mode: int, id_: int, stage: str = "") -> dict[str, str]:
    """The regular files in a listing; with `stage` only those of a conflict's side."""
    found: dict[str, str] = {}
    for line in output.decode("utf-8", "surrogateescape").split("\0"):
        head, tab, path = line.partition("\t")
        words = head.split(" ")
        if tab and words[mode] in _REGULAR and stage in ("", words[-1]):
            found[path] = words[id_]
    return found


def _before(output: bytes) -> dict[str, str]:
    """What `--raw` says was in the files that differ: ":mode mode blob blob status", and the path."""
    words = output.decode("utf-8", "surrogateescape").split("\0")
    pairs = ((head.removeprefix(":").split(" "), path) for head, path in zip(words[::2], words[1::2], strict=False))
    return {path: head[2] if head[0] in _REGULAR else "" for head, path in pairs}


def blob_id(data: bytes, like: str) -> str:
    """The id that git gives these bytes, in the hash that `like` is of."""
    import hashlib

    state = hashlib.sha1(usedforsecurity=False) if len(like) == 40 else hashlib.sha256()
    state.update(b"blob %d\0" % len(data))
    state.update(data)
    return state.hexdigest()


__all__: Sequence[str] = ["Commit", "GitError", "Objects", "Repository", "TooLarge", "below", "blob_id", "find"]
