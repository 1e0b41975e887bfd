"""The protocol's own view of the server, over stdio with pytest-lsp: every capability it advertises is put to use.

An exercise names the capabilities it is about, as `initialize` spells them, and the methods that it has to have sent; the
last test fails for a capability that is advertised, at the start or later by registration, and has no exercise.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from lsprotocol import types
from pytest_lsp import client_capabilities

from server.lsp.conforming import Editor, advertised, all_of_it, leaves, started

one_loop = pytest.mark.asyncio(loop_scope="module")

APP = """\
from flask import Flask, request

from store import find

app = Flask(__name__)


@app.route("/find", methods=["POST"])
def search():
    name = request.form["name"]
    return str(find(name)) if name != None else "nobody"
"""
STORE = """\
import sqlite3


def find(name):
    return sqlite3.connect("x").execute("SELECT a FROM b WHERE c = '" + name + "'").fetchall()
"""
REMARK = "def f(a):\n    return 1 if a == None else 0\n"

Exercise = Callable[[Editor], Awaitable[None]]
EXERCISES: dict[str, Exercise] = {}
METHODS: dict[str, tuple[str, ...]] = {}


def exercises(*capabilities: str, by: tuple[str, ...]) -> Callable[[Exercise], Exercise]:
    """What puts `capabilities` to use, and the methods that this takes."""

    def note(exercise: Exercise) -> Exercise:
        for capability in capabilities:
            assert capability not in EXERCISES
            EXERCISES[capability], METHODS[capability] = exercise, by
        return exercise

    return note


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def editor(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Editor]:
    """One server for all exercises; each has documents of its own."""
    root = tmp_path_factory.mktemp("workspace").resolve()
    git = ["git", "-C", str(root), "-c", "user.name=A", "-c", "user.email=a@example.com"]
    for words in (["init", "-q"], ["commit", "-q", "--allow-empty", "-m", "First"]):
        subprocess.run([*git, *words], check=True, capture_output=True)
    client = await started(tmp_path_factory.mktemp("cache"))
    made = Editor(client, root)
    folder = types.WorkspaceFolder(root.as_uri(), root.name)
    params = types.InitializeParams(all_of_it(), workspace_folders=[folder], trace=types.TraceValue.Off)
    made.advertised = (await client.initialize_session(params)).capabilities
    yield made
    await client.shutdown_session()
    assert client._server is not None
    assert client._server.returncode == 0
    await client.stop()


# --- Documents -------------------------------------------------------------------------------------


@exercises("positionEncoding", by=(types.INITIALIZE,))
async def position_encoding(editor: Editor) -> None:
    uri = editor.open('def f(s):\n    return "\U0001f600" if s == None else 0\n')
    (found,) = await editor.shown(uri)

    assert editor.advertised.position_encoding == "utf-16"
    assert found.range.start.character == 19


@exercises("textDocumentSync.openClose", by=(types.TEXT_DOCUMENT_DID_OPEN, types.TEXT_DOCUMENT_DID_CLOSE))
async def open_and_close(editor: Editor) -> None:
    uri = editor.open(REMARK)
    assert len(await editor.shown(uri)) == 1
    editor.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))

    assert await editor.shown(uri) == []


@exercises("textDocumentSync.change", by=(types.TEXT_DOCUMENT_DID_CHANGE,))
async def change(editor: Editor) -> None:
    uri = editor.open(REMARK)
    place = types.Range(types.Position(1, 18), types.Position(1, 20))
    edit = types.TextDocumentContentChangePartial(place, "is")
    version = types.VersionedTextDocumentIdentifier(uri=uri, version=2)
    editor.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [edit]))

    assert await editor.shown(uri) == []


@exercises("textDocumentSync.save", by=(types.TEXT_DOCUMENT_DID_SAVE,))
async def save(editor: Editor) -> None:
    """The settings are those that were saved."""
    uri = editor.open(REMARK)
    assert len(await editor.shown(uri)) == 1
    toml = editor.open('disable = ["none-comparison"]\n', "closeread.toml")
    editor.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(toml)))
    assert await editor.shown(uri) == []
    editor.write("closeread.toml", "")
    editor.client.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(toml)))
    editor.client.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(toml)))

    assert len(await editor.shown(uri)) == 1


@exercises(
    "notebookDocumentSync.notebookSelector",
    by=(types.NOTEBOOK_DOCUMENT_DID_OPEN, types.NOTEBOOK_DOCUMENT_DID_CHANGE, types.NOTEBOOK_DOCUMENT_DID_CLOSE),
)
async def notebook(editor: Editor) -> None:
    book, cell = (editor.root / "n.ipynb").as_uri(), "vscode-notebook-cell:/n.ipynb#a"
    document = types.NotebookDocument(
        book, "jupyter-notebook", 1, [types.NotebookCell(types.NotebookCellKind.Code, cell)]
    )
    item = types.TextDocumentItem(cell, "python", 1, REMARK)
    editor.client.notebook_document_did_open(types.DidOpenNotebookDocumentParams(document, [item]))
    before = await editor.shown(cell)
    edit = types.TextDocumentContentChangeWholeDocument(REMARK.replace("==", "is"))
    version = types.VersionedTextDocumentIdentifier(uri=cell, version=2)
    cells = types.NotebookDocumentCellChanges(text_content=[types.NotebookDocumentCellContentChanges(version, [edit])])
    editor.client.notebook_document_did_change(
        types.DidChangeNotebookDocumentParams(
            types.VersionedNotebookDocumentIdentifier(2, book), types.NotebookDocumentChangeEvent(cells=cells)
        )
    )
    after = await editor.shown(cell)
    editor.client.notebook_document_did_close(
        types.DidCloseNotebookDocumentParams(
            types.NotebookDocumentIdentifier(book), [types.TextDocumentIdentifier(cell)]
        )
    )

    assert (len(before), len(after)) == (1, 0)


# --- What is shown ---------------------------------------------------------------------------------


@exercises(
    "diagnosticProvider.identifier",
    "diagnosticProvider.interFileDependencies",
    by=(types.TEXT_DOCUMENT_DIAGNOSTIC, types.TEXT_DOCUMENT_DID_CHANGE),
)
async def pull_diagnostics(editor: Editor) -> None:
    """Unchanged where nothing changed; asked to ask again where another file's edit changed it."""
    store, app = editor.open(STORE, "store.py"), editor.open(APP, "app.py")
    (before,) = [one for one in await editor.shown(app) if one.code == "none-comparison"]
    flows = await editor.until_diagnosed(store, "sql-injection")
    again = await editor.diagnostics(store, flows.result_id)
    asked = editor.client.diagnostic_refresh_count
    version = types.VersionedTextDocumentIdentifier(uri=app, version=2)
    harmless = types.TextDocumentContentChangeWholeDocument(APP.replace('request.form["name"]', '"a constant"'))
    editor.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [harmless]))
    await editor.until(lambda: editor.client.diagnostic_refresh_count > asked)
    after = await editor.diagnostics(store, flows.result_id)
    again_harmful = types.TextDocumentContentChangeWholeDocument(APP)
    version = types.VersionedTextDocumentIdentifier(uri=app, version=3)
    editor.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [again_harmful]))

    assert before.source == "closeread"
    assert isinstance(again, types.RelatedUnchangedDocumentDiagnosticReport)
    assert isinstance(after, types.RelatedFullDocumentDiagnosticReport)
    assert all(one.code != "sql-injection" for one in after.items)


@exercises("diagnosticProvider.workspaceDiagnostics", by=(types.WORKSPACE_DIAGNOSTIC,))
async def workspace_diagnostics(editor: Editor) -> None:
    """In parts where the client can take them, and unchanged the second time."""
    closed = editor.write("closed.py", REMARK).as_uri()
    await editor.execute("scanWorkspace")
    params = types.WorkspaceDiagnosticParams([], partial_result_token="parts")
    last = await editor.client.workspace_diagnostic_async(params)
    (report,) = [one for part in editor.partial for one in part["items"] if one["uri"] == closed]
    known = [types.PreviousResultId(closed, report["resultId"])]
    again = await editor.client.workspace_diagnostic_async(types.WorkspaceDiagnosticParams(known))

    assert (list(last.items), len(report["items"])) == ([], 1)
    (unchanged,) = [one for one in again.items if one.uri == closed]
    assert isinstance(unchanged, types.WorkspaceUnchangedDocumentDiagnosticReport)


@exercises("hoverProvider", by=(types.TEXT_DOCUMENT_HOVER,))
async def hover(editor: Editor) -> None:
    uri = editor.open(REMARK)
    found = await editor.client.text_document_hover_async(
        types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(1, 16))
    )

    assert found is not None
    assert isinstance(found.contents, types.MarkupContent)
    assert "none-comparison" in found.contents.value.replace("\\", "")


@exercises("codeLensProvider", by=(types.TEXT_DOCUMENT_CODE_LENS,))
async def code_lens(editor: Editor) -> None:
    uri = editor.open(APP)
    (lens,) = await editor.client.text_document_code_lens_async(types.CodeLensParams(types.TextDocumentIdentifier(uri)))

    assert lens.command.title.startswith("POST /find")
    assert lens.command.command in editor.advertised.execute_command_provider.commands


@exercises("documentSymbolProvider.label", by=(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL,))
async def document_symbols(editor: Editor) -> None:
    """The functions with findings, and the findings in them; of a clean file, nothing."""
    uri = editor.open(f"def fine():\n    return 1\n\n\n{REMARK}\nx = 1 if fine() == None else 2\n")
    clean = editor.open("def fine():\n    return 1\n")

    async def outline(uri: str) -> Any:
        params = types.DocumentSymbolParams(types.TextDocumentIdentifier(uri))
        return list(await editor.client.text_document_document_symbol_async(params) or ())

    function, alone = await outline(uri)
    (finding,) = function.children

    assert (function.name, function.kind, function.range.start.line) == ("f", types.SymbolKind.Function, 4)
    assert (finding.name, finding.range.start.line, alone.range.start.line) == ("none-comparison", 5, 7)
    assert finding.detail.startswith("info: None is compared")
    assert await outline(clean) == []


@exercises("inlayHintProvider", by=(types.TEXT_DOCUMENT_INLAY_HINT, types.WORKSPACE_DID_CHANGE_CONFIGURATION))
async def inlay_hints(editor: Editor) -> None:
    """None until they are wanted."""
    text = "import os\nfrom flask import request\n\n\ndef f():\n    a = request.args['a']\n    os.system(a)\n"
    uri = editor.open(text)
    whole = types.Range(types.Position(0, 0), types.Position(9, 0))

    async def hints() -> Any:
        params = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
        return await editor.client.text_document_inlay_hint_async(params)

    before = await hints()
    async with editor.settings(inlayHints=True):
        async with asyncio.timeout(30):
            while not (found := await hints()):
                await asyncio.sleep(0.05)

    assert list(before) == []
    assert {5} == {hint.position.line for hint in found}


@exercises(
    "callHierarchyProvider",
    by=(
        types.TEXT_DOCUMENT_PREPARE_CALL_HIERARCHY,
        types.CALL_HIERARCHY_INCOMING_CALLS,
        types.CALL_HIERARCHY_OUTGOING_CALLS,
    ),
)
async def call_hierarchy(editor: Editor) -> None:
    uri = editor.open("def one():\n    return two()\n\n\ndef two():\n    return 2\n")
    (two,) = await editor.client.text_document_prepare_call_hierarchy_async(
        types.CallHierarchyPrepareParams(types.TextDocumentIdentifier(uri), types.Position(4, 5))
    )
    (call,) = await editor.client.call_hierarchy_incoming_calls_async(types.CallHierarchyIncomingCallsParams(two))
    (back,) = await editor.client.call_hierarchy_outgoing_calls_async(
        types.CallHierarchyOutgoingCallsParams(call.from_)
    )

    assert (two.name, call.from_.name, back.to.name) == ("two", "one", "two")


# --- What can be done ------------------------------------------------------------------------------


@exercises(
    "codeActionProvider.codeActionKinds[quickfix]",
    "codeActionProvider.resolveProvider",
    by=(types.TEXT_DOCUMENT_CODE_ACTION, types.CODE_ACTION_RESOLVE),
)
async def quick_fixes(editor: Editor) -> None:
    uri = editor.open(REMARK + "\n\ndef g(a):\n    return 1 if a != None else 0\n")
    actions = {action.title: action for action in await editor.actions(uri, 1)}
    assert actions["Compare by identity"].edit is not None
    lazy = actions["Compare by identity: all of none-comparison in this file"]
    resolved = await editor.client.code_action_resolve_async(lazy)

    assert lazy.edit is None
    assert resolved.edit is not None
    assert {action.kind for action in actions.values()} == {types.CodeActionKind.QuickFix}


@exercises("codeActionProvider.codeActionKinds[source.fixAll.closeread]", by=(types.TEXT_DOCUMENT_CODE_ACTION,))
async def fix_all(editor: Editor) -> None:
    uri = editor.open(REMARK)
    (action,) = await editor.actions(uri, 0, "source.fixAll.closeread")

    assert action.kind == "source.fixAll.closeread"
    assert action.edit is not None


def command(name: str) -> Callable[[Exercise], Exercise]:
    """An exercise of a command."""
    return exercises(
        f"executeCommandProvider.commands[closeread.{name}]", by=(types.WORKSPACE_EXECUTE_COMMAND, f"closeread.{name}")
    )


@command("scanWorkspace")
async def scan_workspace(editor: Editor) -> None:
    editor.write("scanned.py", REMARK)
    bars = len(editor.client.progress_reports)
    told = await editor.execute("scanWorkspace")
    (bar,) = list(editor.client.progress_reports.values())[bars:]

    assert told["findings"] >= 1
    assert isinstance(bar[0], types.WorkDoneProgressBegin)
    assert isinstance(bar[-1], types.WorkDoneProgressEnd)


@command("showRoutes")
async def show_routes(editor: Editor) -> None:
    editor.write("routed.py", APP.replace("/find", "/routed"))

    assert "| POST | /routed |" in await editor.execute("showRoutes")


@command("suppress")
async def suppress(editor: Editor) -> None:
    uri = editor.open(REMARK)
    shown = len(editor.client.shown_documents)

    assert await editor.execute("suppress", uri, 1, "none-comparison") is True
    assert [uri] == [one.uri for one in editor.client.shown_documents[shown:]]


@command("status")
async def status(editor: Editor) -> None:
    told = await editor.execute("status")

    assert (told["paused"], told["model"]) == (False, None)


@command("restartModel")
async def restart_model(editor: Editor) -> None:
    """There is none to restart."""
    assert await editor.execute("restartModel") is None
    assert any("No model is in use" in one.message for one in editor.client.messages)


@command("explain")
async def explain(editor: Editor) -> None:
    assert (await editor.execute("explain", "sql-injection")).startswith("# ")


@command("why")
async def why(editor: Editor) -> None:
    uri = editor.open("import os\n\nos.system(input())\n")

    assert "command-injection" in await editor.execute("why", uri, 2)


@command("clearCache")
async def clear_cache(editor: Editor) -> None:
    uri = editor.open(REMARK)
    before = await editor.shown(uri)
    assert await editor.execute("clearCache") is None

    assert await editor.shown(uri) == before


@command("reviewCommit")
async def review_commit(editor: Editor) -> None:
    assert (await editor.execute("reviewCommit", "HEAD"))["files"] == 0


@command("scanStaged")
async def scan_staged(editor: Editor) -> None:
    assert (await editor.execute("scanStaged"))["commit"] == ""


# --- The workspace ---------------------------------------------------------------------------------


@exercises(
    "workspace.workspaceFolders.supported",
    "workspace.workspaceFolders.changeNotifications",
    by=(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS,),
)
async def workspace_folders(editor: Editor) -> None:
    """The settings of a folder count once it is one of the workspace's, and no longer."""
    other = editor.root.parent / f"{editor.root.name}-other"
    other.mkdir()
    (other / "closeread.toml").write_text('disable = ["none-comparison"]\n')
    uri = (other / "a.py").as_uri()
    item = types.TextDocumentItem(uri, "python", 1, REMARK)
    editor.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
    folder = types.WorkspaceFolder(other.as_uri(), "other")
    seen = []
    for added, removed in (([], []), ([folder], []), ([], [folder])):
        event = types.WorkspaceFoldersChangeEvent(added, removed)
        editor.client.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))
        seen.append(len(await editor.shown(uri)))

    assert seen == [1, 0, 1]


@exercises(
    "workspace.fileOperations.willRename.filters",
    "workspace.fileOperations.didRename.filters",
    by=(types.WORKSPACE_WILL_RENAME_FILES, types.WORKSPACE_DID_RENAME_FILES),
)
async def rename_files(editor: Editor) -> None:
    editor.write("closeread.toml", 'exclude = ["old_name.py"]\n')
    rename = types.FileRename((editor.root / "old_name.py").as_uri(), (editor.root / "new_name.py").as_uri())
    edit = await editor.client.workspace_will_rename_files_async(types.RenameFilesParams([rename]))
    editor.client.workspace_did_rename_files(types.RenameFilesParams([rename]))
    editor.write("closeread.toml", "")

    assert '"new_name.py"' in str(edit)


@exercises("registered: workspace/didChangeWatchedFiles", by=(types.WORKSPACE_DID_CHANGE_WATCHED_FILES,))
async def watched_files(editor: Editor) -> None:
    """What another program wrote is seen."""
    uri = editor.open(REMARK)
    assert len(await editor.shown(uri)) == 1
    for text, findings in (('disable = ["none-comparison"]\n', 0), ("", 1)):
        changed = types.FileEvent(editor.write("closeread.toml", text).as_uri(), types.FileChangeType.Changed)
        editor.client.workspace_did_change_watched_files(types.DidChangeWatchedFilesParams([changed]))

        assert findings == len(await editor.shown(uri))


# --- All of it -------------------------------------------------------------------------------------


@one_loop
@pytest.mark.parametrize("exercise", dict.fromkeys(EXERCISES.values()), ids=lambda exercise: exercise.__name__)
async def test_exercise(editor: Editor, exercise: Exercise) -> None:
    methods = {
        method for capability in EXERCISES for method in METHODS[capability] if EXERCISES[capability] is exercise
    }
    editor.protocol.used -= methods - {types.INITIALIZE}
    await exercise(editor)

    # What it names was sent, and the server neither failed nor complained of anything.
    assert methods <= editor.protocol.used
    assert [] == [one.message for one in editor.client.messages if "failed" in one.message]


@one_loop
async def test_every_advertised_capability_has_an_exercise(editor: Editor) -> None:
    await editor.until(lambda: editor.registered)
    told = set(advertised(editor.advertised, editor.client))
    told |= {f"registered: {one.method}" for one in editor.registered}

    assert told == set(EXERCISES)


def test_no_capability_escapes_the_list() -> None:
    told = {"a": {"b": True, "c": False, "d": ["x", "y"]}, "e": [{"f": 1}], "g": 2, "h": {}}

    assert ["a.b", "a.d[x]", "a.d[y]", "e", "g", "h"] == list(leaves("", told))


@pytest.mark.parametrize("name", ["visual-studio-code", "neovim", "emacs"])
async def test_with_what_real_editors_can_do(tmp_path: Path, name: str) -> None:
    """Whatever the server sends an editor is what the editor said that it can take: pytest-lsp sees to that."""
    client = await started(tmp_path / "cache")
    editor = Editor(client, tmp_path)
    params = types.InitializeParams(client_capabilities(name), root_uri=tmp_path.as_uri())
    told = (await client.initialize_session(params)).capabilities
    uri = editor.open(REMARK)
    # None of these can be told to ask again: they are sent what changed.
    assert told.diagnostic_provider is None
    assert await editor.until(lambda: client.diagnostics.get(uri))
    await editor.execute("scanWorkspace")
    actions = await editor.actions(uri, 1)

    assert "Compare by identity" in {action.title for action in actions}
    assert client.error is None
    await client.shutdown_session()
    await client.stop()
