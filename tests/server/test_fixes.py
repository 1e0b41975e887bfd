"""Fixes for reports: of findings that may come from the cache, tried on the files as they are."""

from __future__ import annotations

from pathlib import Path

from closeread.fixes import verified
from closeread.settings import Settings
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


def test_a_file_that_changed_since_has_none(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("def f(a):\n    return 1 if a == None else 0\n")
    findings = Project(Workspace(tmp_path, Settings())).analyze("app.py").findings
    (tmp_path / "app.py").write_text("def f(a):\n    return 1 if a is None else 0\n")

    assert len(findings) == 1
    assert {} == verified(Workspace(tmp_path, Settings()), findings)
