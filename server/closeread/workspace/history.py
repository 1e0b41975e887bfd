"""What was committed in a repository since the last look, however it was done: the reflog of HEAD, read as git writes it.

Every step of HEAD stands there with a word for it: a commit, an amend, a merge, each pick of a rebase. What only went
somewhere (a checkout, a reset, a fast-forward) is left out, and so is what was made on the way and is not part of HEAD's
past any more (a fix-up's first half). While git is in the middle of a series (a rebase, several picks), nothing is told.

Where there is no reflog (`core.logAllRefUpdates=false`, reftable), a commit is what has the former HEAD, or that one's
parent, for its parent: a rebase is then its last commit, if that.

Deliberately absent: watching (an editor's server does), and writing.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .git import Repository

_LARGEST = 1_000_000
_PAST = 1_000
"""How far back HEAD's past is looked at for what was committed just now."""
_WENT = ("checkout", "reset", "clone", "branch", "Branch", "fetch", "initial pull")
_ENDS = ("(start)", "(finish)", "(abort)", "--abort", "--skip", "--quit")
_SERIES = ("rebase-merge", "rebase-apply", "sequencer")


@dataclass(frozen=True, slots=True)
class Look:
    """HEAD at some time, and the reflog's lines up to then (the last of it)."""

    head: str | None
    steps: tuple[bytes, ...]


def look(repository: Repository) -> Look:
    """The state now. Raises `GitError` for a repository that git cannot read."""
    return Look(repository.head(), _steps(repository.git_dir / "logs" / "HEAD"))


def is_in_series(repository: Repository) -> bool:
    """Whether git is in the middle of a rebase, or of several picks or reverts."""
    return any((repository.git_dir / name).exists() for name in _SERIES)


def committed(repository: Repository, before: Look, now: Look) -> list[str]:
    """The commits made between two looks that HEAD still rests on, the oldest first. Raises `GitError`."""
    if now.head is None or now == before:
        return []
    if not now.steps:
        return [now.head] if now.head != before.head and _follows(repository, before.head, now.head) else []
    steps = [_step(line) for line in _new(before.steps, now.steps)]
    made = [new for old, new, said in steps if (_is_made(said) if said else _follows(repository, old, new))]
    if not made:
        return []
    past = set(repository.past(now.head, _PAST))
    return [id_ for id_ in dict.fromkeys(made) if id_ in past]


def since(repository: Repository, before: str | None, now: str) -> list[str]:
    """The commits made on HEAD's way from `before`, where somebody saw it last, to `now`; the oldest first.

    None of them while git is in the middle of a series. Where the log does not know `before`, its step to `now` alone
    counts. Raises `GitError`.
    """
    if is_in_series(repository):
        return []
    steps = _steps(repository.git_dir / "logs" / "HEAD")
    heads = [_step(line)[1] for line in steps]
    end = _after(now, heads)
    start = 0 if before is None else _after(before, heads[: end - 1]) or end - 1
    return committed(repository, Look(before, steps[:start]), Look(now, steps[:end]))


def _after(head: str, heads: list[str]) -> int:
    """How many steps there are up to the last one that led to this HEAD, that one included."""
    return next((place for place in range(len(heads), 0, -1) if heads[place - 1] == head), 0)


def _steps(file: Path) -> tuple[bytes, ...]:
    try:
        with file.open("rb") as log:
            log.seek(max(0, file.stat().st_size - _LARGEST))
            return tuple(log.read().splitlines())
    except OSError:
        return ()


def _new(before: tuple[bytes, ...], now: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The lines that came. Of a log that was cut or rewritten meanwhile, the last line."""
    if not before:
        return now
    for place in range(len(now), 0, -1):
        if now[place - 1] == before[-1]:
            return now[place:]
    return now[-1:]


def _step(line: bytes) -> tuple[str | None, str, str]:
    """HEAD before and after, and what is said of it: "OLD NEW NAME <MAIL> TIME ZONE<tab>WORD: TEXT". Before the first it is zeros."""
    head, _, said = line.decode("utf-8", "replace").partition("\t")
    old, _, rest = head.partition(" ")
    return (old if old.strip("0") else None), rest.partition(" ")[0], said


def _is_made(said: str) -> bool:
    """Whether these words are of a commit, and not of a move to one that was there before."""
    word, _, text = said.partition(": ")
    went = word.startswith(_WENT) or word.endswith(_ENDS)
    return not went and not text.lower().startswith("fast-forward")


def _follows(repository: Repository, before: str | None, now: str) -> bool:
    """Whether a commit was made upon a former HEAD, or in its place."""
    if before is None:
        return True
    try:
        parents = repository.commit(now).parents
        return before in parents or parents == repository.commit(before).parents
    finally:
        repository.close()
