"""The editor and CI say the same of one program: two drivers, one pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from closeread.folder import Folder
from closeread.remembered import Shared
from closeread.results import Tools
from closeread.scan import scan
from closeread.session import ProjectLike, Session
from closeread.store import Store
from closeread_analyzers.finding import Finding

PROGRAM = {
    "shop/__init__.py": "",
    "shop/run.py": """
import os
import subprocess

def shell(command):
    os.system(command); subprocess.run(command, shell=True)

def lookup(cursor, name):
    cursor.execute("SELECT * FROM things WHERE name = '" + name + "'")
""",
    "shop/views.py": """
import sqlite3
from flask import Flask, request
from . import run

app = Flask(__name__)

@app.route("/ping")
def ping():
    run.shell("ping " + request.args["host"])
    run.lookup(sqlite3.connect("x").cursor(), request.args["name"])
    return "<p>" + request.args["host"]
""",
    "shop/tool.py": """
import sys
from .run import shell

def main():
    shell(sys.argv[1])
    assert sys.argv  # closeread: ignore[no-such-rule]

def late(items=[]):
    try:
        shell(input())
    except:
        pass
""",
}


def described(findings: list[Finding]) -> list[str]:
    return sorted(
        repr((f.location, f.rule, f.severity, f.confidence, f.message, f.fingerprint, f.trace)) for f in findings
    )


@pytest.mark.parametrize("order", [sorted(PROGRAM), sorted(PROGRAM, reverse=True)])
def test_the_editor_and_a_scan_find_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: list[str]) -> None:
    for name, text in PROGRAM.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    report = scan(["."], {"cache": False}, (), Tools(cache_folder=tmp_path / "cache")).report
    session = Session()
    session.add_folder(tmp_path)
    for name in order:
        session.analyze(tmp_path / name, scan=True)
    session.scanned_whole(tmp_path, order)
    shown = [finding for name in order for finding in session.analyze(tmp_path / name, scan=True)[1].findings]

    assert described(list(report.findings)) == described(shown)
    assert {"command-injection", "sql-injection"} <= {f.rule for f in shown if f.location.path == "shop/run.py"}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "program"
    for name, text in PROGRAM.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    monkeypatch.chdir(root)
    return root


def no_project(folder: Folder) -> ProjectLike:
    raise AssertionError("nothing was to be analysed")


def test_what_ci_scanned_the_editor_reads(program: Path, tmp_path: Path) -> None:
    report = scan(["."], {}, (), Tools(cache_folder=tmp_path / "cache")).report
    store = Store(tmp_path / "cache")
    session = Session(no_project, memory=Shared(lambda: store))
    session.add_folder(program)
    for name in PROGRAM:
        session.open(program / name, 0, PROGRAM[name].encode())
        session.analyze(program / name, glance=True)
    shown = [finding for name in PROGRAM for finding in session.analyze(program / name, glance=True)[1].findings]
    expected = [finding for finding in report.findings if finding.rule != "unused-suppression"]

    assert described(expected) == described(shown)
    assert {"command-injection", "sql-injection"} <= {finding.rule for finding in shown}


def test_what_the_editor_found_ci_reads(program: Path, tmp_path: Path) -> None:
    """Of texts that are on disk; what is only typed is nobody's business."""
    views, tool = program / "shop/views.py", program / "shop/tool.py"
    store = Store(tmp_path / "cache")
    session = Session(memory=Shared(lambda: store))
    session.add_folder(program)
    session.open(views, 0, views.read_bytes())
    session.open(tool, 0, tool.read_bytes() + b"x = 1\n")
    for path in (views, tool):
        session.analyze(path)
    store.close()
    report = scan(["."], {}, (), Tools(cache_folder=tmp_path / "cache")).report

    assert report.cached == 1
    assert "command-injection" in {finding.rule for finding in report.findings}


def test_what_rests_on_something_else_is_not_recalled(program: Path, tmp_path: Path) -> None:
    """A helper that was typed over, and a file that was edited since: both are analysed anew, whole at the first glance."""
    scan(["."], {}, (), Tools(cache_folder=tmp_path / "cache"))
    store = Store(tmp_path / "cache")
    session = Session(memory=Shared(lambda: store))
    session.add_folder(program)
    views, run = program / "shop/views.py", program / "shop/run.py"
    session.open(run, 0, b"def shell(command):\n    pass\n\ndef lookup(cursor, name):\n    pass\n")
    session.open(views, 0, views.read_bytes())
    harmless = session.analyze(views, glance=True)[1].findings
    session.close(run)
    session.edit(views, 1, views.read_bytes() + b"\n", [(0, 0, 0)])
    edited = session.analyze(views, glance=True)[1].findings
    at_last = session.analyze(views)[1].findings

    assert "cross-site-scripting" in {finding.rule for finding in harmless}
    assert described(list(at_last)) == described(list(edited))
