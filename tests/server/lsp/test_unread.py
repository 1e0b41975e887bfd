"""What was not analysed is said where it is: in files that are open, and in those that a scan looked at."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import Any

from server.lsp.conftest import Start
from server.lsp.test_around import PULLS
from server.lsp.test_whole import COMMAND

WATCHES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
BROKEN = "def f(:\n    return 1\n\n\nx = 1\ny = )\n"


async def test_nothing_that_a_scan_left_out_is_silent(start: Start, tmp_path: Path) -> None:
    texts = {
        "binary.py": b"x = 1\0\n",
        "broken.py": BROKEN.encode(),
        "fine.py": b"x = 1\n",
        "large.py": b"x = 1\n" * 100,
        "latin.py": "x = 'ä'\n".encode("latin-1"),
        "wide.py": b"\xff\xfex",
    }
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
    client = await start(COMMAND)
    await client.initialize(tmp_path, options={"maxFileSize": 500})
    summary = await client.request("workspace/executeCommand", {"command": "closeread.scanWorkspace"})
    told = {
        Path(params["uri"]).name: [(one["code"], one["severity"], one["source"]) for one in params["diagnostics"]]
        for params in client.said("textDocument/publishDiagnostics")
    }

    assert {name: codes[0][0] for name, codes in told.items()} == {
        "binary.py": "encoding",
        "broken.py": "syntax",
        "large.py": "too-large",
        "latin.py": "encoding",
        "wide.py": "encoding",
    }
    assert {one[1:] for codes in told.values() for one in codes} == {(3, "closeread")}
    assert summary["problems"] >= len(told)


async def test_files_that_nobody_said_are_gone(start: Start, tmp_path: Path) -> None:
    """A client that sees a folder deleted may not name the files in it."""
    folder = tmp_path / "part"
    folder.mkdir()
    for number in range(3):
        (folder / f"f{number}.py").write_text(BROKEN if number else "def f(a):\n    return 1 if a == None else 0\n")
    client = await start(COMMAND)
    await client.initialize(tmp_path, capabilities=WATCHES)
    scan = {"command": "closeread.scanWorkspace"}
    before = await client.request("workspace/executeCommand", scan)
    shutil.rmtree(folder)
    after = await client.request("workspace/executeCommand", scan)
    status = await client.request("workspace/executeCommand", {"command": "closeread.status"})
    shown = {params["uri"]: params["diagnostics"] for params in client.said("textDocument/publishDiagnostics")}

    assert (before["files"], before["findings"], after["files"], status["findings"]) == (3, 1, 0, 0)
    assert [[], [], []] == list(shown.values())


async def test_what_does_not_parse_is_told_once_a_file_and_not_while_it_is_typed(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", "x = 1\n")
    await client.diagnostics(uri, 1)

    async def told(version: int, text: str, errors: int) -> list[list[dict[str, Any]]]:
        """What is shown of a text at once, and when the file was looked at whole."""
        client.change(uri, version, {"text": text})
        at_once = _syntax(await client.diagnostics(uri, version))
        found = await client.hears(
            "textDocument/publishDiagnostics",
            lambda params: params["version"] == version and len(_syntax(params["diagnostics"])) == errors,
        )
        return [at_once, _syntax(found["diagnostics"])]

    typed, one = await told(2, BROKEN, 1)
    kept, moved = await told(3, f"\n{BROKEN}", 1)
    gone, _ = await told(4, "x = 1\n", 0)

    assert one[0]["message"] == "Syntax error: missing `)`. Findings may be missing here, and in line 6."
    assert one[0]["range"]["start"]["line"] == 0
    # What was told stays where it is while one types on, and goes at once when it is mended.
    assert (typed, kept, gone) == ([], moved, [])
    assert moved[0]["range"]["start"]["line"] == 1


async def test_a_client_that_asks_hears_of_it_too(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path, capabilities=PULLS)
    asked = {"textDocument": {"uri": client.open(tmp_path / "app.py", "x = 1\n")}}
    await client.request("textDocument/diagnostic", asked)
    client.change(asked["textDocument"]["uri"], 2, {"text": BROKEN})
    first = await client.request("textDocument/diagnostic", asked)
    heard = 0
    report = first
    async with asyncio.timeout(30):
        while not _syntax(report["items"]):
            await client.until(lambda heard=heard: len(client.said("workspace/diagnostic/refresh")) > heard)
            heard = len(client.said("workspace/diagnostic/refresh"))
            report = await client.request("textDocument/diagnostic", asked)

    assert _syntax(first["items"]) == []
    assert len(_syntax(report["items"])) == 1


def _syntax(diagnostics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in diagnostics if one["code"] == "syntax"]
