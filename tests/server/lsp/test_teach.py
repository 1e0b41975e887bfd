"""Explanations of findings over stdio: the engine's words, and a model's after them, which name nothing that is not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from closeread.explanation import explain
from closeread.model import teacher
from closeread.model.answers import Answers
from closeread.model.question import Written
from closeread_analyzers.catalogue import builtin
from closeread_analyzers.pipeline import Project
from model.test_server import chosen, huge
from model.tiny import gguf
from server.lsp.client import Client
from server.lsp.conftest import Start
from server.lsp.test_mend import TEXT, Texts
from server.lsp.test_whole import COMMAND

SAID = (
    "A client can send `host` with a command of its own. On line 6 `os.system` runs it. The function sanitize_host() should be "
    "called. Line 40 is wrong too. <b>Quote</b> the value."
)


def taught(folder: Path) -> tuple[Path, Path]:
    """A user's data and cache: a model in use that nothing can run, and what it once said about the finding."""
    (folder / "tiny.gguf").write_bytes(gguf())
    chosen(folder / "data", folder / "tiny.gguf")
    texts = Texts({"app.py": TEXT})
    (finding,) = [one for one in Project(texts).analyze("app.py").findings if one.rule == "command-injection"]
    memory = Answers("0" * 64, folder / "cache" / "closeread")
    memory.put(teacher.lesson(explain(finding, texts, builtin())).question, teacher.VERSION, Written(SAID, True, 1))
    memory.close()
    return folder / "data", folder / "cache"


async def opened(client: Client, folder: Path) -> str:
    uri = client.open(folder / "app.py", TEXT)
    await client.diagnostics(uri, 1)
    return uri


async def explained(client: Client, *arguments: Any) -> str:
    told = await client.request(
        "workspace/executeCommand", {"command": "closeread.explain", "arguments": list(arguments)}
    )
    return str(told)


async def test_without_a_model_the_trace_is_explained_by_the_engine(start: Start, tmp_path: Path) -> None:
    client = await start(COMMAND)
    await client.initialize(tmp_path)
    uri = await opened(client, tmp_path)
    page = await explained(client, uri, 5)

    assert "app\\.py:5](" in page and 'host = flask.request.args["host"]' in page
    assert "Nothing on this way makes the data harmless" in page
    assert "Pass a list of arguments without a shell" in page
    assert "words of" not in page
    assert "There is no finding on this line." == await explained(client, uri, 0)
    assert (await explained(client, "command-injection")).startswith("# ")


async def test_a_models_words_come_second_are_marked_and_name_only_what_is_there(start: Start, tmp_path: Path) -> None:
    data, cache = taught(tmp_path)
    client = await start(COMMAND, data=data, cache=cache)
    await client.initialize(tmp_path)
    uri = await opened(client, tmp_path)
    await client.hears("closeread/status", lambda status: status["model"])
    page = await explained(client, uri, 5)
    told = await client.hears("closeread/explanation", lambda told: told["done"])
    hover = await client.request(
        "textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 5, "character": 6}}
    )

    assert page.index("Nothing on this way") < page.index("**In the words of tiny**, a model that may be wrong: ")
    assert "sanitize_host" not in page and "Line 40" not in page and "<b>" not in page
    assert "with a command of its own" in page
    assert (uri, 5, page) == (told["uri"], told["line"], told["markdown"])
    assert "**In the words of tiny**" in hover["contents"]["value"]


async def test_a_model_that_cannot_run_costs_the_explanation_nothing(start: Start, tmp_path: Path) -> None:
    chosen(tmp_path / "data", huge(tmp_path / "tiny.gguf"))
    client = await start(COMMAND, data=tmp_path / "data")
    await client.initialize(tmp_path)
    uri = await opened(client, tmp_path)
    await client.hears("closeread/status", lambda status: status["model"])
    page = await explained(client, uri, 5)

    assert "Nothing on this way" in page and "words of" not in page
    assert 1 == len(client.said("window/showMessage"))


def test_a_stop_inside_a_name_that_is_still_being_written_ends_no_sentence() -> None:
    texts = Texts({"app.py": TEXT})
    (finding,) = [one for one in Project(texts).analyze("app.py").findings if one.rule == "command-injection"]
    lesson = teacher.lesson(explain(finding, texts, builtin()))

    assert () == teacher.sentences(lesson, "Then `os.", False)
    assert () == teacher.sentences(lesson, "Then `os.system` runs it.", False)
    assert ("Then `os.system` runs it.",) == teacher.sentences(lesson, "Then `os.system` runs it. It", False)
    assert ("Then `os.system` runs it.",) == teacher.sentences(lesson, "Then `os.system` runs it.", True)
