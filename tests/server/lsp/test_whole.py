"""The server as users start it, with the real analysis."""

from __future__ import annotations

import sys
from pathlib import Path

from server.lsp.client import apply_edit
from server.lsp.conftest import Start

COMMAND = (sys.executable, "-I", "-m", "closeread", "serve")

APP = """\
import os

from flask import Flask, request

from helper import run

app = Flask(__name__)


@app.route("/ping")
def ping():
    host = request.args["host"]
    emoji = "\U0001f600漢"; os.system("ping " + host)
    run(host)
    return "ok"
"""

HELPER = """\
import subprocess


def run(host):
    subprocess.run("ping " + host, shell=True)
"""


async def test_from_open_to_suppressed(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", APP)
    (found,) = await client.diagnostics(uri, 1)
    hover = await client.request(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": found["range"]["start"]}
    )
    offered = await client.request(
        "textDocument/codeAction",
        {"textDocument": {"uri": uri}, "range": found["range"], "context": {"diagnostics": [found]}},
    )
    action = next(one for one in offered if one["title"].startswith("Suppress"))
    (edit,) = action["edit"]["changes"][uri]
    client.change(uri, 2, {"text": apply_edit(APP, edit)})

    assert found["code"] == "command-injection"
    assert found["range"]["start"] == {"line": 12, "character": 4 + 14 + 1}
    assert "How the data gets here" in hover["contents"]["value"]
    assert await client.diagnostics(uri, 2) == []
    assert await client.stop() == 0


async def test_a_flow_into_a_file_that_is_not_open(start: Start, tmp_path: Path) -> None:
    helper = tmp_path / "helper.py"
    helper.write_text(HELPER)
    client = await start(COMMAND)
    related = {"textDocument": {"publishDiagnostics": {"relatedInformation": True}}}
    await client.initialize(tmp_path, capabilities=related)
    uri = client.open(tmp_path / "app.py", APP)
    await client.diagnostics(uri, 1)
    (there,) = await client.diagnostics(helper.as_uri())
    client.change(uri, 2, {"text": APP.replace("    run(host)\n", "")})
    await client.until(lambda: client.published(helper.as_uri())[-1]["diagnostics"] == [])

    assert there["range"]["start"]["line"] == 4
    assert there["relatedInformation"][0]["location"]["uri"] == uri


async def test_settings_that_come_after_a_file_is_opened_lose_nothing(start: Start, tmp_path: Path) -> None:
    """An editor answers what its settings are when files are open already."""
    helper = tmp_path / "helper.py"
    helper.write_text(HELPER)
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", APP)
    await client.diagnostics(uri, 1)
    client.notify("workspace/didChangeConfiguration", {"settings": {"closeread": {"minSeverity": "low"}}})

    assert ["command-injection"] == [found["code"] for found in await client.diagnostics(helper.as_uri())]


async def test_a_hostile_workspace_is_not_run(start: Start, tmp_path: Path) -> None:
    trap = f"open({str(tmp_path / 'sprung')!r}, 'w').close()\n"
    for name in ("json.py", "sitecustomize.py", "usercustomize.py", "conftest.py", "setup.py", "tree_sitter.py"):
        (tmp_path / name).write_text(trap)
    (tmp_path / "closeread").mkdir()
    (tmp_path / "closeread" / "__init__.py").write_text(trap)
    client = await start(COMMAND, folder=tmp_path)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", APP)
    await client.diagnostics(uri, 1)
    summary = await client.request("workspace/executeCommand", {"command": "closeread.scanWorkspace"})

    assert summary["files"] == 7
    assert not (tmp_path / "sprung").exists()
