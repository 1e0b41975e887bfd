"""The server as the .vsix carries it: a folder that Python runs, isolated, with nothing installed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from invariants.sources import ANALYZERS, SERVER

VSCODE = Path(__file__).parents[2] / "editors" / "vscode"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has no package at all."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    return folder / "bin" / "python"


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder as `bundle.py` lays it out, with the dependencies of this environment instead of downloaded ones."""
    folder = tmp_path_factory.mktemp("carried") / "bundled"
    site = next(Path(path) for path in sys.path if path.endswith("site-packages"))
    ignored = shutil.ignore_patterns(
        "__pycache__", "*.pth", "_editable_*", "pytest*", "mypy*", "ruff*", "pip", "closeread*"
    )
    shutil.copytree(site, folder, ignore=ignored, symlinks=True)
    for package in (SERVER, ANALYZERS):
        shutil.copytree(package, folder / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(VSCODE / "bundled.py", folder / "__main__.py")
    return folder


def test_workers_start_from_the_same_folder(bare: Path, bundled: Path, tmp_path: Path) -> None:
    for number in range(40):
        lines = [f"def f{line}(a=[]):\n    a.append(1)\n    return a\n" for line in range(20)]
        (tmp_path / f"m{number}.py").write_text("\n".join(lines))
    command = [bare, "-I", bundled, "analyze", "--path", tmp_path, "--format", "json", "--strict"]
    command += ["--output", tmp_path / "report.json"]
    (tmp_path / "closeread.toml").write_text("cache = false\njobs = 2\n")
    ran = subprocess.run(command, cwd="/", capture_output=True, text=True, check=False)

    assert ran.returncode == 0, ran.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report["findings"]) >= 40 * 20


def test_a_child_is_run_by_the_folder(bare: Path, bundled: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); from closeread.platform_ import _runnable; print(_runnable('x.y'))"
    ran = subprocess.run([bare, "-I", "-c", code, bundled], cwd="/", capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == str([str(bundled), "-m", "x.y"])


def test_nothing_else_is_imported_than_what_it_carries(bare: Path, bundled: Path, tmp_path: Path) -> None:
    for name in ("json.py", "typer.py", "sitecustomize.py", "closeread.py"):
        (tmp_path / name).write_text("raise SystemExit('imported from the workspace')")
    ran = subprocess.run(
        [bare, "-I", bundled, "rules", "--json"], cwd=tmp_path, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert len(json.loads(ran.stdout)) > 50
