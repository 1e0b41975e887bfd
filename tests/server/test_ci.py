"""What `ci/` hands out: the files parse, and the scripts in them run as their runners would run them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostile.test_git import git
from needs import program

ROOT = Path(__file__).parents[2]
BAD = "import os, flask\n\ndef view():\n    os.system(flask.request.args['x'])\n"

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the runners' scripts are shell scripts")


@pytest.fixture
def top(tmp_path: Path) -> Path:
    program("jq", "apt install jq")
    top = tmp_path / "work"
    top.mkdir()
    git(top, "init", "-q")
    (top / "old.py").write_text(BAD)
    git(top, "add", "-A")
    git(top, "commit", "-qm", "first")
    return top


def load(name: str) -> Any:
    return yaml.safe_load((ROOT / "ci" / name).read_text("utf-8"))


def run(top: Path, script: str, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "XDG_CACHE_HOME": str(top.parent / "cache"), **variables}
    return subprocess.run(
        ["bash", "-ec", script], cwd=top, env=environment, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_job_of_the_gitlab_template(top: Path) -> None:
    template = load("gitlab/closeread.gitlab-ci.yml")
    job = template["closeread"]
    script = "\n".join(job["script"])
    base = git(top, "rev-parse", "HEAD")
    whole = run(top, script, **template["variables"])
    change = run(top, script, **template["variables"], CI_MERGE_REQUEST_DIFF_BASE_SHA=base)
    (top / "new.py").write_text(BAD)
    worse = run(top, script, **template["variables"], CI_MERGE_REQUEST_DIFF_BASE_SHA=base)

    assert (whole.returncode, change.returncode, worse.returncode) == (1, 0, 1), whole.stderr + change.stderr
    assert [v["location"]["file"] for v in json.loads((top / "report.json").read_text())["vulnerabilities"]] == [
        "new.py"
    ]
    assert {path for path in job["artifacts"]["paths"] if not (top / path).exists()} == set()
    assert (top / job["cache"]["paths"][0] / "closeread").is_dir()


def test_the_scan_of_the_github_action(top: Path, tmp_path: Path) -> None:
    action = load("github/action.yml")
    steps = action["runs"]["steps"]
    (scan,) = [step for step in steps if step.get("id") == "scan"]
    runner = tmp_path / "runner"
    (runner / "closeread").mkdir(parents=True)
    (runner / "closeread/bin").symlink_to(Path(sys.executable).parent)
    (top / "old.py").write_text(BAD + "# a line\n")
    (top / "kept.py").write_text(BAD.replace("\n    os", "\n    # closeread: ignore[command-injection] ours\n    os"))
    (top / "evil.py").write_text(BAD)
    files = {"GITHUB_OUTPUT": str(tmp_path / "output"), "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
    inputs = {"WANTED_PATH": ".", "FAIL_ON": "high", "OPTIONS": "", "BASE": git(top, "rev-parse", "HEAD")}
    done = run(top, scan["run"], RUNNER_TEMP=str(runner), **files, **inputs)
    results = json.loads((runner / "closeread-upload.sarif").read_text())["runs"][0]["results"]

    assert done.returncode == 0, done.stderr
    assert (tmp_path / "output").read_text() == "code=1\n"
    assert done.stdout.startswith("::error file=evil.py,line=4,")
    assert [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results] == ["evil.py"]
    assert "1 finding (1 critical)" in (tmp_path / "summary").read_text()
    assert "${{" not in scan["run"]  # what a branch is called is never part of a script


def test_the_hook_of_the_pre_commit_framework() -> None:
    (hook,) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text("utf-8"))

    assert (hook["id"], hook["entry"], hook["language"], hook["pass_filenames"]) == (
        "closeread",
        "closeread hook",
        "python",
        False,
    )


def test_each_says_how_to_cache() -> None:
    for path in ("ci/gitlab/closeread.gitlab-ci.yml", "ci/github/action.yml", "ci/image/Dockerfile"):
        assert "# Caching: " in (ROOT / path).read_text("utf-8")
