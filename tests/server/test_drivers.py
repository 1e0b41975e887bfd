"""The editor and CI say the same of one program: two drivers, one pipeline."""

from __future__ import annotations

from pathlib import Path

import pytest

from closeread.results import Tools
from closeread.scan import scan
from closeread.session import Session
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
    session.scanned_whole(tmp_path)
    shown = [finding for name in order for finding in session.analyze(tmp_path / name, scan=True)[1].findings]

    assert described(list(report.findings)) == described(shown)
    assert {"command-injection", "sql-injection"} <= {f.rule for f in shown if f.location.path == "shop/run.py"}
