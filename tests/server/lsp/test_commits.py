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

    git(top, "checkout", "-qb", "other", "HEAD~1")  # no commit
    git(top, "checkout", "-q", "main")
    amended = commit(top, "an empty view", "--amend", view="def view():\n    return 1\n")
    assert (await until(client, 2))[-1] == f"Closeread: {amended[:10]} an empty view: nothing introduced."
    assert len(messages(client)) == 2
    assert [one["commit"] for one in log.entries(repository_of(top))] == [second, amended]
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


async def test_what_is_staged(start: Start, top: Path) -> None:
    git(top, "init", "-q")
    commit(top, "first", a="x = 1\n")
    client = await ready(start, top)
    (top / "a.py").write_text(BAD.format(name="a"))
    git(top, "add", "a.py")
    staged = await client.request("workspace/executeCommand", {"command": "closeread.scanStaged"})

    assert staged == {"commit": "", "findings": 1, "remarks": 0, "fixed": 0, "files": 1}
    assert await client.stop() == 0
