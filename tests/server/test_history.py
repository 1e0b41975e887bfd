"""Which commits were made between two looks, with the real git, in every way to make one."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from closeread.workspace.git import GitError, Repository, find
from closeread.workspace.history import Look, committed, is_in_series, look, since
from hostile.test_git import WHO, git

Do = Callable[[Path], list[str]]
"""What is done in a repository; gives the ids of the commits that it made, the oldest first."""


def repository(top: Path) -> Repository:
    found = find(top)
    assert found is not None
    return found


def head(top: Path) -> str:
    return git(top, "rev-parse", "HEAD")


def commit(top: Path, name: str, *options: str, text: str = "x = 1\n") -> str:
    (top / f"{name}.py").write_text(text)
    git(top, "add", "-A")
    git(top, "commit", "-qm", name, *options)
    return head(top)


def tries(top: Path, *arguments: str, **environment: str) -> None:
    """Git as it may end with a conflict."""
    subprocess.run(
        ["git", *arguments], cwd=top, env={**os.environ, **WHO, **environment}, capture_output=True, check=False
    )


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """A repository with two commits on `main`, and two others on `side`."""
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q")
    commit(top, "first")
    git(top, "checkout", "-qb", "side")
    commit(top, "one")
    commit(top, "two")
    git(top, "checkout", "-q", "main")
    commit(top, "second")
    return top


def newest(top: Path, count: int) -> list[str]:
    return git(top, "rev-list", "--reverse", f"--max-count={count}", "HEAD").split()


def commits(top: Path) -> list[str]:
    return [commit(top, "a"), commit(top, "b")]


def amends(top: Path) -> list[str]:
    commit(top, "a")
    return [commit(top, "b", "--amend")]


def merges(top: Path) -> list[str]:
    git(top, "merge", "-q", "--no-ff", "-m", "merged", "side")
    return newest(top, 1)


def merges_with_a_conflict(top: Path) -> list[str]:
    commit(top, "one", text="x = 2\n")
    ours = head(top)
    tries(top, "merge", "side")
    return [ours, commit(top, "one", text="x = 3\n")]


def picks(top: Path) -> list[str]:
    git(top, "cherry-pick", "side")
    return newest(top, 1)


def picks_several(top: Path) -> list[str]:
    git(top, "cherry-pick", "main..side")
    return newest(top, 2)


def reverts(top: Path) -> list[str]:
    git(top, "revert", "--no-edit", "HEAD")
    return newest(top, 1)


def rebases(top: Path) -> list[str]:
    git(top, "checkout", "-q", "side")
    git(top, "rebase", "-q", "main")
    return newest(top, 2)


def rebases_with_a_conflict(top: Path) -> list[str]:
    commit(top, "two", text="x = 2\n")
    git(top, "checkout", "-q", "side")
    tries(top, "rebase", "main")
    assert is_in_series(repository(top))
    (top / "two.py").write_text("x = 3\n")
    git(top, "add", "-A")
    tries(top, "rebase", "--continue", GIT_EDITOR="true")
    assert not is_in_series(repository(top))
    return [git(top, "rev-parse", "main"), *newest(top, 2)]


def fixes_up(top: Path) -> list[str]:
    git(top, "checkout", "-q", "side")
    commit(top, "three")
    git(top, "commit", "-q", "--amend", "-m", "fixup! one")
    tries(top, "rebase", "-q", "-i", "--autosquash", "main", GIT_SEQUENCE_EDITOR="true", GIT_EDITOR="true")
    return newest(top, 2)


def applies_a_mail(top: Path) -> list[str]:
    mail = top.parent / "mail"
    mail.write_text(git(top, "format-patch", "--stdout", "main..side") + "\n")
    git(top, "am", "-q", str(mail))
    return newest(top, 2)


def pulls(top: Path) -> list[str]:
    clone = top.parent / "clone"
    git(top, "clone", "-q", str(top), str(clone))
    git(top, "remote", "add", "origin", str(clone))
    commit(clone, "theirs")
    mine = commit(top, "mine")
    git(top, "pull", "-q", "--rebase", "origin", "main")
    assert mine != head(top)
    return newest(top, 1)


def on_no_branch(top: Path) -> list[str]:
    git(top, "checkout", "-q", "--detach")
    return [commit(top, "a")]


def without_words(top: Path) -> list[str]:
    """As tools do that write objects themselves."""
    tree = git(top, "rev-parse", "side^{tree}")
    git(top, "update-ref", "HEAD", git(top, "commit-tree", "-p", "HEAD", "-m", "made", tree))
    return newest(top, 1)


def packs(top: Path) -> list[str]:
    made = commit(top, "a")
    git(top, "pack-refs", "--all")
    git(top, "gc", "-q", "--prune=now")
    return [made, commit(top, "b")]


def words_of_a_move_in_a_message(top: Path) -> list[str]:
    return [commit(top, "checkout: (start)")]


def goes(top: Path) -> list[str]:
    git(top, "checkout", "-q", "side")
    git(top, "checkout", "-q", "-b", "new", "main")
    git(top, "reset", "-q", "--hard", "HEAD~1")
    git(top, "merge", "-q", "main")
    git(top, "branch", "-m", "renamed")
    git(top, "checkout", "-q", "--detach", "side")
    return []


def gives_up(top: Path) -> list[str]:
    commit(top, "two", text="x = 2\n")
    ours = head(top)
    git(top, "checkout", "-q", "side")
    tries(top, "rebase", "main")
    git(top, "rebase", "--abort")
    git(top, "checkout", "-q", "main")
    return [ours]


def takes_back(top: Path) -> list[str]:
    commit(top, "a")
    git(top, "reset", "-q", "--hard", "HEAD~1")
    return []


WAYS: list[Do] = [
    commits, amends, merges, merges_with_a_conflict, picks, picks_several, reverts, rebases, rebases_with_a_conflict,
    fixes_up, applies_a_mail, pulls, on_no_branch, without_words, packs, words_of_a_move_in_a_message,
    goes, gives_up, takes_back,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_was_committed(top: Path, way: Do) -> None:
    found = repository(top)
    before = look(found)
    made = way(top)

    assert committed(found, before, look(found)) == made


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_what_was_committed_since_somebody_saw_head(top: Path, way: Do) -> None:
    before = head(top)
    made = way(top)

    assert since(repository(top), before, head(top)) == made


def test_what_was_committed_since_depends_on_where_head_was_seen(tmp_path: Path, top: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    git(empty, "init", "-q")
    first = commits(empty)
    second, (third, fourth) = head(top), commits(top)

    assert since(repository(empty), None, first[-1]) == first  # it had no commit
    assert since(repository(top), "0" * 40, fourth) == [fourth]  # nobody knows
    assert since(repository(top), second, third) == [third]  # and has moved on meanwhile
    git(top, "reset", "-q", "--hard", "HEAD~1")
    assert since(repository(top), fourth, third) == []


def test_nothing_is_told_in_the_middle_of_a_series(top: Path) -> None:
    before = head(top)
    commit(top, "two", text="x = 2\n")
    tries(top, "rebase", "side")

    assert is_in_series(repository(top))
    assert since(repository(top), before, head(top)) == []


def test_nothing_is_committed_twice(top: Path) -> None:
    found = repository(top)
    before = look(found)
    made = commits(top)
    now = look(found)

    assert committed(found, before, now) == made
    assert committed(found, now, look(found)) == []


def test_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    found = repository(tmp_path)
    before = look(found)
    assert before == Look(None, ())
    made = commits(tmp_path)

    assert committed(found, before, look(found)) == made


def test_a_linked_work_tree_and_a_submodule_are_looked_at_by_themselves(top: Path, tmp_path: Path) -> None:
    git(top, "worktree", "add", "-q", str(tmp_path / "linked"), "side")
    git(top, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(top), "sub")
    commit(top, "with a submodule")
    places = (top, tmp_path / "linked", top / "sub")
    before = [look(repository(place)) for place in places]
    made = commits(tmp_path / "linked"), commits(top / "sub")
    now = [
        committed(repository(place), then, look(repository(place))) for place, then in zip(places, before, strict=True)
    ]

    assert now == [[], *made]


@pytest.mark.parametrize(("way", "seen"), [(commits, 0), (amends, 1), (merges, 1), (goes, 0), (takes_back, 0)])
def test_without_a_reflog(top: Path, way: Do, seen: int) -> None:
    """The last commit alone can be told, and only if it was made upon the former HEAD or in its place."""
    (top / ".git/logs/HEAD").unlink()
    git(top, "config", "core.logAllRefUpdates", "false")
    found = repository(top)
    before = look(found)
    made = way(top)

    assert committed(found, before, look(found)) == made[:seen]


def test_a_reflog_that_was_cut_tells_the_last_step(top: Path) -> None:
    found = repository(top)
    before = look(found)
    made = commits(top)
    log = top / ".git/logs/HEAD"
    log.write_bytes(b"".join(log.read_bytes().splitlines(keepends=True)[-2:]))
    cut = look(found)

    assert committed(found, before, cut) == made[-1:]


def test_a_repository_that_this_git_cannot_read_is_told(top: Path) -> None:
    """Reftable, as a git before 2.45 meets it."""
    for name, value in (("core.repositoryFormatVersion", "1"), ("extensions.refStorage", "unheard-of")):
        git(top, "config", name, value)

    with pytest.raises(GitError, match=r"reftable needs git 2\.45|ref storage format"):
        look(repository(top))
