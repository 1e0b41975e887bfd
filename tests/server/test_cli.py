"""The command line: through Typer's runner with the fake analyser, and (few) as a real process with the real one."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest
from typer.testing import CliRunner, Result

from closeread.commands import application
from closeread.scan import Tools
from server.fake import tools
from server.gitlab_schema import SCHEMA


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def invoke(tmp_path: Path, *arguments: str, scanning: Tools | None = None) -> Result:
    return CliRunner().invoke(application(), list(arguments), obj=scanning or tools(tmp_path))


def real(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "closeread", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **environment},
        check=False,
    )


# --- Exit codes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "options", "code"),
    [
        ("BUG", [], 0),
        ("x", ["--strict", "--fail-on", "low"], 0),
        ("BUG", ["--fail-on", "high"], 1),
        ("BUG", ["--fail-on", "low"], 1),
        ("BUG", ["--fail-on", "critical"], 0),
        ("IGNORED REMARK", ["--fail-on", "low"], 0),
        ("BUG", ["--fail-on", "high", "--min-severity", "critical"], 0),
        ("SYNTAX", [], 0),
        ("SYNTAX", ["--strict"], 3),
        ("SYNTAX BUG", ["--strict", "--fail-on", "low"], 1),
        ("RAISE", [], 2),
        ("BUG", ["--path", "nowhere"], 2),
        ("BUG", ["--path", "nowhere", "--fail-on", "low", "--strict"], 2),
        ("BUG", ["--no-such-option"], 2),
        ("BUG", ["--fail-on", "enormous"], 2),
        ("BUG", ["--format", "pdf"], 2),
        ("BUG", ["--output", "no/such/folder/r.json"], 2),
        ("BUG", ["--output", "."], 2),
        ("BUG", ["--jobs", "-1"], 2),
    ],
)
def test_exit_codes(tmp_path: Path, text: str, options: list[str], code: int) -> None:
    Path("a.py").write_text(text)
    result = invoke(tmp_path, "analyze", "--path", ".", *options)

    assert result.exit_code == code, result.output


def test_an_error_of_our_own_is_two_and_one_line(tmp_path: Path) -> None:
    Path("a.py").write_text("x")

    def broken(files: object) -> None:
        raise LookupError("a model is malformed")

    result = invoke(tmp_path, "analyze", "--path", ".", scanning=Tools(make=broken, cache_folder=tmp_path / "c"))  # type: ignore[arg-type]

    assert result.exit_code == 2
    assert result.stderr == ("closeread: internal error: LookupError: a model is malformed (--verbose shows where)\n")


def test_without_a_path_it_is_a_usage_error(tmp_path: Path) -> None:
    assert invoke(tmp_path, "analyze").exit_code == 2


# --- What is written -------------------------------------------------------------------------------


def test_the_contract_of_ci(tmp_path: Path) -> None:
    Path("src").mkdir()
    Path("src/app.py").write_text("BUG\nREMARK\nIGNORED\n")
    result = invoke(tmp_path, "analyze", "--path", "./src", "--output", "report.json")
    report = json.loads(Path("report.json").read_text())

    jsonschema.validate(report, SCHEMA)
    assert result.exit_code == 0
    assert [item["location"]["file"] for item in report["vulnerabilities"]] == ["src/app.py"]
    assert "The report is in report.json." in result.stdout


def test_a_clean_tree_and_a_failed_scan_have_a_report_too(tmp_path: Path) -> None:
    Path("a.py").write_text("x\n")
    invoke(tmp_path, "analyze", "--path", "a.py", "--output", "clean.json")
    invoke(tmp_path, "analyze", "--path", "nowhere", "--output", "failed.json")
    clean, failed = (json.loads(Path(name).read_text()) for name in ("clean.json", "failed.json"))

    for report in (clean, failed):
        jsonschema.validate(report, SCHEMA)
        assert report["vulnerabilities"] == []
    assert (clean["scan"]["status"], failed["scan"]["status"]) == ("success", "failure")
    assert failed["scan"]["messages"][1]["value"] == "nowhere: There is no such file or folder."


def test_the_ending_or_the_option_chooses_the_format(tmp_path: Path) -> None:
    Path("a.py").write_text("BUG\n")
    for name, option in (("r.json", []), ("r.sarif", []), ("r.txt", []), ("all.json", ["--format", "json"])):
        invoke(tmp_path, "analyze", "--path", ".", "--output", name, *option)

    assert "vulnerabilities" in json.loads(Path("r.json").read_text())
    assert "runs" in json.loads(Path("r.sarif").read_text())
    assert "findings" in json.loads(Path("all.json").read_text())
    assert Path("r.txt").read_text().startswith("HIGH sql-injection")


def test_a_format_without_an_output_is_all_of_standard_output(tmp_path: Path) -> None:
    Path("a.py").write_text("BUG\n")
    result = invoke(tmp_path, "analyze", "--path", ".", "--format", "sarif")

    assert json.loads(result.stdout)["version"] == "2.1.0"


def test_two_runs_differ_only_in_times(tmp_path: Path) -> None:
    for number in range(30):
        Path(f"f{number % 9}_{number}.py").write_text("BUG BUG\nREMARK\nSYNTAX\n" * (number % 4))

    def run(name: str, *options: str) -> str:
        invoke(tmp_path, "analyze", "--path", ".", "--output", f"{name}.out", "--format", "gitlab", *options)
        return re.sub(r'"(start|end)_time": "[^"]*"', "", Path(f"{name}.out").read_text())

    fresh = run("1.json", "--no-cache", "--jobs", "1")
    assert run("2.json", "--no-cache", "--jobs", "1") == fresh
    assert run("3.json", "--jobs", "1") == fresh
    assert run("4.json", "--jobs", "1") == fresh


def test_the_report_of_the_last_run_is_not_read(tmp_path: Path) -> None:
    Path("a.py").write_text("BUG\n")

    def files() -> int:
        invoke(tmp_path, "analyze", "--path", ".", "--output", "report.json", "--format", "json", "--no-cache")
        return int(json.loads(Path("report.json").read_text())["files"])

    assert files() == files() == 1


def test_a_report_is_replaced_whole(tmp_path: Path) -> None:
    Path("a.py").write_text("BUG\n")
    Path("report.json").write_text("old" * 100_000)
    Path("report.json").chmod(0o640)
    invoke(tmp_path, "analyze", "--path", ".", "--output", "report.json")

    json.loads(Path("report.json").read_text())
    assert [path.name for path in Path().iterdir() if path.suffix == ".tmp"] == []
    if sys.platform != "win32":
        assert Path("report.json").stat().st_mode & 0o777 == 0o640


def test_several_paths_and_excludes(tmp_path: Path) -> None:
    for name in ("a/x.py", "b/y.py", "b/z.py", "c/w.py"):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("BUG\n")
    result = invoke(tmp_path, "analyze", "--path", "a", "--path", "b", "--exclude", "z.*", "--format", "json")

    assert [item["location"]["path"] for item in json.loads(result.stdout)["findings"]] == ["a/x.py", "b/y.py"]


def test_what_is_printed_is_plain_in_a_pipe(tmp_path: Path) -> None:
    Path("a.py").write_text("# caf\u00e9 BUG\n")
    result = invoke(tmp_path, "analyze", "--path", ".")

    assert "\x1b" not in result.output
    assert "There is a BUG." in result.stdout
    assert result.stderr == ""


def test_quiet_is_quiet_unless_something_is_missing(tmp_path: Path) -> None:
    Path("a.py").write_text("BUG\n")
    clean = invoke(tmp_path, "analyze", "--path", ".", "--quiet", "--output", "r.json")
    Path("b.py").write_text("SYNTAX\n")
    partial = invoke(tmp_path, "analyze", "--path", ".", "--quiet", "--output", "r.json")

    assert clean.output == ""
    assert (partial.stdout, partial.stderr) == ("", "closeread: the scan is incomplete: 1 problems.\n")


# --- The other commands ----------------------------------------------------------------------------


def test_explain(tmp_path: Path) -> None:
    result = invoke(tmp_path, "explain", "command-injection")

    assert result.exit_code == 0
    assert result.stdout.startswith("# Untrusted data in a shell command")
    assert "CWE-78" in result.stdout


@pytest.mark.parametrize(("name", "near"), [("comand-injection", "command-injection"), ("sql", "sql-injection")])
def test_explain_suggests(tmp_path: Path, name: str, near: str) -> None:
    result = invoke(tmp_path, "explain", name)

    assert result.exit_code == 2
    assert "Did you mean" in result.stderr
    assert near in result.stderr


def test_rules(tmp_path: Path) -> None:
    table = invoke(tmp_path, "rules").stdout
    listed = json.loads(invoke(tmp_path, "rules", "--json").stdout)

    assert "command-injection" in table
    assert {rule["id"] for rule in listed} >= {"command-injection", "sql-injection"}
    assert len(table.splitlines()) == len(listed) + 1


@pytest.mark.parametrize("address", ["0.0.0.0:9000", "example.org:80", ":9000", "127.0.0.1:x", "127.0.0.1:99999"])
def test_the_server_listens_on_this_machine_only(tmp_path: Path, address: str) -> None:
    result = invoke(tmp_path, "serve", "--tcp", address)

    assert result.exit_code == 2
    assert "--tcp" in result.stderr


def test_the_cache_can_be_seen_and_cleared(tmp_path: Path) -> None:
    Path("a.py").write_text("x = 1\n")
    invoke(tmp_path, "analyze", "--path", ".", scanning=Tools(make=tools(tmp_path).make))
    before = invoke(tmp_path, "cache", "stats").stdout
    cleared = invoke(tmp_path, "cache", "clear")
    after = invoke(tmp_path, "cache", "stats").stdout

    assert str(tmp_path / "cache") in before
    assert "results  1" in before
    assert cleared.exit_code == 0
    assert "results  0" in after


# --- Real processes --------------------------------------------------------------------------------


def test_the_real_thing(tmp_path: Path) -> None:
    """Whole: real workers, the real cache, a folder that would break us if anything in it were imported."""
    for name in ("json", "typing", "closeread", "sitecustomize", "tree_sitter"):
        Path(f"{name}.py").write_text("raise SystemExit('imported')\n")
    for number in range(60):
        Path(f"m{number}.py").write_text("import os\n\nx = 1\n")
    command = [sys.executable, "-I", "-m", "closeread", "analyze", "--path", ".", "--output", "r.json", "--strict"]
    first = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    document = json.loads(Path("r.json").read_text())
    second = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)

    assert (first.returncode, first.stderr) == (0, "")
    jsonschema.validate(document, SCHEMA)
    assert "Scanned 65 files" in first.stdout
    assert "(65 unchanged since an earlier scan)" in second.stdout


def test_version_is_quick_and_agrees() -> None:
    started = time.perf_counter()
    result = real("--version")
    seconds = time.perf_counter() - started

    assert re.fullmatch(r"closeread \d+\.\d+\.\d+\n", result.stdout)
    assert invoke(Path(), "--version").stdout == result.stdout
    assert seconds < 2


def test_analysing_does_not_import_the_language_server() -> None:
    Path("a.py").write_text("x = 1\n")
    code = (
        "import sys; sys.argv = ['closeread', 'analyze', '--path', '.', '--quiet']\n"
        "from closeread.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "print(sorted({'pygls', 'lsprotocol', 'rich.console', 'asyncio', 'watchfiles'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, timeout=60, check=False)

    assert result.stdout.splitlines()[-1] == "[]"


_SELDOM = {
    *("typer", "rich.console", "watchfiles", "closeread.inferred"),
    *("closeread_analyzers.languages.jinja.lowerer", "closeread_analyzers.languages.mako.lowerer"),
}


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        ("serve", {*_SELDOM, "closeread.why", "closeread.mending", "closeread.model.mender"}),
        ("hook", {*_SELDOM, "pygls", "lsprotocol", "asyncio", "closeread.model.reviewer"}),
    ],
)
def test_what_somebody_waits_for_every_time_imports_little(command: str, unneeded: set[str]) -> None:
    result = subprocess.run(
        [sys.executable, "-I", "-X", "importtime", "-m", "closeread", command],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    imported = {
        line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time")
    }

    assert "closeread.platform_" in imported
    assert unneeded & imported == set()


def test_an_old_terminal_does_not_end_the_scan() -> None:
    Path("a.py").write_text("# caf\u00e9\nx = 1\n")
    Path("\u4e2d.py").write_text("def broken(:\n")
    result = real("analyze", "--path", ".", PYTHONIOENCODING="ascii")

    assert result.returncode == 0, result.stderr
    assert r"\u4e2d.py" in result.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs a shell's pipe")
def test_a_reader_that_leaves_early_is_no_error() -> None:
    command = f"{sys.executable} -m closeread rules --json | head -c 10"
    result = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60, check=False)

    assert result.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals of this kind")
@pytest.mark.parametrize(("environment", "coloured"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_and_a_bar_are_for_terminals_that_want_them(environment: dict[str, str], coloured: bool) -> None:
    import pty

    Path("a.py").write_text("import os\nfrom flask import request\nos.system(request.args['x'])\n")
    ours, theirs = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR")}
    process = subprocess.Popen(
        [sys.executable, "-m", "closeread", "analyze", "--path", "."],
        stdout=theirs,
        stderr=theirs,
        env=kept | {"TERM": "xterm-256color", "COLUMNS": "100"} | environment,
    )
    os.close(theirs)
    written = b""
    while True:
        try:
            chunk = os.read(ours, 65536)
        except OSError:  # what Linux says where others give an empty read
            break
        if not chunk:
            break
        written += chunk
    os.close(ours)

    assert process.wait(30) == 0
    assert b"1/1" in written
    assert b"command-injection" in written
    # Colour, not boldness: NO_COLOR leaves the latter.
    assert (re.search(rb"\x1b\[[0-9;]*3[0-9]m", written) is not None) == coloured
