"""Open, edit, close: what is sent unasked, and what is answered when asked."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest

from closeread_analyzers.catalogue import builtin
from server.lsp.client import Client
from server.lsp.conftest import Start

WHOLE = {"textDocument": {"diagnostic": {}}}
RELATED = {"textDocument": {"publishDiagnostics": {"relatedInformation": True}}}


async def test_open_edit_close(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path, capabilities=RELATED)
    uri = client.open(tmp_path / "app.py", bad)
    (found,) = await client.diagnostics(uri, 1)

    assert found["range"] == {"start": {"line": 1, "character": 0}, "end": {"line": 1, "character": 14}}
    assert found["severity"] == 1
    assert found["source"] == "closeread"
    assert found["code"] == "command-injection"
    assert page_of(found).startswith("# Untrusted data in a shell command\n\n`command-injection` · critical · ")
    assert found["data"]["fingerprint"] == f"{2:016x}{0:016x}"
    assert found["relatedInformation"][0]["location"]["uri"] == uri

    client.change(uri, 2, {"range": _range(1, 0, 1, 14), "text": "pass"})
    assert await client.diagnostics(uri, 2) == []

    client.change(uri, 3, {"text": bad})
    assert len(await client.diagnostics(uri, 3)) == 1

    client.close(uri)
    assert await client.diagnostics(uri, None) == []
    assert await client.stop() == 0


def page_of(found: Any) -> str:
    """What the link of a diagnostic leads to."""
    return Path(unquote(urlsplit(found["codeDescription"]["href"]).path)).read_text()


async def test_a_rule_s_page_where_nothing_can_be_written(start: Start, tmp_path: Path, bad: str) -> None:
    (tmp_path / "cache").write_text("a file, where a folder should be made")
    client = await start(cache=tmp_path / "cache")
    await client.initialize(tmp_path)
    (found,) = await client.diagnostics(client.open(tmp_path / "app.py", bad), 1)

    assert page_of(found) == builtin().rules["command-injection"].document.read_text()
    assert await client.stop() == 0


async def test_trace_through_another_file(client: Client, tmp_path: Path, bad: str) -> None:
    (tmp_path / "other.py").write_text("first = input()\n")
    await client.initialize(tmp_path, capabilities=RELATED)
    uri = client.open(tmp_path / "app.py", bad + "# from other.py\n")
    (found,) = await client.diagnostics(uri, 1)
    step = found["relatedInformation"][0]

    assert step["location"]["uri"] == (tmp_path / "other.py").as_uri()
    assert step["location"]["range"] == _range(0, 0, 0, 15)
    assert step["message"] == "comes from `first = input()`"


async def test_dependents_follow_after_a_pause(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path, capabilities=RELATED)
    other = client.open(tmp_path / "other.py", "one\n")
    uri = client.open(tmp_path / "app.py", bad + "# from other.py\n")
    await client.diagnostics(uri, 1)
    client.change(other, 2, {"text": "two\n"})

    def renewed() -> bool:
        sent = [found for params in client.published(uri) for found in params["diagnostics"]]
        return any("two" in found["relatedInformation"][0]["message"] for found in sent)

    assert await client.until(renewed)


async def test_a_file_changed_on_disk(client: Client, tmp_path: Path, bad: str) -> None:
    other = tmp_path / "other.py"
    other.write_text("one\n")
    await client.initialize(tmp_path, capabilities=RELATED)
    uri = client.open(tmp_path / "app.py", bad + "# from other.py\n")
    await client.diagnostics(uri, 1)
    other.write_text("three\n")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": other.as_uri(), "type": 2}]})

    def renewed() -> bool:
        sent = [found for params in client.published(uri) for found in params["diagnostics"]]
        return any("three" in found["relatedInformation"][0]["message"] for found in sent)

    assert await client.until(renewed)


async def test_pull_and_unchanged(client: Client, tmp_path: Path, bad: str) -> None:
    capabilities = {**WHOLE, "workspace": {"diagnostics": {"refreshSupport": True}}}
    result = await client.initialize(tmp_path, capabilities=capabilities)
    uri = client.open(tmp_path / "app.py", bad)
    first = await _pull(client, uri)
    again = await _pull(client, uri, first["resultId"])
    client.change(uri, 2, {"text": "pass\n"})
    after = await _pull(client, uri, first["resultId"])

    assert result["capabilities"]["diagnosticProvider"]["interFileDependencies"] is True
    assert (first["kind"], len(first["items"])) == ("full", 1)
    assert again == {"kind": "unchanged", "resultId": first["resultId"]}
    assert (after["kind"], after["items"]) == ("full", [])
    # What is asked for is not sent as well: editors would show it twice.
    assert client.published(uri) == []
    assert (await _pull(client, (tmp_path / "not_open.py").as_uri()))["items"] == []


async def test_a_client_that_cannot_be_told_to_ask_again_is_sent_them(client: Client, tmp_path: Path, bad: str) -> None:
    result = await client.initialize(tmp_path, capabilities=WHOLE)
    uri = client.open(tmp_path / "app.py", bad)

    assert "diagnosticProvider" not in result["capabilities"]
    assert len(await client.diagnostics(uri, 1)) == 1


async def test_a_client_that_pulls_is_told_of_dependents(client: Client, tmp_path: Path, bad: str) -> None:
    capabilities = {**WHOLE, "workspace": {"diagnostics": {"refreshSupport": True}}}
    await client.initialize(tmp_path, capabilities=capabilities)
    other = client.open(tmp_path / "other.py", "one\n")
    uri = client.open(tmp_path / "app.py", bad + "# from other.py\n")
    await _pull(client, uri)
    before = len(client.said("workspace/diagnostic/refresh"))
    client.change(other, 2, {"text": "two\n"})

    await client.until(lambda: len(client.said("workspace/diagnostic/refresh")) > before)


async def test_a_file_outside_of_any_folder(client: Client, tmp_path: Path, bad: str) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret.py").write_text("neighbour\n")
    await client.initialize(tmp_path / "inside")
    uri = client.open(tmp_path / "outside.py", bad + "# from secret.py\n")
    (found,) = await client.diagnostics(uri, 1)

    # The neighbour belongs to no folder that the user opened, and is not read.
    assert "neighbour" not in str(found)


async def test_unsaved_documents_and_languages_nobody_reads(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    ignored = client.open(tmp_path / "notes.txt", "os.system('x')\n", language="plaintext")
    uri = client.open("untitled:Untitled-1", bad)

    assert len(await client.diagnostics(uri, 1)) == 1
    assert client.published(ignored) == []


async def test_two_folders(client: Client, tmp_path: Path, bad: str) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder, text in ((one, "first\n"), (two, "second\n"), (three, "third\n")):
        folder.mkdir()
        (folder / "other.py").write_text(text)
    await client.initialize(one, two, capabilities=RELATED)
    for folder, text in ((one, "first"), (two, "second")):
        (found,) = await client.diagnostics(client.open(folder / "app.py", bad + "# from other.py\n"), 1)
        assert text in found["relatedInformation"][0]["message"]

    uri = client.open(three / "app.py", bad + "# from other.py\n")
    (found,) = await client.diagnostics(uri, 1)
    assert "third" not in str(found)
    event = {"added": [{"uri": three.as_uri(), "name": "three"}], "removed": [{"uri": one.as_uri(), "name": "one"}]}
    client.notify("workspace/didChangeWorkspaceFolders", {"event": event})

    await client.until(lambda: any("third" in str(params["diagnostics"]) for params in client.published(uri)))


@pytest.mark.parametrize(
    ("encoding", "first", "last"),
    [("utf-8", 24, 38), ("utf-16", 15, 29), ("utf-32", 13, 27)],
)
async def test_position_encodings(client: Client, tmp_path: Path, encoding: str, first: int, last: int) -> None:
    line = 's = "\U0001f600\U0001f680漢字é"; os.system("x")'
    result = await client.initialize(tmp_path, encodings=(encoding,))
    uri = client.open(tmp_path / "app.py", f"{line}\n")
    (found,) = await client.diagnostics(uri, 1)

    assert result["capabilities"]["positionEncoding"] == encoding
    assert found["range"] == _range(0, first, 0, last)

    # An edit right before the call, in the same units: the call moves by one.
    client.change(uri, 2, {"range": _range(0, first, 0, first), "text": "é"})
    (found,) = await client.diagnostics(uri, 2)
    assert found["range"]["start"]["character"] == first + (2 if encoding == "utf-8" else 1)


async def test_the_newest_text_wins(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", "# slow 20\n" + bad)
    client.change(uri, 2, {"range": _range(0, 0, 1, 0), "text": ""})
    for version in range(3, 203):
        client.change(uri, version, {"range": _range(0, 0, 0, 0), "text": "#"})

    assert len(await client.diagnostics(uri, 202)) == 1
    versions = [params["version"] for params in client.published(uri)]
    assert versions == sorted(versions)
    assert 1 not in versions


async def _pull(client: Client, uri: str, previous: str | None = None) -> Any:
    params = {"textDocument": {"uri": uri}, **({"previousResultId": previous} if previous else {})}
    return await client.request("textDocument/diagnostic", params)


def _range(line: int, character: int, end_line: int, end_character: int) -> dict[str, Any]:
    return {
        "start": {"line": line, "character": character},
        "end": {"line": end_line, "character": end_character},
    }
