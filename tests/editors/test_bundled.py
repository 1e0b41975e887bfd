"""The server as the .vsix carries it: a folder that Python runs, isolated, with nothing installed."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any
from zipfile import ZipFile

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


@pytest.fixture(scope="module")
def bundle() -> Any:
    """The script that builds the folder."""
    spec = importlib.util.spec_from_file_location("bundle", VSCODE / "bundle.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def wheel(folder: Path, tag: str, source: str) -> Path:
    """A wheel with a source and what was compiled of it."""
    made = folder / f"closeread-0.1.0-cp311-cp311-{tag}.whl"
    with ZipFile(made, "w") as archive:
        archive.writestr("closeread_analyzers/ir.py", source)
        archive.writestr("closeread_analyzers/ir.cpython-311-machine.so", "compiled")
        archive.writestr("closeread_analyzers__mypyc.cpython-311-machine.so", "compiled")
        archive.writestr("closeread/cli.py", "never taken")
    return made


@pytest.mark.parametrize(
    ("tag", "source", "taken"),
    [
        ("manylinux_2_17_x86_64.manylinux2014_x86_64", "same", True),
        ("manylinux_2_17_x86_64", "older", False),
        ("manylinux_2_17_aarch64", "same", False),
        ("win_amd64", "same", False),
    ],
)
def test_compiled_modules_are_taken_for_their_platform_and_of_the_same_sources(
    bundle: Any, tmp_path: Path, tag: str, source: str, taken: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "bundled"
    (folder / "closeread_analyzers").mkdir(parents=True)
    (folder / "closeread_analyzers" / "ir.py").write_text("same")
    bundle.add_compiled("linux-x64", [wheel(tmp_path, tag, source)], folder)
    found = sorted(str(path.relative_to(folder)) for path in folder.rglob("*.so"))

    assert found == (
        ["closeread_analyzers/ir.cpython-311-machine.so", "closeread_analyzers__mypyc.cpython-311-machine.so"]
        if taken
        else []
    )
    assert not (folder / "closeread").exists()
    assert ("is left out: it was made of another closeread_analyzers/ir.py" in capsys.readouterr().out) == (
        source == "older"
    )
