"""What no hand does and some clients do: storms of edits, thousands of documents, versions that go back, huge texts."""

from __future__ import annotations

import random
from pathlib import Path

from server.lsp.client import Client
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND


async def test_a_thousand_edits_at_once_end_in_the_text_that_they_make(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    text = "def f(a):\n    return 1 if a == None else 0\n"
    uri = client.open(tmp_path / "app.py", text)
    place = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}
    for version in range(2, 1002):
        client.change(uri, version, {"range": place, "text": "\n" if version % 10 == 0 else ""})
    (found,) = await client.diagnostics(uri, 1001)

    assert found["range"]["start"]["line"] == 101


async def test_edits_anywhere_and_versions_that_go_back(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", bad)
    chance = random.Random(7)
    for _ in range(300):
        ends = [
            {"line": chance.choice((0, 1, 9, 2**31 - 1)), "character": chance.choice((0, 3, 2**31 - 1))} for _ in "ab"
        ]
        change = {
            "range": {"start": ends[0], "end": ends[1]},
            "text": chance.choice(("", "é\r\n", "\U0001f600", "x(\n")),
        }
        client.change(uri, chance.randrange(-5, 5), change)
    client.change(uri, 77, {"text": bad})

    assert len(await client.diagnostics(uri, 77)) == 1
    assert await client.stop() == 0


async def test_two_thousand_open_documents(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    uris = [client.open(tmp_path / f"f{number}.py", bad) for number in range(2000)]

    assert len(await client.diagnostics(uris[-1], 1)) == 1
    for uri in uris:
        client.close(uri)
    assert await client.stop() == 0


async def test_a_document_of_fifty_megabytes_is_said_to_be_too_large(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    huge = client.open(tmp_path / "huge.py", "x = 1\n" * (50_000_000 // 6))
    uri = client.open(tmp_path / "app.py", bad)
    (found,) = await client.diagnostics(huge, 1)

    assert found["code"] == "too-large"
    assert len(await client.diagnostics(uri, 1)) == 1
