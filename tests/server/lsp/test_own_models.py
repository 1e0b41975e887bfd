"""A user's own models, and why a line was or was not reported, in the editor with the real analysis."""

from __future__ import annotations

from pathlib import Path

import pytest

from server.lsp.client import ResponseError
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND

APP = "import os\nimport shop\nos.system(shop.client_text())\n"
SOURCE = '[[source]]\ncall = "shop.client_text"\nkind = "remote"\n'


async def test_models_are_read_again_and_a_mistake_is_said_once(start: Start, tmp_path: Path) -> None:
    config = tmp_path / "closeread.toml"
    config.write_text(SOURCE.replace("remote", "remot"))
    client = await start(COMMAND, tmp_path)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", APP)

    assert await client.diagnostics(uri, 1) == []
    (wrong,) = await client.diagnostics(config.as_uri())
    assert wrong["range"]["start"]["line"] == 2
    await client.until(lambda: client.said("window/showMessage"))

    config.write_text(SOURCE)
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": config.as_uri(), "type": 2}]})
    await client.until(lambda: client.published(uri)[-1]["diagnostics"])

    assert [found["code"] for found in client.published(uri)[-1]["diagnostics"]] == ["command-injection"]
    (said,) = client.said("window/showMessage")
    assert f'{config}:3: [[source]]: "remot" is not a source kind' in said["message"]
    assert "None of your own models is in force." in said["message"]


async def test_why(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND, tmp_path)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", APP)  # never saved: the answer is about the text the user sees

    async def why(*arguments: object) -> str:
        params = {"command": "closeread.why", "arguments": list(arguments)}
        answer: str = await client.request("workspace/executeCommand", params)
        return answer

    page = await why(uri, 2)
    assert page.startswith("app.py:3: os.system(shop.client_text())\nNot reported.\n")
    assert "nothing from outside is known there" in page
    for arguments, message in [((uri,), "two arguments"), ((uri, -1), "two arguments"), ((uri, 99), "no line 100")]:
        with pytest.raises(ResponseError, match=message):
            await why(*arguments)
