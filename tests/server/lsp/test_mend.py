"""The code action "Propose a fix", over stdio. The model's answer is one that is remembered, so that no model has to run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from closeread.model import mender
from closeread.model.answers import Answers
from closeread.model.question import Written
from closeread_analyzers.pipeline import Project
from model.test_server import chosen, huge
from model.tiny import gguf
from server.lsp.client import Client, apply_edit
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND

UNSAFE = """os.system("ping -p 'ff' " + host)"""
SAFE = """os.system("ping -p 'ff' " + shlex.quote(host))"""
"""What no rule mends without judgement: `shlex.quote` beside quotes that stand there already."""
TEXT = f"""\
import os, flask


def ping():
    host = flask.request.args["host"]
    {UNSAFE}
"""
LAZY = {"textDocument": {"codeAction": {"resolveSupport": {"properties": ["edit"]}}}}
ASKING = {"workspaceEdit": {"documentChanges": True, "changeAnnotationSupport": {}}}
TITLE = "Propose a fix for command-injection (tiny)"


class Texts(dict[str, str]):
    def read(self, path: str) -> bytes | None:
        return self[path].encode() if path in self else None

    def exists(self, path: str) -> bool:
        return path in self


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """A user's data, with a model in use that nothing can run, and a user's cache."""
    (tmp_path / "tiny.gguf").write_bytes(gguf())
    chosen(tmp_path / "data", tmp_path / "tiny.gguf")
    return tmp_path / "data", tmp_path / "cache"


def answered(cache: Path, *texts: str) -> None:
    """What the model will say: its answers to these candidates are remembered."""
    project = Project(Texts({"app.py": TEXT}))
    (finding,) = [one for one in project.analyze("app.py").findings if one.rule == "command-injection"]
    memory = Answers("0" * 64, cache / "closeread")
    for attempt, text in zip(mender.attempts(project, finding), texts, strict=False):
        memory.put(attempt.question, mender.VERSION, Written(text, True, 1))
    memory.close()


async def action(client: Client, folder: Path) -> dict[str, Any]:
    uri = client.open(folder / "app.py", TEXT)
    await client.diagnostics(uri, 1)
    await client.hears("closeread/status", lambda status: status["model"])
    place = {"start": {"line": 5, "character": 4}, "end": {"line": 5, "character": 4}}
    found = await client.request(
        "textDocument/codeAction", {"textDocument": {"uri": uri}, "range": place, "context": {"diagnostics": []}}
    )
    (made,) = [one for one in found if one["title"] == TITLE] or [{}]
    return made


async def test_a_proposal_is_shown_as_a_diff_to_be_confirmed(
    start: Start, tmp_path: Path, places: tuple[Path, Path]
) -> None:
    answered(places[1], "ok", f'host = flask.request.args["host"]\n{SAFE}\n')
    client = await start(COMMAND, data=places[0], cache=places[1])
    await client.initialize(tmp_path, capabilities={**LAZY, "workspace": ASKING})
    offered = await action(client, tmp_path)
    edit = (await client.request("codeAction/resolve", offered))["edit"]
    ((annotation, shown),) = edit["changeAnnotations"].items()
    (change,) = edit["documentChanges"][0]["edits"]

    assert "edit" not in offered and not offered["isPreferred"]
    assert (annotation, True) == (change["annotationId"], shown["needsConfirmation"])
    assert "only you can tell" in shown["description"]
    assert TEXT.replace(UNSAFE, SAFE).replace("    host =", "    import shlex\n    host =") == apply_edit(TEXT, change)


@pytest.mark.parametrize(("button", "made"), [("Apply", True), ("Discard", False)])
async def test_where_the_client_cannot_preview_the_diff_is_a_question(
    start: Start, tmp_path: Path, places: tuple[Path, Path], button: str, made: bool
) -> None:
    answered(places[1], SAFE)
    client = await start(COMMAND, data=places[0], cache=places[1])
    client.answers["window/showMessageRequest"] = lambda message: {"title": button}
    await client.initialize(tmp_path, capabilities=LAZY)
    resolved = await client.request("codeAction/resolve", await action(client, tmp_path))
    (asked,) = client.said("window/showMessageRequest")

    assert made == ("edit" in resolved)
    assert f"+    import shlex\n+    {SAFE}" in asked["message"]


async def test_what_is_not_accepted_is_told_with_its_reasons_and_changes_nothing(
    start: Start, tmp_path: Path, places: tuple[Path, Path]
) -> None:
    host = 'host = flask.request.args["host"]\n'
    answered(places[1], "ok", host + UNSAFE.replace("host)", "clean(host))"), host + UNSAFE[:-1])
    client = await start(COMMAND, data=places[0], cache=places[1])
    await client.initialize(tmp_path, capabilities=LAZY)
    resolved = await client.request("codeAction/resolve", await action(client, tmp_path))
    told = await client.hears("window/showMessage")

    assert "edit" not in resolved
    assert (
        "No proposal of tiny was accepted for command-injection: 1. it leaves out what the lines did; "
        "2. it uses `clean`, which nothing defines; 3. it does not parse."
    ) == told["message"]


async def test_a_model_that_cannot_run_is_one_message(start: Start, tmp_path: Path) -> None:
    chosen(tmp_path / "data", huge(tmp_path / "tiny.gguf"))
    client = await start(COMMAND, data=tmp_path / "data")
    await client.initialize(tmp_path, capabilities=LAZY)
    offered = await action(client, tmp_path)
    resolved = await client.request("codeAction/resolve", offered)
    told = await client.hears("window/showMessage")

    assert "edit" not in resolved
    assert "of memory" in told["message"] or "nothing to run it is installed" in told["message"]


async def test_without_a_model_or_a_client_that_can_wait_nothing_is_offered(
    start: Start, tmp_path: Path, places: tuple[Path, Path]
) -> None:
    client = await start(COMMAND, data=places[0], cache=places[1])
    await client.initialize(tmp_path)

    assert {} == await action(client, tmp_path)
