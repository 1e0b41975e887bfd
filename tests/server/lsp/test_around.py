"""What an editor shows around findings, from the real server: routes, data on its way, callers, files that are not open."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from server.lsp.client import Client
from server.lsp.conftest import Start
from server.lsp.test_whole import COMMAND

APP = """\
from flask import Flask, request

from store import find

app = Flask(__name__)


@app.route("/find", methods=["POST"])
def search():
    name = request.form["name"]
    return str(find(name))
"""
STORE = """\
import sqlite3


def find(name):
    return sqlite3.connect("x").execute("SELECT a FROM b WHERE c = '" + name + "'").fetchall()
"""
PULLS = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "store.py").write_text(STORE)
    return tmp_path


async def test_a_lens_over_each_route(start: Start, shop: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(shop)
    uri = client.open(shop / "app.py", APP)
    (lens,) = await client.request("textDocument/codeLens", {"textDocument": {"uri": uri}})
    table = await client.request("workspace/executeCommand", {"command": "closeread.showRoutes"})

    assert lens["range"]["start"]["line"] == 8
    assert lens["command"]["title"].startswith("POST /find · anyone may call")
    assert lens["command"]["command"] == "closeread.showRoutes"
    assert "| POST | /find | search | anyone | app\\.py:9 |" in table


async def test_hints_of_data_on_its_way_where_they_are_wanted(start: Start, shop: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(shop)
    store, app = client.open(shop / "store.py", STORE), client.open(shop / "app.py", APP)
    await client.hears(
        "textDocument/publishDiagnostics", lambda params: params["uri"] == store and params["diagnostics"]
    )
    whole = {"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}}

    async def hints(uri: str) -> list[dict[str, Any]]:
        return await client.request("textDocument/inlayHint", {"textDocument": {"uri": uri}, "range": whole})

    assert await hints(app) == []
    client.notify("workspace/didChangeConfiguration", {"settings": {"closeread": {"inlayHints": True}}})
    assert {9, 10} == {hint["position"]["line"] for hint in await hints(app)}
    assert all("\N{LEFTWARDS ARROW}" in hint["label"] for hint in await hints(app))


async def test_an_outline_of_findings_as_a_tree_or_as_a_list(start: Start, shop: Path) -> None:
    client, flat = await start(COMMAND), await start(COMMAND)
    await client.initialize(
        shop, capabilities={"textDocument": {"documentSymbol": {"hierarchicalDocumentSymbolSupport": True}}}
    )
    await flat.initialize(shop)
    told = []
    for one in (client, flat):
        store, app = one.open(shop / "store.py", STORE), one.open(shop / "app.py", APP)
        await one.diagnostics(app, 1)
        await one.hears(
            "textDocument/publishDiagnostics",
            lambda params, store=store: params["uri"] == store and "sql-injection" in str(params["diagnostics"]),
        )
        told.append(await one.request("textDocument/documentSymbol", {"textDocument": {"uri": store}}))
    ((find,), (function, *findings)) = told
    nested = {child["name"]: child for child in find["children"]}
    listed = {one["name"]: one for one in findings}

    # The flow begins in the other file, and ends, and is shown, in this one.
    assert (find["name"], function["name"], find["selectionRange"]["end"]["line"]) == ("find", "find", 3)
    assert nested["sql-injection"]["detail"].startswith("critical: ")
    assert nested["sql-injection"]["range"] == listed["sql-injection"]["location"]["range"]
    assert {one["containerName"] for one in findings} == {"find"}


async def test_who_calls_whom(start: Start, shop: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(shop)
    app, store = client.open(shop / "app.py", APP), client.open(shop / "store.py", STORE)
    await client.diagnostics(app, 1)
    place = {"textDocument": {"uri": store}, "position": {"line": 4, "character": 8}}
    (find,) = await client.request("textDocument/prepareCallHierarchy", place)
    (call,) = await client.request("callHierarchy/incomingCalls", {"item": find})
    (back,) = await client.request("callHierarchy/outgoingCalls", {"item": call["from"]})

    assert (find["name"], call["from"]["name"], back["to"]["name"]) == ("find", "search", "find")
    assert call["from"]["uri"] == app
    assert call["fromRanges"] == [{"start": {"line": 10, "character": 15}, "end": {"line": 10, "character": 25}}]
    nowhere = {"textDocument": {"uri": store}, "position": {"line": 0, "character": 0}}
    assert await client.request("textDocument/prepareCallHierarchy", nowhere) is None


async def test_files_that_are_not_open_in_parts_and_unchanged(start: Start, tmp_path: Path) -> None:
    for number in range(60):
        (tmp_path / f"f{number:02}.py").write_text("def f(a):\n    return 1 if a == None else 0\n")
    client = await start(COMMAND)
    await client.initialize(tmp_path, capabilities=PULLS)
    ask = {"previousResultIds": []}
    before = await client.request("workspace/diagnostic", ask)
    summary = await client.request("workspace/executeCommand", {"command": "closeread.scanWorkspace"})
    await client.until(lambda: len(client.said("workspace/diagnostic/refresh")) > 1)
    after = await client.request("workspace/diagnostic", {**ask, "partialResultToken": "t"})
    parts = [params["value"]["items"] for params in client.said("$/progress") if params["token"] == "t"]
    reports = [report for part in parts for report in part]
    known = [{"uri": report["uri"], "value": report["resultId"]} for report in reports]
    again = await client.request("workspace/diagnostic", {"previousResultIds": known})

    assert before == {"items": []}
    assert (summary["files"], summary["findings"], summary["problems"]) == (60, 60, 0)
    assert after == {"items": []}
    assert [50, 10] == [len(part) for part in parts]
    assert all(len(report["items"]) == 1 for report in reports)
    assert {report["kind"] for report in again["items"]} == {"unchanged"}
    # Who asks for them is not sent them as well.
    assert client.said("textDocument/publishDiagnostics") == []


async def test_a_second_scan_is_answered_by_the_store_and_an_edit_is_seen(start: Start, shop: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(shop)
    scan = {"command": "closeread.scanWorkspace"}
    first = await client.request("workspace/executeCommand", scan)
    second = await client.request("workspace/executeCommand", scan)
    status = await client.request("workspace/executeCommand", {"command": "closeread.status"})
    store = (shop / "store.py").as_uri()
    # The scan was done by others; what an open file says to one that is not is still found out here.
    app = client.open(shop / "app.py", APP)
    client.change(app, 2, {"text": APP.replace('request.form["name"]', '"a constant"')})
    renewed = await client.hears(
        "textDocument/publishDiagnostics",
        lambda params: params["uri"] == store and all(one["code"] != "sql-injection" for one in params["diagnostics"]),
    )

    assert (first["cached"], second["cached"]) == (0, 2)
    assert first["findings"] == second["findings"] > 0
    assert status["cache"] == {"hits": 2, "misses": 2, "rate": 0.5}
    assert status["findings"] == first["findings"]
    assert await client.hears("closeread/status")
    assert renewed


@pytest.mark.skipif(sys.platform != "linux", reason="finds the workers in /proc")
async def test_a_worker_that_is_killed_costs_one_file_at_most(start: Start, tmp_path: Path) -> None:
    slow = "def f(a):\n" + "    a = (a + [a, {1: a}])[0] if a else [x for x in a if x]\n" * 1500 + "    return a\n"
    for number in range(12):
        (tmp_path / f"f{number:02}.py").write_text(
            slow if number % 2 else "def f(a):\n    return 1 if a == None else 0\n"
        )
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    _, answer = client.start_request("workspace/executeCommand", {"command": "closeread.scanWorkspace"})
    killed = await _kill_one(client)
    summary = await answer

    # Only a worker that ends at its first file proves anything against it; any other is replaced (`work.py`).
    ended = [said for said in client.said("window/logMessage") if "worker process ended" in said["message"]]
    assert killed
    assert summary["files"] == 12
    assert summary["problems"] == len(ended) <= 1
    assert await client.stop() == 0


async def _kill_one(client: Client) -> bool:
    """Kill the worker of the server that has worked most, once there is a result: one that only starts has no file to lose."""
    await client.hears("textDocument/publishDiagnostics")
    found = []
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
            stat = (entry / "stat").read_text().rpartition(")")[2].split() if words else []
        except OSError:
            continue
        if b"closeread.worker" in words and int(stat[1]) == client.process.pid:
            found.append((int(stat[11]), int(entry.name)))
    if found:
        os.kill(max(found)[1], signal.SIGKILL)
    return bool(found)


async def test_a_settings_file_goes_with_a_renamed_file(start: Start, shop: Path) -> None:
    (shop / "closeread.toml").write_text('exclude = ["store.py", "/app.py", "other.py"]\n')
    client = await start(COMMAND)
    await client.initialize(shop)
    files = [{"oldUri": (shop / "store.py").as_uri(), "newUri": (shop / "db" / "stock.py").as_uri()}]
    edit = await client.request("workspace/willRenameFiles", {"files": files})
    ((uri, (change,)),) = edit["changes"].items()
    nothing = await client.request(
        "workspace/willRenameFiles", {"files": [{"oldUri": (shop / "x.py").as_uri(), "newUri": "file:///y.py"}]}
    )

    assert uri == (shop / "closeread.toml").as_uri()
    assert change["newText"] == '"db/stock.py"'
    assert nothing is None


async def test_cells_of_a_notebook(start: Start, tmp_path: Path, bad: str) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    cell = "vscode-notebook-cell:/n.ipynb#a"
    text = "def f(a):\n    return 1 if a == None else 0\n"
    notebook = {"uri": (tmp_path / "n.ipynb").as_uri(), "notebookType": "jupyter-notebook", "version": 1}
    client.notify(
        "notebookDocument/didOpen",
        {
            "notebookDocument": {**notebook, "cells": [{"kind": 2, "document": cell}]},
            "cellTextDocuments": [{"uri": cell, "languageId": "python", "version": 1, "text": text}],
        },
    )
    (found,) = await client.diagnostics(cell, 1)
    change = {"document": {"uri": cell, "version": 2}, "changes": [{"text": text.replace("==", "is")}]}
    client.notify(
        "notebookDocument/didChange",
        {"notebookDocument": {"uri": notebook["uri"], "version": 2}, "change": {"cells": {"textContent": [change]}}},
    )

    assert found["code"] == "none-comparison"
    assert await client.diagnostics(cell, 2) == []
    client.notify(
        "notebookDocument/didClose",
        {"notebookDocument": {"uri": notebook["uri"]}, "cellTextDocuments": [{"uri": cell}]},
    )
    assert await client.stop() == 0


async def test_suppressing_by_command_shows_where_the_reason_goes(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    client.answers["workspace/applyEdit"] = lambda message: {"applied": True}
    client.answers["window/showDocument"] = lambda message: {"success": True}
    await client.initialize(tmp_path, capabilities={"window": {"showDocument": {"support": True}}})
    uri = client.open(tmp_path / "app.py", "def f(a):\n    return 1 if a == None else 0\n")
    await client.diagnostics(uri, 1)
    arguments = [uri, 1, "none-comparison"]
    done = await client.request("workspace/executeCommand", {"command": "closeread.suppress", "arguments": arguments})
    (shown,) = client.said("window/showDocument")

    assert done is True
    assert shown["uri"] == uri
    assert shown["selection"]["end"]["character"] - shown["selection"]["start"]["character"] == len("TODO: say why")
    line = "    return 1 if a == None else 0  # closeread: ignore[none-comparison] TODO: say why"
    assert shown["selection"] == {
        "start": {"line": 1, "character": line.index("TODO")},
        "end": {"line": 1, "character": len(line)},
    }
