"""What a pipeline asks for: the job as users write it, changes since a commit, baselines, deadlines, a shared cache.

With the real analysers and, where git is asked, real repositories.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from closeread import baseline
from closeread.baseline import BaselineError
from closeread.scan import Scope, Tools, scan
from hostile.test_git import git
from needs import program
from server.fake import Marker, tools
from server.test_cli import invoke

FLOW = "import os, flask\n\ndef {name}():\n    os.system(flask.request.args['x'])\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


def commit(message: str = "x") -> str:
    here = Path.cwd()
    git(here, "add", "-A")
    git(here, "commit", "-qm", message)
    return git(here, "rev-parse", "HEAD")


def found(*arguments: str) -> list[str]:
    result = invoke(Path.cwd(), "analyze", "--path", ".", "--format", "json", *arguments, scanning=Tools())
    assert result.exit_code == 0, result.output
    return [f"{f['location']['path']}:{f['location']['start_line']}" for f in json.loads(result.stdout)["findings"]]


# --- The job ---------------------------------------------------------------------------------------

JOB = """
ai_cli analyze --path ./src --output report.json
if [ "$(jq '.vulnerabilities | length' report.json)" -gt 0 ]; then exit 1; fi
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the job is a shell script")
@pytest.mark.parametrize(("text", "code"), [("x = 1\n", 0), (FLOW.format(name="view"), 1)])
def test_the_job_as_users_write_it(text: str, code: int) -> None:
    program("jq", "apt install jq")
    Path("src").mkdir()
    Path("src/app.py").write_text(text)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-ec", JOB], env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
    )

    assert done.returncode == code, done.stderr
    assert len(json.loads(Path("report.json").read_text())["vulnerabilities"]) == code


# --- Since a commit --------------------------------------------------------------------------------


def test_only_what_changed_since() -> None:
    git(Path.cwd(), "init", "-q")
    Path("old.py").write_text(FLOW.format(name="old"))
    Path("both.py").write_text(FLOW.format(name="first"))
    base = commit()
    Path("both.py").write_text("# moved\n\n" + FLOW.format(name="first") + "\n" + FLOW.format(name="second"))
    commit()
    Path("new.py").write_text(FLOW.format(name="new"))  # neither staged nor committed

    assert found("--diff", base) == ["both.py:11", "new.py:4"]
    assert found("--diff", "HEAD") == ["new.py:4"]
    assert found() == ["both.py:6", "both.py:11", "new.py:4", "old.py:4"]


def test_a_change_is_seen_where_its_data_ends_and_where_it_starts() -> None:
    git(Path.cwd(), "init", "-q")
    Path("views.py").write_text(
        "import flask\nfrom helper import run\n\ndef view():\n    run(flask.request.args['x'])\n"
    )
    Path("helper.py").write_text("def run(x):\n    return x\n")
    Path("other.py").write_text("import os\n\ndef unrelated():\n    return os.getcwd()\n")
    base = commit()
    Path("helper.py").write_text("import os\n\ndef run(x):\n    os.system(x)\n")

    assert found("--diff", base) == ["helper.py:4"]


def test_an_answer_that_was_taken_away_since_is_a_finding_again() -> None:
    git(Path.cwd(), "init", "-q")
    Path("a.py").write_text(
        FLOW.format(name="a").replace("\n    os", "\n    # closeread: ignore[command-injection] ours\n    os")
    )
    base = commit()
    assert found("--diff", base) == []
    Path("a.py").write_text(FLOW.format(name="a"))

    assert found("--diff", base) == ["a.py:4"]


def test_since_the_work_left_a_branch() -> None:
    git(Path.cwd(), "init", "-q")
    Path("a.py").write_text("x = 1\n")
    commit()
    git(Path.cwd(), "checkout", "-qb", "work")
    Path("mine.py").write_text(FLOW.format(name="mine"))
    commit()
    git(Path.cwd(), "checkout", "-q", "main")
    Path("theirs.py").write_text(FLOW.format(name="theirs"))
    commit()
    git(Path.cwd(), "checkout", "-q", "work")

    assert found("--diff", "main") == ["mine.py:4"]


def test_other_bytes_are_no_change() -> None:
    git(Path.cwd(), "init", "-q")
    Path("a.py").write_bytes(FLOW.format(name="a").encode())
    base = commit()
    Path("a.py").write_bytes(FLOW.format(name="a").replace("\n", "\r\n").encode())
    result = scan(["."], {}, (), Tools(), (), Scope(since=base))

    assert (result.report.findings, result.report.files) == ((), 0)


@pytest.mark.parametrize(
    ("arguments", "message"), [(["--diff", "nowhere"], "git rev-parse failed"), (["--diff", "HEAD"], "in none")]
)
def test_a_commit_that_is_not_there_is_one_message(arguments: list[str], message: str) -> None:
    if arguments[1] == "nowhere":
        git(Path.cwd(), "init", "-q")
    Path("a.py").write_text("x = 1\n")
    result = invoke(Path.cwd(), "analyze", "--path", ".", *arguments)

    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr


# --- What comments say -----------------------------------------------------------------------------

COMMENTS = """\
import os, flask

def view():
    os.system(flask.request.args["a"])  # nosec B605
    os.system(flask.request.args["b"])  # closeread: ignore[command-injection] old (until 2020-01-01)
    # closeread: ignore[command-injection] ours (until 2999-12-31)
    os.system(flask.request.args["c"])
    os.getcwd()  # closeread: ignore[command-injection] there was one
    os.getpid()  # closeread: ignore
"""


def test_what_comments_say_is_in_the_report() -> None:
    Path("a.py").write_text(COMMENTS)
    result = invoke(Path.cwd(), "analyze", "--path", ".", "--format", "json", scanning=Tools())
    told = json.loads(result.stdout)
    answers = [(f["location"]["start_line"], f["suppression"]["origin"]) for f in told["suppressed"]]

    assert sorted((f["location"]["start_line"], f["rule"]) for f in told["findings"]) == [
        (5, "command-injection"),
        (5, "expired-suppression"),
        (8, "unused-suppression"),
        (9, "bare-suppression"),
    ]
    assert answers == [(4, "nosec"), (7, "closeread")]


# --- Baselines -------------------------------------------------------------------------------------


def run(*arguments: str) -> tuple[int, str]:
    result = invoke(Path.cwd(), "analyze", "--path", ".", "--fail-on", "low", *arguments, scanning=Tools())
    return result.exit_code, result.output


def test_a_baseline_survives_200_lines_above_and_edited_comments() -> None:
    text = "".join(FLOW.format(name=f"view_{number}") for number in range(5))
    Path("app.py").write_text(text)
    assert run()[0] == 1
    assert run("--write-baseline", "known.json")[0] == 0
    moved = "# a line\n" * 200 + text.replace("['x'])\n", "['x'])  # looked at\n")
    Path("app.py").write_text(moved)
    code, told = run("--baseline", "known.json")

    assert (code, "5 suppressed (5 by baseline)" in told) == (0, True), told
    assert "found no more" not in told


def test_a_new_finding_is_none_of_the_baseline() -> None:
    Path("app.py").write_text(FLOW.format(name="old"))
    run("--write-baseline", "known.json")
    Path("app.py").write_text(FLOW.format(name="old") * 2)  # the same line once more is one more

    assert run("--baseline", "known.json")[0] == 1


def test_it_only_shrinks() -> None:
    Path("a.py").write_text(FLOW.format(name="a"))
    Path("b.py").write_text(FLOW.format(name="b"))
    run("--write-baseline", "known.json")
    before = Path("known.json").read_text()
    assert run("--write-baseline", "known.json") == (
        2,
        "closeread: known.json is there already: --baseline known.json --prune shrinks it, deleting it starts anew.\n",
    )
    Path("a.py").write_text("x = 1\n")
    Path("c.py").write_text(FLOW.format(name="c"))
    assert "1 finding of the baseline found no more" in run("--baseline", "known.json")[1]
    assert Path("known.json").read_text() == before
    code, told = run("--baseline", "known.json", "--prune")
    entries = json.loads(Path("known.json").read_text())["entries"]

    assert (code, "1 findings are gone from the baseline known.json." in told) == (1, True)
    assert [(entry["path"], entry["rule"]) for entry in entries] == [("b.py", "command-injection")]


def test_pruning_leaves_alone_what_was_not_looked_at() -> None:
    for name in ("a", "b"):
        Path(name).mkdir()
        Path(f"{name}/x.py").write_text(FLOW.format(name=name))
    run("--write-baseline", "known.json")
    invoke(Path.cwd(), "analyze", "--path", "a", "--baseline", "known.json", "--prune", scanning=Tools())

    assert len(json.loads(Path("known.json").read_text())["entries"]) == 2


def test_a_baseline_is_sorted_and_quotes_no_code() -> None:
    for name in ("b", "a", "c"):
        Path(f"{name}.py").write_text(FLOW.format(name=name) + 'password = "hunter2-quite-long"\n')
    run("--write-baseline", "known.json")
    text = Path("known.json").read_text()
    lines = [line for line in text.splitlines() if '"rule"' in line]

    assert lines == sorted(lines)
    assert len(lines) == 6
    assert "hunter2" not in text


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": 9, "entries": []}', '{"version": 1, "entries": [1]}', "[" * 99_999]
)
def test_a_malformed_baseline_is_one_message(tmp_path: Path, text: str) -> None:
    (tmp_path / "known.json").write_text(text)

    with pytest.raises(BaselineError, match=r"known\.json"):
        baseline.read(tmp_path / "known.json")


@pytest.mark.parametrize(
    "options",
    [
        ["--prune"],
        ["--write-baseline", "n.json", "--prune"],
        ["--write-baseline", "n.json", "--diff", "HEAD"],
        ["--baseline", "none.json"],
    ],
)
def test_what_does_not_go_together_is_said(options: list[str]) -> None:
    Path("a.py").write_text("x = 1\n")

    assert run(*options)[0] == 2
    assert not Path("n.json").exists()


# --- Deadlines and caches --------------------------------------------------------------------------


def test_a_deadline_gives_a_partial_report_and_code_3(tmp_path: Path) -> None:
    Path("a.py").write_text("BUG\n")
    Path("b.py").write_text("HANG\n")
    Path("c.py").write_text("BUG\n")
    started = time.monotonic()
    result = invoke(
        tmp_path, "analyze", "--path", ".", "--deadline", "0.5", "--jobs", "1", "--output", "r.json", "--format", "json"
    )
    report = json.loads(Path("r.json").read_text())

    assert time.monotonic() - started < 20
    assert result.exit_code == 3
    assert [finding["location"]["path"] for finding in report["findings"]] == ["a.py"]
    assert [(p["path"], p["kind"]) for p in report["problems"]] == [("b.py", "timeout"), ("c.py", "timeout")]
    assert report["complete"] is False


def test_what_a_deadline_left_out_is_not_remembered(tmp_path: Path) -> None:
    Path("a.py").write_text("HANG\n")
    scan(["."], {}, (), tools(tmp_path), (), Scope(seconds=0.2))
    Path("b.py").write_text("x\n")
    analysed: list[str] = []
    scan(["."], {"file_timeout": 0.2}, (), tools(tmp_path, analysed))

    assert analysed == ["a.py", "b.py"]


def test_a_cache_folder_is_shared_and_private(tmp_path: Path) -> None:
    Path("a.py").write_text("BUG\n")
    shared = tmp_path / "shared"
    shared.mkdir(mode=0o755)

    def cached() -> str:
        return invoke(
            tmp_path, "analyze", "--path", ".", "--cache-dir", str(shared), scanning=Tools(make=Marker)
        ).stdout

    assert "unchanged" not in cached()
    assert "(1 unchanged since an earlier scan)" in cached()
    if sys.platform != "win32":
        assert [oct(folder.stat().st_mode & 0o777) for folder in (shared, shared / "closeread")] == ["0o755", "0o700"]
