"""What `ci/` hands out: the files parse, and the scripts in them run as their runners would run them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from hostile.test_git import WHO, git
from needs import installed, program

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


@pytest.mark.parametrize(
    ("schema", "path"),
    [("gitlab-ci", "ci/gitlab/closeread.gitlab-ci.yml"), ("github-actions", "ci/github/action.yml")],
)
def test_each_is_valid_by_its_published_schema(schema: str, path: str) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(ROOT / path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)

    assert done.returncode == 0, done.stdout


def test_the_image_by_hadolint() -> None:
    """Its rules are read; that the image builds is not tried here, for it needs a base image from a registry."""
    hadolint = installed(Path(__file__).with_name("install-validators"), "make validators") / "hadolint"
    done = subprocess.run([hadolint, ROOT / "ci/image/Dockerfile"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "")


def pre_commit(top: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    mine = {
        "PATH": path,
        "PRE_COMMIT_HOME": str(top.parent / "pre-commit"),
        "PIP_NO_INDEX": "1",
        "HOME": str(top.parent),
    }
    command = [sys.executable, "-m", "pre_commit", *arguments]
    return subprocess.run(
        command, cwd=top, env={**os.environ, **WHO, **mine}, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_pre_commit_framework_takes_the_hook_and_stops_a_commit(top: Path, tmp_path: Path) -> None:
    """The real framework, and a clone of a repository with our manifest.

    It would build the hook's environment from a package index; here the one of the tests is used (`language: system`).
    """
    assert pre_commit(top, "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")).returncode == 0
    ours = tmp_path / "closeread"
    ours.mkdir()
    git(ours, "init", "-q")
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", ours)
    git(ours, "add", "-A")
    git(ours, "commit", "-qm", "manifest")
    hook = {"id": "closeread", "language": "system"}
    repo = {"repo": str(ours), "rev": git(ours, "rev-parse", "HEAD"), "hooks": [hook]}
    (top / ".pre-commit-config.yaml").write_text(yaml.safe_dump({"repos": [repo]}))
    git(top, "add", ".pre-commit-config.yaml")
    git(top, "commit", "-qm", "config")
    (top / "new.py").write_text(BAD)
    (top / "good.py").write_text("x = 1\n")
    git(top, "add", "good.py")
    good = pre_commit(top, "run")
    git(top, "add", "new.py")
    bad = pre_commit(top, "run")

    assert (good.returncode, bad.returncode) == (0, 1), good.stdout + good.stderr + bad.stdout + bad.stderr
    assert "closeread" in good.stdout and "Passed" in good.stdout
    assert "new.py:4:5" in bad.stdout
    assert "the commit is stopped: it would bring 1 finding" in bad.stdout


def test_each_says_how_to_cache() -> None:
    for path in ("ci/gitlab/closeread.gitlab-ci.yml", "ci/github/action.yml", "ci/image/Dockerfile"):
        assert "# Caching: " in (ROOT / path).read_text("utf-8")
