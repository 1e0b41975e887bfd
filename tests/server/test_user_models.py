"""A user's own models through the drivers: the command line, its workers, the store and the editor's session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from closeread.commands import application
from closeread.scan import Tools, scan
from closeread.session import Session
from closeread.settings import ModelsProblem, Settings, read

APP = "import os\nimport shop\nos.system(shop.clean(shop.client_text()))\n"
SHOP = "def client_text():\n    return LINES[0]\ndef clean(text):\n    return text\n"
SOURCE = '[[source]]\ncall = "shop.client_text"\nkind = "remote"\n'
BARRIER = '[[barrier]]\ncall = "shop.clean"\nclears = ["shell-command"]\n'


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    Path("app.py").write_text(APP)
    Path("shop.py").write_text(SHOP)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(application(), list(arguments))


def rules(*paths: str, **changes: object) -> list[str]:
    found = scan(paths or (".",), {"cache": False, **changes}, (), Tools()).report
    return [finding.rule for finding in found.findings if finding.kind == "vulnerability"]


def test_the_models_of_both_files_are_read() -> None:
    root = Path.cwd()
    Path("pyproject.toml").write_text(
        "[project]\nname = 'x'\n[tool.closeread]\njobs = 2\n" + SOURCE.replace("[[", "[[tool.closeread.")
    )
    in_pyproject = read(root)
    Path("closeread.toml").write_text("jobs = 2\n" + SOURCE)

    settings, problems = read(root)
    assert problems == ()
    assert json.loads(settings.models) == {"source": [{"call": "shop.client_text", "kind": "remote"}]}
    assert (settings, problems) == in_pyproject


def test_a_scan_knows_them_here_and_in_workers() -> None:
    assert rules() == []
    Path("closeread.toml").write_text(SOURCE)

    assert rules(jobs=1) == ["command-injection"]
    assert rules(jobs=2) == ["command-injection"]


def test_the_cache_tells_one_set_from_another() -> None:
    for toml, expected in [("", []), (SOURCE, ["command-injection"]), (SOURCE + BARRIER, []), (SOURCE, None), ("", [])]:
        Path("closeread.toml").write_text(toml)
        assert rules(cache=True) == (expected if expected is not None else ["command-injection"]), toml


def test_the_summary_says_how_many_are_in_force() -> None:
    Path("closeread.toml").write_text(SOURCE + BARRIER)

    assert "In force: 2 models of your own, 1 of them clearing data." in invoke("analyze", "--path", ".").stdout
    report = json.loads(invoke("analyze", "--path", ".", "--format", "json").stdout)
    assert report["own_models"] == {"entries": 2, "clearing": 1, "inferred": 0}
    Path("closeread.toml").write_text("")
    assert "In force" not in invoke("analyze", "--path", ".").stdout


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ('jobs = 2\n[[source]]\nkind = "remote"\ncal = "a.b"\n', "closeread.toml:2: [[source]]: needs one of `call`"),
        ('jobs = 2\n[[sorce]]\nkind = "remote"\n', 'closeread.toml:2: sorce: unknown word; did you mean "source"?'),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(toml: str, message: str) -> None:
    Path("closeread.toml").write_text(toml)

    result = invoke("analyze", "--path", ".")

    assert result.exit_code == 2
    assert message in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert result.stdout == ""


def test_a_mistake_costs_the_models_and_no_setting() -> None:
    Path("closeread.toml").write_text(f'jobs = 2\n{SOURCE}[[sink]]\nkind = "nope"\n')

    settings, problems = read(Path.cwd())

    assert settings == Settings(jobs=2)
    assert [(type(problem), problem.path, problem.line) for problem in problems] == [
        (ModelsProblem, "closeread.toml", 5)
    ]


def test_an_unknown_setting_is_still_a_remark_only() -> None:
    Path("closeread.toml").write_text("colour = 3\n")

    result = invoke("analyze", "--path", ".")

    assert result.exit_code == 0
    assert "Unknown key `colour`" in result.stdout


def test_the_editor_reads_them_again_when_they_change() -> None:
    root = Path.cwd()
    session = Session()
    session.add_folder(root)
    session.open(root / "app.py", 1, APP.encode())

    def found() -> list[str]:
        return [f.rule for f in session.analyze(root / "app.py")[1].findings if f.kind == "vulnerability"]

    assert found() == []
    Path("closeread.toml").write_text(SOURCE)
    session.reload()
    assert (found(), session.models_problems()) == (["command-injection"], [])
    Path("closeread.toml").write_text(SOURCE.replace("remote", "remot"))
    session.reload()
    assert found() == []  # it goes on without them, and says so
    assert session.models_problems() == [
        f'{root / "closeread.toml"}:3: [[source]]: "remot" is not a source kind of kinds.toml; did you mean "remote"? '
        "None of your own models is in force."
    ]
    assert [problem.line for _, _, problems in session.config_problems() for problem in problems] == [3]
    Path("closeread.toml").write_text(SOURCE)
    session.reload()
    assert (found(), session.models_problems()) == (["command-injection"], [])


def test_a_hostile_file_is_a_message() -> None:
    for toml in ("[[sink]]\nkind = 0x" + "f" * 5000, 'source = "x"', "[[source]]\n" * 3, "[source.a.b]\n"):
        Path("closeread.toml").write_text(toml)
        result = invoke("analyze", "--path", ".")
        assert result.exit_code == 2, toml[:40]
        assert "closeread.toml:" in result.stderr and "internal error" not in result.stderr
