"""Hover, code actions, commands with their progress, and settings."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from server.lsp.client import Client, ResponseError, apply_edit

PULLS = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}
PROGRESS = {"window": {"workDoneProgress": True}}


# --- Hover -----------------------------------------------------------------------------------------


async def test_hover(client: Client, tmp_path: Path, bad: str) -> None:
    (tmp_path / "other.py").write_text("<img src=x> [click](command:evil) `\n")
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", bad + "# from other.py\n")
    answer = await client.request("textDocument/hover", _at(uri, 1, 3))
    page = answer["contents"]["value"]

    assert answer["contents"]["kind"] == "markdown"
    assert answer["range"]["start"] == {"line": 1, "character": 0}
    # The finding: its message with code kept as code, and its trace with links.
    assert '`os.system("x")` reaches a shell' in page
    assert f"[other\\.py:1]({(tmp_path / 'other.py').as_uri()}#L1)" in page
    # The rule's page.
    assert "[CWE-78](https://cwe.mitre.org/data/definitions/78.html)" in page
    # What the workspace wrote makes neither element nor link.
    assert "<img" not in page.replace("\\<img", "")
    assert "](command:" not in page
    # Elsewhere there is nothing to say.
    assert await client.request("textDocument/hover", _at(uri, 0, 0)) is None
    assert await client.request("textDocument/hover", _at((tmp_path / "no.py").as_uri(), 0, 0)) is None


async def test_hover_in_plain_text(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path, capabilities={"textDocument": {"hover": {"contentFormat": ["plaintext"]}}})
    uri = client.open(tmp_path / "app.py", bad)
    answer = await client.request("textDocument/hover", _at(uri, 1, 3))

    assert answer["contents"]["kind"] == "plaintext"
    assert "app.py:2" in answer["contents"]["value"]
    assert "\\" not in answer["contents"]["value"]


# --- Code actions ----------------------------------------------------------------------------------


SUPPRESSED = {
    "the end of the line": (
        "app.py",
        'é = "\U0001f600"; os.system("x")\n',
        'é = "\U0001f600"; os.system("x")  # closeread: ignore[command-injection] TODO: say why\n',
    ),
    "the line's end is inside a text": (
        "app.py",
        'if x:\n    os.system("x"); y = """\n"""\n',
        'if x:\n    # closeread: ignore[command-injection] TODO: say why\n    os.system("x"); y = """\n"""\n',
    ),
    "another language's comment, and no newline at the end": (
        "app.js",
        'os.system("x");',
        'os.system("x");  // closeread: ignore[command-injection] TODO: say why',
    ),
}


async def test_suppress_with_a_comment(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path)
    for number, (name, text, expected) in enumerate(SUPPRESSED.values()):
        uri = client.open(tmp_path / f"{number}{name}", text)
        (found,) = await client.diagnostics(uri, 1)
        action, _ = await _actions(client, uri, found["range"], found)
        (edit,) = action["edit"]["changes"][uri]

        assert action["kind"] == "quickfix"
        assert action["isPreferred"] is False
        assert action["diagnostics"][0]["data"] == found["data"]
        assert apply_edit(text, edit) == expected

        client.change(uri, 2, {"range": edit["range"], "text": edit["newText"]})
        assert await client.diagnostics(uri, 2) == []


async def test_versioned_edits_where_the_client_can(client: Client, tmp_path: Path, bad: str) -> None:
    capabilities = {"workspace": {"workspaceEdit": {"documentChanges": True}}}
    await client.initialize(tmp_path, capabilities=capabilities)
    uri = client.open(tmp_path / "app.py", bad, version=7)
    (found,) = await client.diagnostics(uri, 7)
    action, _ = await _actions(client, uri, found["range"], found)
    (change,) = action["edit"]["documentChanges"]

    assert change["textDocument"] == {"uri": uri, "version": 7}


async def test_no_action_elsewhere_or_of_another_kind(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", bad)
    (found,) = await client.diagnostics(uri, 1)
    nowhere = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}

    assert await _actions(client, uri, nowhere) == []
    assert await _actions(client, uri, found["range"], only=["source.organizeImports"]) == []
    assert len(await _actions(client, uri, found["range"], only=["quickfix"])) == 2


# --- Commands --------------------------------------------------------------------------------------


async def test_scan_of_the_workspace(client: Client, tmp_path: Path, bad: str) -> None:
    for number in range(5):
        (tmp_path / f"file{number}.py").write_text(bad)
    (tmp_path / "clean.py").write_text("pass\n")
    (tmp_path / "broken.py").write_text("# crash\n")
    await client.initialize(tmp_path, capabilities=PROGRESS)
    summary = await _command(client, "closeread.scanWorkspace")
    begun, *_, ended = [params["value"] for params in client.said("$/progress")]

    # Seven files looked at; the one that broke is counted and costs nothing else.
    assert (summary["files"], summary["findings"], summary["problems"]) == (7, 5, 1)
    assert summary["bySeverity"] == {"critical": 5}
    assert begun["kind"] == "begin"
    assert begun["cancellable"] is True
    assert ended == {"kind": "end", "message": "5 findings in 7 files, 1 problems (see the log)"}
    assert len(client.said("window/workDoneProgress/create")) == 1
    assert len(await client.diagnostics((tmp_path / "file3.py").as_uri())) == 1


async def test_a_scanned_file_opened_closed_and_changed_on_disk(client: Client, tmp_path: Path, bad: str) -> None:
    path = tmp_path / "app.py"
    path.write_text(bad)
    await client.initialize(tmp_path)
    await _command(client, "closeread.scanWorkspace")
    uri = client.open(path, "pass\n")
    assert await client.diagnostics(uri, 1) == []
    client.close(uri)
    await client.until(lambda: len(client.published(uri)[-1]["diagnostics"]) == 1)

    path.write_text(bad + bad)
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 2}]})
    await client.until(lambda: len(client.published(uri)[-1]["diagnostics"]) == 2)
    path.unlink()
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": uri, "type": 3}]})
    await client.until(lambda: client.published(uri)[-1]["diagnostics"] == [])


async def test_a_scan_uses_the_clients_own_token(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path)
    params = {"command": "closeread.scanWorkspace", "workDoneToken": "mine"}
    await client.request("workspace/executeCommand", params)

    assert {params["token"] for params in client.said("$/progress")} == {"mine"}
    assert client.said("window/workDoneProgress/create") == []


async def test_a_scan_can_be_stopped(client: Client, tmp_path: Path) -> None:
    for number in range(50):
        (tmp_path / f"file{number}.py").write_text("# slow 2\n")
    await client.initialize(tmp_path, capabilities=PROGRESS)
    _, answer = client.start_request("workspace/executeCommand", {"command": "closeread.scanWorkspace"})
    begun = await client.hears("$/progress")
    client.notify("window/workDoneProgress/cancel", {"token": begun["token"]})
    summary = await asyncio.wait_for(answer, 30)

    assert summary["cancelled"] is True
    assert summary["files"] < 50
    assert client.said("$/progress")[-1]["value"]["message"].startswith("Stopped")


async def test_a_scan_request_can_be_cancelled_and_editing_goes_on(client: Client, tmp_path: Path, bad: str) -> None:
    for number in range(50):
        (tmp_path / f"file{number}.py").write_text("# slow 2\n")
    await client.initialize(tmp_path, capabilities=PROGRESS)
    identity, answer = client.start_request("workspace/executeCommand", {"command": "closeread.scanWorkspace"})
    await client.hears("$/progress")
    # Typing is served while the scan runs: nobody waits for a two-second file.
    uri = client.open(tmp_path / "app.py", bad)
    assert len(await client.diagnostics(uri, 1)) == 1
    assert not answer.done()
    client.notify("$/cancelRequest", {"id": identity})
    with pytest.raises(ResponseError) as error:
        await asyncio.wait_for(answer, 30)

    assert error.value.code == -32800
    assert await client.stop() == 0


async def test_a_slow_answer_can_be_cancelled(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path, capabilities=PULLS)
    uri = client.open(tmp_path / "app.py", "# slow 600\n")
    identity, answer = client.start_request("textDocument/diagnostic", {"textDocument": {"uri": uri}})
    client.notify("$/cancelRequest", {"id": identity})
    with pytest.raises(ResponseError) as error:
        await asyncio.wait_for(answer, 30)
    client.change(uri, 2, {"text": bad})
    after = await client.request("textDocument/diagnostic", {"textDocument": {"uri": uri}})

    # The worker was really stopped, or ten minutes would have to pass.
    assert error.value.code == -32800
    assert len(after["items"]) == 1


async def test_explain_and_clear_cache(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    page = await _command(client, "closeread.explain", "command-injection")
    with pytest.raises(ResponseError) as unknown:
        await _command(client, "closeread.explain", "no-such-rule")
    with pytest.raises(ResponseError) as nonsense:
        await _command(client, "closeread.explain", 1, 2)
    with pytest.raises(ResponseError) as nothing:
        await _command(client, "closeread.noSuchCommand")

    assert "CWE-78" in page
    assert "no-such-rule" in unknown.value.message
    assert {unknown.value.code, nonsense.value.code, nothing.value.code} == {-32602}

    uri = client.open(tmp_path / "app.py", bad)
    await client.diagnostics(uri, 1)
    before = len(client.published(uri))
    await _command(client, "closeread.clearCache")
    await client.until(lambda: len(client.published(uri)) > before)


# --- Settings --------------------------------------------------------------------------------------


async def test_settings_at_the_start_and_changed_later(client: Client, tmp_path: Path) -> None:
    text = "os.popen('x')\n"
    await client.initialize(tmp_path, options={"settings": {"minSeverity": "high"}})
    uri = client.open(tmp_path / "app.py", text)
    assert await client.diagnostics(uri, 1) == []

    client.notify("workspace/didChangeConfiguration", {"settings": {"closeread": {"minSeverity": "low"}}})

    await client.until(lambda: client.published(uri)[-1]["diagnostics"])


async def test_settings_that_are_asked_for_folder_by_folder(client: Client, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    levels = {one.as_uri(): {"minSeverity": "high", "trace": {"server": "off"}, "disable": None}}
    client.settings = lambda scope: levels.get(scope or "", {})
    await client.initialize(one, two, capabilities={"workspace": {"configuration": True}})
    uris = [client.open(folder / "app.py", "os.popen('x')\n") for folder in (one, two)]

    def settled() -> bool:
        return all(map(client.published, uris)) and [len(client.published(uri)[-1]["diagnostics"]) for uri in uris] == [
            0,
            1,
        ]

    await client.until(settled)
    levels.clear()
    client.notify("workspace/didChangeConfiguration", {"settings": None})
    await client.until(lambda: len(client.published(uris[0])[-1]["diagnostics"]) == 1)
    assert client.said("window/showMessage") == []


async def test_a_settings_file_and_what_is_wrong_with_it(client: Client, tmp_path: Path) -> None:
    config = tmp_path / "closeread.toml"
    config.write_text('min-severity = "high"\nmin-severty = "low"\n')
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", "os.popen('x')\n")
    assert await client.diagnostics(uri, 1) == []
    (wrong,) = await client.diagnostics(config.as_uri())
    assert wrong["range"]["start"]["line"] == 1
    assert "min-severity" in wrong["message"]

    config.write_text("")
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": config.as_uri(), "type": 2}]})

    await client.until(lambda: client.published(config.as_uri())[-1]["diagnostics"] == [])
    await client.until(lambda: client.published(uri)[-1]["diagnostics"])


async def test_a_wrong_setting_from_the_editor_is_said_once(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path, options={"minSeverity": "loud"})
    client.notify("workspace/didChangeConfiguration", {"settings": {"minSeverity": "loud"}})
    client.notify("workspace/didChangeConfiguration", {"settings": {"minSeverity": "loud"}})
    await client.until(lambda: len(client.said("window/logMessage")) >= 3)
    (said,) = client.said("window/showMessage")

    assert "`minSeverity` must be one of" in said["message"]


async def test_files_are_watched_where_the_client_can(client: Client, tmp_path: Path) -> None:
    watches = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
    await client.initialize(tmp_path, capabilities=watches)
    params = await client.hears("client/registerCapability")
    (registration,) = params["registrations"]
    globs = [watcher["globPattern"] for watcher in registration["registerOptions"]["watchers"]]

    assert registration["method"] == "workspace/didChangeWatchedFiles"
    assert "**/*.py" in globs
    assert any("closeread.toml" in glob for glob in globs)


def _at(uri: str, line: int, character: int) -> dict[str, Any]:
    return {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}


async def _actions(client: Client, uri: str, range_: Any, *found: Any, only: list[str] | None = None) -> Any:
    context = {"diagnostics": list(found), **({"only": only} if only else {})}
    params = {"textDocument": {"uri": uri}, "range": range_, "context": context}
    return await client.request("textDocument/codeAction", params)


async def _command(client: Client, command: str, *arguments: Any) -> Any:
    return await client.request("workspace/executeCommand", {"command": command, "arguments": list(arguments)})
