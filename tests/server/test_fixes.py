"""Fixes for reports: of findings that may come from the cache, tried on the files as they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from closeread.fixes import verified
from closeread.mending import BadQuestion, mend
from closeread.settings import Settings
from closeread.why import ask
from closeread.workspace.files import Workspace
from closeread_analyzers.pipeline import Project


def test_by_fingerprint_and_only_where_something_surely_mends(tmp_path: Path) -> None:
    text = (
        "import pickle\nimport yaml\n\n\ndef f(path, a):\n    with open(path) as file:\n        b = yaml.load(file)\n"
    )
    (tmp_path / "app.py").write_text(text + "    return b if a == None else eval(input())\n")
    workspace = Workspace(tmp_path, Settings())
    findings = Project(workspace).analyze("app.py").findings
    fixes = verified(workspace, findings)
    named = {finding.rule: fixes[finding.fingerprint].title for finding in findings if finding.fingerprint in fixes}

    assert {"unsafe-yaml-load": "Read it with safe_load", "none-comparison": "Compare by identity"} == named


STORE = "import yaml\n\n\ndef read(text):\n    return yaml.load(text, Loader=yaml.Loader)\n"
WEB = "import flask\nfrom middle import use\n\n\ndef view():\n    return use(flask.request.data)\n"
MIDDLE = "import store\n\n\ndef use(text):\n    return store.read(text)\n"


@pytest.fixture
def three_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A flow that begins two files away from where it ends."""
    for name, text in (("store", STORE), ("middle", MIDDLE), ("web", WEB)):
        (tmp_path / f"{name}.py").write_text(text)
    (tmp_path / "closeread.toml").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_of_a_flow_from_another_file(three_files: Path) -> None:
    workspace = Workspace(three_files, Settings())
    (finding,) = [f for f in Project(workspace).analyze("web.py").findings if f.rule == "unsafe-deserialization"]
    fix = verified(workspace, [finding])[finding.fingerprint]

    assert (finding.location.path, fix.path) == ("store.py", "store.py")
    assert b"return yaml.safe_load(text)" in fix.applied(STORE.encode())


def test_mend_and_why_know_it_too(three_files: Path) -> None:
    mended = mend("store.py:5", "unsafe-deserialization")

    assert mended.patch is not None
    assert "+    return yaml.safe_load(text)\n" in mended.patch
    assert "unsafe-deserialization" in ask("store.py:5").verdict
    with pytest.raises(BadQuestion, match="there is no finding of sql-injection on line 5"):
        mend("store.py:5", "sql-injection")


def test_a_file_that_changed_since_has_none(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def f(a):\n    return 1 if a == None else 0\n")
    findings = Project(Workspace(tmp_path, Settings())).analyze("app.py").findings
    (tmp_path / "app.py").write_text("def f(a):\n    return 1 if a is None else 0\n")

    assert len(findings) == 1
    assert {} == verified(Workspace(tmp_path, Settings()), findings)
