from __future__ import annotations

from pathlib import Path

import pytest

from closeread.settings import Settings, merged, read
from closeread_analyzers.finding import Confidence, Problem, Severity


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text, "utf-8")


def test_nothing_set(tmp_path: Path) -> None:
    assert read(tmp_path) == (Settings(), ())


def test_every_key(tmp_path: Path) -> None:
    write(
        tmp_path,
        "closeread.toml",
        """
exclude = ["gen/"]
disable = ["log-injection"]
min-severity = "medium"
min-confidence = "high"
fail-on = "high"
remarks = false
max-file-size = 10
file-timeout = 3
jobs = 2
cache = false
""",
    )

    expected = Settings(
        exclude=("gen/",),
        disable=("log-injection",),
        min_severity=Severity.MEDIUM,
        min_confidence=Confidence.HIGH,
        fail_on=Severity.HIGH,
        remarks=False,
        max_file_size=10,
        file_timeout=3.0,
        jobs=2,
        cache=False,
    )
    assert read(tmp_path) == (expected, ())


def test_pyproject(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[project]\nname = "x"\n[tool.closeread]\njobs = 3\n')

    assert read(tmp_path) == (Settings(jobs=3), ())


def test_our_own_file_wins_over_pyproject(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool.closeread]\njobs = 3\n")
    write(tmp_path, "closeread.toml", "jobs = 4\n")

    assert read(tmp_path)[0].jobs == 4


def test_an_unknown_key_is_named_with_its_line_and_a_near_one(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", '[tool.other]\nexlude = 1\n[tool.closeread]\njobs = 3\nexlude = ["a"]\n')

    settings, problems = read(tmp_path)

    assert settings == Settings(jobs=3)
    assert problems == (Problem("pyproject.toml", 5, "Unknown key `exlude`: did you mean `exclude`?", "config"),)


def test_an_unknown_table_is_found_by_its_header(tmp_path: Path) -> None:
    write(tmp_path, "closeread.toml", "jobs = 1\n\n[server]\naddress = 'x'\n")

    assert [(problem.line, problem.message[:21]) for problem in read(tmp_path)[1]] == [(3, "Unknown key `server`:")]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("jobs = 'two'", "`jobs` must be a whole number, at least 0"),
        ("jobs = true", "`jobs` must be a whole number, at least 0"),
        ("exclude = 'x'", "`exclude` must be a list of strings"),
        ("cache = 1", "`cache` must be true or false"),
        ("min-severity = 'bad'", "`min-severity` must be one of info, low, medium, high, critical"),
        ("min-confidence = 3", "`min-confidence` must be one of low, medium, high"),
        ("file-timeout = -1", "`file-timeout` must be a number of seconds"),
        ("max-file-size = 0", "`max-file-size` must be a whole number, at least 1"),
    ],
)
def test_a_wrong_type_is_named_and_ignored(tmp_path: Path, line: str, expected: str) -> None:
    write(tmp_path, "closeread.toml", f"# a comment\n{line}\n")

    settings, (problem,) = read(tmp_path)

    assert settings == Settings()
    assert problem == Problem("closeread.toml", 2, f"{expected}; it is ignored.", "config")


def test_malformed_toml_names_its_line(tmp_path: Path) -> None:
    write(tmp_path, "closeread.toml", "jobs = 1\njobs = = 2\n")

    settings, (problem,) = read(tmp_path)

    assert settings == Settings()
    assert (problem.path, problem.line, problem.kind) == ("closeread.toml", 2, "config")
    assert "Not valid TOML" in problem.message


def test_a_table_that_is_none(tmp_path: Path) -> None:
    write(tmp_path, "pyproject.toml", "[tool]\ncloseread = 3\n")

    assert read(tmp_path)[1] == (Problem("pyproject.toml", 2, "`tool.closeread` must be a table.", "config"),)


def test_not_utf8_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "closeread.toml").write_bytes(b"jobs = 1\n# caf\xe9\n")

    assert read(tmp_path)[1] == (Problem("closeread.toml", 2, "Not UTF-8; its settings are ignored.", "config"),)


def test_an_editor_writes_humps() -> None:
    settings, problems = merged(Settings(jobs=2), {"minSeverity": "high", "jbos": 1}, "the editor")

    assert settings == Settings(jobs=2, min_severity=Severity.HIGH)
    assert problems == (Problem("the editor", 0, "Unknown key `jbos`: did you mean `jobs`?", "config"),)


@pytest.mark.parametrize("key", ["python", "command", "plugins", "model", "server", "url", "interpreter"])
def test_no_setting_names_a_program_or_an_address(key: str) -> None:
    settings, problems = merged(Settings(), {key: "x"}, "closeread.toml")

    assert settings == Settings()
    assert [problem.kind for problem in problems] == ["config"]
