"""Code actions of the real server: fixes that were tried, "fix all", and the ways to say that it is no finding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from server.lsp.client import Client, apply_edit
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND

TEXT = """\
import hashlib


def f(a, b):
    if a == None:
        return hashlib.md5(b).hexdigest()
    return 1 if b != None else 0
"""
LAZY = {
    "textDocument": {"codeAction": {"resolveSupport": {"properties": ["edit"]}}},
    "workspace": {"workspaceEdit": {"documentChanges": True, "resourceOperations": ["create"]}},
}


async def _at(client: Client, uri: str, line: int, only: list[str] | None = None) -> dict[str, dict[str, Any]]:
    """The actions on a line, by title."""
    place = {"start": {"line": line, "character": 0}, "end": {"line": line, "character": 60}}
    context = {"diagnostics": []} | ({} if only is None else {"only": only})
    actions = await client.request(
        "textDocument/codeAction", {"textDocument": {"uri": uri}, "range": place, "context": context}
    )
    return {action["title"]: action for action in actions}


def _applied(text: str, edits: list[dict[str, Any]]) -> str:
    for edit in sorted(edits, key=lambda edit: (edit["range"]["start"]["line"], edit["range"]["start"]["character"]))[
        ::-1
    ]:
        text = apply_edit(text, edit)
    return text


async def test_a_fix_mends_and_the_finding_is_gone(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", TEXT)
    before = await client.diagnostics(uri, 1)
    actions = await _at(client, uri, 4)
    text = _applied(TEXT, actions["Compare by identity"]["edit"]["changes"][uri])
    client.change(uri, 2, {"text": text})
    after = await client.diagnostics(uri, 2)

    assert actions["Compare by identity"]["isPreferred"] is True
    assert "    if a is None:\n" in text
    assert len(before) == len(after) + 1 == 3
    assert (await _at(client, uri, 5))["Use SHA-256"]["isPreferred"] is False


async def test_all_of_a_rule_is_worked_out_when_it_is_chosen(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path, capabilities=LAZY)
    uri = client.open(tmp_path / "app.py", TEXT)
    await client.diagnostics(uri, 1)
    action = (await _at(client, uri, 4))["Compare by identity: all of none-comparison in this file"]
    resolved = await client.request("codeAction/resolve", action)
    (change,) = resolved["edit"]["documentChanges"]

    assert "edit" not in action
    assert change["textDocument"] == {"uri": uri, "version": 1}
    assert _applied(TEXT, change["edits"]).count("is None") + _applied(TEXT, change["edits"]).count("is not None") == 2
    # What was offered for another text is not done to this one.
    client.change(uri, 2, {"text": "\n" + TEXT})
    assert "edit" not in await client.request("codeAction/resolve", action)


async def test_fix_all_does_what_is_safe_and_only_when_it_is_asked_for(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", TEXT)
    await client.diagnostics(uri, 1)
    (action,) = (await _at(client, uri, 0, only=["source.fixAll"])).values()
    text = _applied(TEXT, action["edit"]["changes"][uri])

    assert action["kind"] == "source.fixAll.closeread"
    assert "a is None" in text
    assert "b is not None" in text
    assert "md5" in text
    assert "source.fixAll.closeread" not in {one["kind"] for one in (await _at(client, uri, 4)).values()}


async def test_suppressed_in_the_file_and_in_the_settings(start: Start, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\n\n[tool.closeread]\ndisable = ["weak-hash"]\n\n[tool.x]\n'
    )
    client = await start(COMMAND)
    await client.initialize(tmp_path, capabilities=LAZY)
    uri = client.open(tmp_path / "app.py", "#!/usr/bin/python\n" + TEXT)
    await client.diagnostics(uri, 1)
    actions = await _at(client, uri, 5)
    (in_file,) = actions["Suppress none-comparison in this file"]["edit"]["documentChanges"]
    (in_settings,) = actions["Switch none-comparison off in the project's settings"]["edit"]["documentChanges"]
    text = _applied("#!/usr/bin/python\n" + TEXT, in_file["edits"])
    settings = _applied((tmp_path / "pyproject.toml").read_text(), in_settings["edits"])
    client.change(uri, 2, {"text": text})

    assert text.startswith("#!/usr/bin/python\n# closeread: ignore-file[none-comparison] TODO: say why\n")
    assert [] == [one for one in await client.diagnostics(uri, 2) if one["code"] == "none-comparison"]
    assert 'disable = ["weak-hash", "none-comparison"]\n' in settings


async def test_settings_are_made_where_there_are_none(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path, capabilities=LAZY)
    uri = client.open(tmp_path / "app.py", TEXT)
    await client.diagnostics(uri, 1)
    action = (await _at(client, uri, 4))["Switch none-comparison off in the project's settings"]
    create, change = action["edit"]["documentChanges"]

    assert create == {
        "kind": "create",
        "uri": (tmp_path / "closeread.toml").as_uri(),
        "options": {"ignoreIfExists": True},
    }
    assert change["edits"][0]["newText"] == 'disable = ["none-comparison"]  # TODO: say why\n'
