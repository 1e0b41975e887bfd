"""`closeread why` on the command line; what the analysers answer is tested in tests/flow/test_why.py."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from closeread.commands import application

APP = "import os, flask\nfrom lib.run import run\nq = flask.request.args['q']\nos.system(q)\nrun(q)\n"
RUN = "import subprocess, shlex\n\ndef run(x):\n    subprocess.run(shlex.quote(x), shell=True)\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work" / "lib").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("app.py").write_text(APP)
    Path("lib/run.py").write_text(RUN)
    Path("closeread.toml").write_text("")


def why(*arguments: str) -> Result:
    return CliRunner().invoke(application(), ["why", *arguments])


def test_reported() -> None:
    result = why("app.py:4")

    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[:2] == ["app.py:4: os.system(q)", "Reported (command-injection)."]
    assert "    1. app.py:3 the request" in lines


def test_cleared_for_a_caller_in_another_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("lib")
    result = why("run.py:4")

    assert result.stdout.splitlines()[:2] == [
        "lib/run.py:4: subprocess.run(shlex.quote(x), shell=True)",
        "Not reported.",
    ]
    assert "which is about shell-command, and is harmless there: made so by `shlex.quote(x)` (line 4)" in result.stdout
    assert "`run` is called at app.py:5, with remote data." in result.stdout


def test_hidden_by_the_settings() -> None:
    Path("closeread.toml").write_text('disable = ["command-injection"]\n')

    assert "Found (command-injection), and hidden by the settings" in why("app.py:4").stdout
    data = json.loads(why("app.py:4", "--json").stdout)
    assert [(finding["rule"], finding["hidden"]) for finding in data["findings"]] == [("command-injection", True)]


def test_a_file_that_is_left_out() -> None:
    Path("closeread.toml").write_text('exclude = ["app.py"]\n')

    assert why("app.py:4").stdout.splitlines()[1].startswith("Found (command-injection), but the file is left out by")
    assert why("app.py:3").stdout.splitlines()[1].startswith("Not reported: the file is left out by")


def test_json() -> None:
    data = json.loads(why("app.py:4", "--json").stdout)

    assert (data["path"], data["line"], data["code"]) == ("app.py", 4, "os.system(q)")
    assert [note["kind"] for note in data["notes"]] == ["reported"]
    assert data["notes"][0]["trace"][0] == {
        "kind": "source",
        "message": "the request",
        "location": {"path": "app.py", "line": 3, "column": 4},
    }


def test_the_users_own_models_count() -> None:
    Path("closeread.toml").write_text('[[noreturn]]\ncall = "lib.run.run"\n')
    Path("app.py").write_text("import os, flask\nfrom lib.run import run\nrun(1)\nos.system(flask.request.args['q'])\n")

    assert "never reached" not in why("app.py:4").stdout  # a module's next statement is read all the same
    Path("app.py").write_text("import os\nfrom lib.run import run\ndef f():\n    run(1)\n    os.system('x')\n")
    assert "This line is never reached: `run(1)` (line 4) does not come back." in why("app.py:5").stdout


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("app.py", "write FILE:LINE"),
        ("app.py:x", "write FILE:LINE"),
        (":3", "write FILE:LINE"),
        ("no.py:3", "there is no file no.py"),
        ("app.py:99", "there is no line 99"),
        ("lib:1", "there is no file lib"),
    ],
)
def test_a_bad_question(question: str, message: str) -> None:
    result = why(question)

    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_mistake_in_the_models() -> None:
    Path("closeread.toml").write_text("[[source]]\n")

    result = why("app.py:4")

    assert result.exit_code == 2
    assert "closeread.toml:1: [[source]]: needs one of" in result.stderr


def test_hostile_code_is_shown_harmless() -> None:
    Path("app.py").write_bytes(b"x = 1 # \x1b[31m\xe2\x80\xae\n")

    assert "\x1b" not in why("app.py:1").stdout and "\u202e" not in why("app.py:1").stdout
