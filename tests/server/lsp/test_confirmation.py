"""What a model inferred, in the editor: shown by what ships alone, told apart, and confirmed by one code action."""

from __future__ import annotations

from pathlib import Path

from closeread.lsp.confirmation import addition, entry
from closeread.settings import read
from closeread_analyzers.finding import InferredApi, inferred_in, inferred_sink, inferred_source
from server.lsp.conftest import Start
from server.lsp.test_code_actions import LAZY, _applied, _at
from server.lsp.test_whole import COMMAND

TEXT = """\
import flask, niquests


def view():
    return niquests.post(flask.request.args["q"])
"""
TITLE = "Confirm that argument 0 of niquests.post is url (in closeread.toml)"


async def test_what_ships_is_shown_where_it_is_wanted_and_confirmed_with_one_action(
    start: Start, tmp_path: Path
) -> None:
    settings = tmp_path / "closeread.toml"
    settings.write_text("inferred = true")
    client = await start(COMMAND)
    await client.initialize(tmp_path, capabilities=LAZY)
    uri = client.open(tmp_path / "app.py", TEXT)
    (before,) = await client.diagnostics(uri, 1)
    action = (await _at(client, uri, 4))[TITLE]
    (change,) = action["edit"]["documentChanges"]
    settings.write_text(_applied(settings.read_text(), change["edits"]))
    client.notify("workspace/didChangeWatchedFiles", {"changes": [{"uri": settings.as_uri(), "type": 2}]})
    client.change(uri, 2, {"text": TEXT + "\n"})
    after = [one["code"] for one in await client.diagnostics(uri, 2)]

    assert "server-side-request-forgery-inferred" == before["code"]
    assert ["server-side-request-forgery"] == after
    assert [] == list(read(tmp_path)[1])


async def test_nothing_is_inferred_unless_it_is_wanted(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", TEXT)

    assert [] == await client.diagnostics(uri, 1)


def test_an_entry_stands_at_the_end_in_the_words_of_its_file() -> None:
    api = InferredApi("acme.run", "shell-command", "0")

    assert '[[tool.closeread.sink]]\ncall = "acme.run"\nkind = "shell-command"\nargument = "0"\n' == entry(
        api, "pyproject.toml"
    )
    assert (3, 3, '\n[[source]]\ncall = "acme.get"\nkind = "remote"\n') == addition(
        b"# \n", InferredApi("acme.get", "remote", ""), "closeread.toml"
    )
    assert addition(b"", InferredApi("acme.get", "no-kind", ""), "closeread.toml") is None


def test_the_words_of_a_trace_are_read_back() -> None:
    from closeread_analyzers.finding import Confidence, Finding, Location, Severity, Step

    at = Location("a.py", 1, 0, 1, 1)
    steps = (
        Step(at, inferred_source("acme.get", "remote"), "source"),
        Step(at, inferred_sink("acme.run", "sql", "text")),
    )
    finding = Finding("x-inferred", at, "", Severity.LOW, Confidence.LOW, 1, "vulnerability", "", "", steps)

    assert [InferredApi("acme.get", "remote", ""), InferredApi("acme.run", "sql", "text")] == inferred_in(finding)
