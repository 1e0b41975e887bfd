"""Commits made in a terminal, as an editor's server sees them: the real server, the real git."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Any

import pytest

from closeread import log
from closeread.review import repository_of
from hostile.test_git import git
from server.lsp.client import ATTACH, Client
from server.lsp.conftest import Start

BAD = "import os, flask\n\ndef {name}():\n    os.system(flask.request.args['x'])\n"
SERVE = (sys.executable, "-I", "-m", "closeread", "serve")


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    top = tmp_path / "work"
    top.mkdir()
    return top


def commit(top: Path, subject: str, *options: str, **texts: str) -> str:
    for name, text in texts.items():
        (top / f"{name}.py").write_text(text)
    git(top, "add", "-A")
    git(top, "commit", "-qm", subject, *options)
    return git(top, "rev-parse", "HEAD")


def messages(client: Client) -> list[str]:
    return [
        message["params"]["message"]
        for message in client.messages
        if message.get("method") == "window/showMessage" and message["params"]["message"].startswith("Closeread: ")
    ]


async def until(client: Client, count: int) -> list[str]:
    async with asyncio.timeout(3 * ATTACH):
        while len(messages(client)) < count:
            await asyncio.sleep(0.05)
    return messages(client)


async def ready(start: Start, top: Path) -> Client:
    client = await start(SERVE)
    await client.initialize(top)
    await client.request(
        "workspace/executeCommand", {"command": "closeread.explain", "arguments": ["command-injection"]}
    )
    await asyncio.sleep(1.5)  # the watcher has looked at HEAD; nothing tells when
    return client


async def test_commits_are_reviewed_once_however_they_are_made(start: Start, top: Path) -> None:
    git(top, "init", "-q")
    commit(top, "first", a="x = 1\n")
    client = await ready(start, top)
    second = commit(top, "a view", view=BAD.format(name="view"))
    (told,) = await until(client, 1)
    assert told == f"Closeread: {second[:10]} a view: 1 introduced."

    answer: Any = await client.request("workspace/executeCommand", {"command": "closeread.reviewCommit"})
    assert answer == {"commit": second, "findings": 1, "remarks": 0, "fixed": 0, "files": 1}
    shown = [m["params"] for m in client.messages if m.get("method") == "textDocument/publishDiagnostics"]
    assert [(p["uri"].rpartition("/")[2], len(p["diagnostics"])) for p in shown if p["diagnostics"]] == [("view.py", 1)]

    first = git(top, "rev-parse", "HEAD~1")
    # An editor that saw HEAD move says both.
    assert await moved(client, second, first) == {**answer, "commits": [second]}
    git(top, "checkout", "-qb", "other", "HEAD~1")  # no commit
    assert await moved(client, first, second) is None
    git(top, "checkout", "-q", "main")
    amended = commit(top, "an empty view", "--amend", view="def view():\n    return 1\n")
    assert (await until(client, 2))[-1] == f"Closeread: {amended[:10]} an empty view: nothing introduced."
    assert len(messages(client)) == 2
    assert [one["commit"] for one in log.entries(repository_of(top))] == [second, amended]
    assert await client.stop() == 0


async def moved(client: Client, now: str, before: str) -> Any:
    """What is answered to an editor that saw HEAD move."""
    asked = {"command": "closeread.reviewCommit", "arguments": [now, before]}
    return await client.request("workspace/executeCommand", asked)


async def test_an_editor_tells_commits_of_any_folder(start: Start, top: Path) -> None:
    other = top.parent / "other"
    for folder in (top, other):
        folder.mkdir(exist_ok=True)
        git(folder, "init", "-q")
        commit(folder, "first", a="x = 1\n")
    client = await ready(start, top)
    added = {"added": [{"uri": other.as_uri(), "name": "other"}], "removed": []}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": added})
    was = git(other, "rev-parse", "HEAD")
    now = commit(other, "second", view=BAD.format(name="view"))

    assert (await moved(client, now, was))["findings"] == 1
    assert await moved(client, "0" * 40, was) is None  # of a repository that is in no folder
    assert await client.stop() == 0


async def test_a_repository_made_later_and_a_linked_work_tree(start: Start, top: Path) -> None:
    (top / "a.py").write_text("x = 1\n")
    client = await ready(start, top)
    git(top, "init", "-q")
    await asyncio.sleep(4)  # two looks for a repository
    first = commit(top, "first", view=BAD.format(name="view"))
    assert await until(client, 1) == [f"Closeread: {first[:10]} first: 1 introduced."]
    assert await client.stop() == 0

    linked = top.parent / "linked"
    git(top, "worktree", "add", "-q", str(linked))
    client = await ready(start, linked)
    there = commit(linked, "there", b="y = 1\n")
    assert await until(client, 1) == [f"Closeread: {there[:10]} there: nothing introduced."]
    assert await client.stop() == 0


async def test_a_rebase_is_one_message_and_each_of_its_commits_is_reviewed(start: Start, top: Path) -> None:
    git(top, "init", "-q")
    commit(top, "first", a="x = 1\n")
    git(top, "checkout", "-qb", "side")
    commit(top, "one", one=BAD.format(name="one"))
    commit(top, "two", two=BAD.format(name="two"))
    git(top, "checkout", "-q", "main")
    commit(top, "second", b="y = 1\n")
    git(top, "checkout", "-q", "side")
    git(top, "pack-refs", "--all")
    client = await ready(start, top)
    before = git(top, "rev-parse", "HEAD")
    git(top, "rebase", "-q", "main")
    one, two = git(top, "rev-list", "--reverse", "main..side").split()
    answer = await moved(client, two, before)  # the editor sees it too, at the same time

    assert (answer["commits"], answer["commit"]) == ([one, two], two)
    assert await until(client, 1) == [f"Closeread: 2 commits up to {two[:10]} two: 2 introduced."]
    assert [entry["commit"] for entry in log.entries(repository_of(top))] == [one, two]
    git(top, "checkout", "-q", "--detach")
    third = commit(top, "three", one="x = 1\n")
    assert (await until(client, 2))[1:] == [f"Closeread: {third[:10]} three: nothing introduced, 1 fixed."]
    assert await client.stop() == 0


async def test_an_empty_repository_and_a_submodule(start: Start, top: Path, tmp_path: Path) -> None:
    git(top, "init", "-q")
    client = await ready(start, top)
    first = commit(top, "first", view=BAD.format(name="view"))
    assert await until(client, 1) == [f"Closeread: {first[:10]} first: 1 introduced."]
    assert await client.stop() == 0

    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "-q")
    git(outer, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(top), "sub")
    client = await ready(start, outer / "sub")
    git(outer / "sub", "checkout", "-q", "-b", "feature/nested")
    inside = commit(outer / "sub", "inside", view="x = 1\n")
    assert await until(client, 1) == [f"Closeread: {inside[:10]} inside: nothing introduced, 1 fixed."]
    assert await client.stop() == 0


async def test_a_repository_that_this_git_cannot_read_is_told(start: Start, top: Path) -> None:
    git(top, "init", "-q")
    for name, value in (("core.repositoryFormatVersion", "1"), ("extensions.refStorage", "unheard-of")):
        git(top, "config", name, value)
    client = await ready(start, top)

    (told,) = await until(client, 1)
    assert told.startswith("Closeread: commits are not seen: git rev-parse failed in ")
    assert told.endswith("; reftable needs git 2.45 or later")
    assert await client.stop() == 0


async def test_what_is_staged(start: Start, top: Path) -> None:
    git(top, "init", "-q")
    commit(top, "first", a="x = 1\n")
    client = await ready(start, top)
    (top / "a.py").write_text(BAD.format(name="a"))
    git(top, "add", "a.py")
    staged = await client.request("workspace/executeCommand", {"command": "closeread.scanStaged"})

    assert staged == {"commit": "", "findings": 1, "remarks": 0, "fixed": 0, "files": 1}
    assert await client.stop() == 0
