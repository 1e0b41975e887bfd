"""Git in a hostile repository: each way in which a repository names a program is planted, and none of them runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from closeread.settings import Settings
from closeread.workspace import git as git_
from closeread.workspace.git import GitError, Repository, find
from closeread.workspace.history import look
from closeread.workspace.snapshot import Committed
from needs import program

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the planted programs are shell scripts")

WHO = {f"GIT_{who}_{what}": "x@y.z" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def git(where: Path, *arguments: str) -> str:
    """The user's own git, without this machine's settings."""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", **WHO, "GIT_CONFIG_NOSYSTEM": "1"}
    command = [str(program("git", "apt install git")), "-c", "init.defaultBranch=main", *arguments]
    done = subprocess.run(command, cwd=where, env=environment, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "work"
    (top / "pkg").mkdir(parents=True)
    git(top, "init", "-q")
    (top / "a.py").write_text("x = 1\n")
    (top / "pkg/b.py").write_text("y = 1\n")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    (top / "a.py").write_text("x = 2\n")
    git(top, "commit", "-qam", "second\n\nwith a body")
    return top


def use_all(top: Path) -> Repository:
    """Everything that is ever asked of git."""
    found = find(top)
    assert found is not None
    head, first = found.commit_id("HEAD"), found.commit_id("HEAD~1")
    found.merge_base(first, head)
    found.past(head, 9)
    look(found)
    found.staged()
    found.commit(head)
    for entries in (found.index(), found.tree(head)):
        workspace = Committed(top, Settings(), found, entries)
        for path in workspace.sources().files:
            workspace.load(path)
    found.close()
    return found


def test_what_a_repository_is_asked(repository: Path) -> None:
    found = use_all(repository)
    head, first = found.commit_id("HEAD"), found.commit_id("HEAD~1")
    (repository / "pkg/b.py").write_text("y = 2\n")
    git(repository, "add", "pkg/b.py")
    (repository / "pkg/b.py").write_text("y = 3\n")

    assert found.staged() == {"pkg/b.py": git(repository, "rev-parse", "HEAD:pkg/b.py")}
    assert (found.commit(head).subject, found.commit(head).parents) == ("second", (first,))
    assert Committed(repository, Settings(), found, found.index()).read("pkg/b.py") == b"y = 2\n"
    assert Committed(repository, Settings(), found, found.tree(first)).read("a.py") == b"x = 1\n"
    below = Committed(repository / "pkg", Settings(), found, found.tree(first))
    assert (below.read("b.py"), below.exists("../a.py"), below.read("../a.py")) == (b"y = 1\n", False, None)
    with pytest.raises(GitError, match="rev-parse"):
        found.commit_id("--exec=touch")
    found.close()


def test_before_the_first_commit(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q")
    (tmp_path / "a.py").write_text("x = 1\n")
    git(tmp_path, "add", "a.py")
    found = find(tmp_path / "sub")

    assert found is not None
    assert (found.head(), found.staged()) == (None, {"a.py": ""})


def test_of_a_conflict_ours_counts(repository: Path) -> None:
    git(repository, "checkout", "-qb", "other", "HEAD~1")
    (repository / "a.py").write_text("x = 3\n")
    git(repository, "commit", "-qam", "theirs")
    git(repository, "checkout", "-q", "main")
    subprocess.run(["git", "merge", "-q", "other"], cwd=repository, env={**os.environ, **WHO}, check=False)
    found = find(repository)
    assert found is not None
    ours = git(repository, "rev-parse", "HEAD:a.py")

    assert found.index()["a.py"] == ours
    assert found.staged() == {"a.py": ours}


def test_linked_work_trees_and_submodules(repository: Path, tmp_path: Path) -> None:
    git(repository, "worktree", "add", "-q", str(tmp_path / "linked"))
    git(repository, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(repository), "sub")
    git(repository, "commit", "-qm", "a submodule")
    linked, sub = find(tmp_path / "linked" / "pkg"), find(repository / "sub")

    assert linked is not None and sub is not None
    assert linked.top == tmp_path / "linked"
    assert linked.common_dir == repository / ".git"
    assert sub.git_dir == repository / ".git/modules/sub"
    assert "a.py" in sub.tree(sub.commit_id("HEAD"))
    use_all(repository)


PROGRAM = "touch {pwned}; cat"
TRAPS = {
    "file-system monitor": "[core]\nfsmonitor = {script}\nuntrackedCache = true\n",
    "filters": '[filter "x"]\nclean = {script}\nsmudge = {script}\nprocess = {script}\nrequired = true\n',
    "text converters": '[diff "x"]\ntextconv = {script}\ncommand = {script}\n[diff]\nexternal = {script}\n',
    "ssh, proxies and askpass": "[core]\nsshCommand = {script}\ngitProxy = {script}\naskPass = {script}\n",
    "pager and editor": "[core]\npager = {script}\neditor = {script}\n[pager]\nls-files = {script}\ncat-file = {script}\n",
    "hooks": "[core]\nhooksPath = {hooks}\n",
    "signatures": "[gpg]\nprogram = {script}\n[commit]\ngpgSign = true\n[log]\nshowSignature = true\n",
    "aliases": '[alias]\nls-files = "!{script}"\ncat-file = "!{script}"\nrev-parse = "!{script}"\ndiff-tree = "!{script}"\n',
    "included files": '[include]\npath = {included}\n[includeIf "gitdir:**"]\npath = {included}\n',
    "a work tree elsewhere": "[core]\nworktree = {elsewhere}\nfsmonitor = {script}\n",
    "credentials": '[credential]\nhelper = "!{script}"\n',
    "alternate refs": "[core]\nalternateRefsCommand = {script}\n",
    "merge drivers": '[merge "x"]\ndriver = {script}\n',
    "other remotes": '[remote "origin"]\nurl = ext::{script}\npromisor = true\nuploadpack = {script}\nvcs = x\n',
}


@pytest.mark.parametrize("trap", TRAPS)
def test_no_program_of_a_repository_runs(repository: Path, tmp_path: Path, trap: str) -> None:
    pwned, script, hooks = tmp_path / "pwned", tmp_path / "evil.sh", tmp_path / "hooks"
    script.write_text(f"#!/bin/sh\n{PROGRAM.format(pwned=pwned)}\n")
    script.chmod(0o755)
    hooks.mkdir()
    (tmp_path / "elsewhere").mkdir()
    for name in ("pre-commit", "post-index-change", "reference-transaction", "post-checkout", "fsmonitor-watchman"):
        for folder in (hooks, repository / ".git/hooks"):
            shutil.copy(script, folder / name)
    (tmp_path / "included").write_text(f"[core]\nfsmonitor = {script}\nhooksPath = {hooks}\n")
    config = repository / ".git/config"
    planted = TRAPS[trap].format(
        script=script, hooks=hooks, included=tmp_path / "included", elsewhere=tmp_path / "elsewhere"
    )
    config.write_text(config.read_text() + planted)
    for attributes in (repository / ".gitattributes", repository / ".git/info/attributes"):
        attributes.write_text("* filter=x diff=x merge=x\n")
    (repository / "a.py").write_text("changed = 1\n")  # so that a look at the working tree would filter it

    use_all(repository)
    assert not pwned.exists()


def test_the_traps_do_spring(repository: Path, tmp_path: Path) -> None:
    """That the tests above could fail: the commands for people run what is planted."""
    pwned, script = tmp_path / "pwned", tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\n{PROGRAM.format(pwned=pwned)}\n")
    script.chmod(0o755)
    with (repository / ".git/config").open("a") as config:
        config.write(TRAPS["file-system monitor"].format(script=script))
    git(repository, "status")

    assert pwned.exists()


def test_a_missing_object_is_not_fetched(repository: Path, tmp_path: Path) -> None:
    pwned, script = tmp_path / "pwned", tmp_path / "evil.sh"
    script.write_text(f"#!/bin/sh\ntouch {pwned}\n")
    script.chmod(0o755)
    blob = git(repository, "rev-parse", "HEAD:a.py")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    with (repository / ".git/config").open("a") as config:
        config.write(
            f'[remote "origin"]\nurl = {tmp_path}\nuploadpack = {script}\npromisor = true\npartialclonefilter = blob:none\n'
        )
        config.write("[extensions]\npartialClone = origin\n")
    found = find(repository)
    assert found is not None
    source = Committed(repository, Settings(), found, found.tree(found.commit_id("HEAD"))).load("a.py")
    found.close()

    assert source.problem is not None and "is missing" in source.problem.message
    assert not pwned.exists()


def test_nothing_of_the_environment_is_inherited(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pwned = tmp_path / "pwned"
    for name in ("GIT_EXTERNAL_DIFF", "GIT_SSH_COMMAND", "GIT_PAGER", "GIT_PROXY_COMMAND"):
        monkeypatch.setenv(name, f"touch {pwned}")
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_COUNT", "1")
    monkeypatch.setenv("GIT_CONFIG_KEY_0", "core.fsmonitor")
    monkeypatch.setenv("GIT_CONFIG_VALUE_0", f"touch {pwned}")

    assert use_all(repository).top == repository
    assert not pwned.exists()


def test_replaced_objects_are_not_believed(repository: Path) -> None:
    innocent = subprocess.run(
        ["git", "hash-object", "-w", "--stdin"],
        input="z = 0\n",
        cwd=repository,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    git(repository, "replace", git(repository, "rev-parse", "HEAD:a.py"), innocent)
    found = find(repository)
    assert found is not None
    text = Committed(repository, Settings(), found, found.tree(found.commit_id("HEAD"))).read("a.py")
    found.close()

    assert text == b"x = 2\n"


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root may give a repository to somebody else")
def test_a_repository_of_somebody_else(repository: Path) -> None:
    """As in a container: git's own search refuses it, and since nothing of it is run, it can be read."""
    for path in (repository, *repository.rglob("*")):
        os.chown(path, 12_345, 12_345)

    assert use_all(repository).head()


def test_git_is_not_looked_for_in_the_working_folder(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (repository / "git").write_text("#!/bin/sh\ntouch pwned\n")
    (repository / "git").chmod(0o755)
    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", f".:{os.environ['PATH']}:")
    use_all(repository)
    monkeypatch.setenv("PATH", ".:")

    with pytest.raises(GitError, match="not installed"):
        use_all(repository)
    assert not (repository / "pwned").exists()


def test_ids_of_blobs(repository: Path) -> None:
    like = git(repository, "rev-parse", "HEAD:a.py")

    assert git_.blob_id(b"x = 2\n", like) == like
