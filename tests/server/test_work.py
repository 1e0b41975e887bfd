from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path

import pytest

from closeread import platform_, work
from closeread.settings import Settings
from closeread.workspace.files import Workspace
from closeread_analyzers.finding import Problem
from server.fake import Marker

LARGE = "x = [" + "1," * 1_000_000 + "]\n"
"""A hundred times its size, as a tree."""

FAKE_WORKER = Path(__file__).parent / "fake_worker.py"


@contextlib.contextmanager
def fake_child() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, str(FAKE_WORKER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        platform_.stop(process)
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()


@contextlib.contextmanager
def still_born() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        [sys.executable, "-c", "raise SystemExit(3)"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    try:
        yield process
    finally:
        platform_.stop(process)
        assert process.stdin is not None and process.stdout is not None
        with contextlib.suppress(OSError):
            process.stdin.close()
        process.stdout.close()


def project(root: Path, texts: dict[str, str], **settings: object) -> Workspace:
    for path, text in texts.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Workspace(root, Settings(**settings))  # type: ignore[arg-type]


def outcomes(workspace: Workspace, paths: list[str], spawn: work.Spawn = fake_child) -> dict[str, str]:
    """Per path: how many findings, or what the problem was."""
    found = {}
    for outcome in work.analyze(workspace, paths, make=Marker, spawn=spawn):
        result = outcome.result
        assert result.path not in found
        found[result.path] = ", ".join(f"{p.kind}" for p in result.problems) or str(len(result.findings))
    return found


@pytest.mark.parametrize("jobs", [1, 3])
def test_every_file_once(tmp_path: Path, jobs: int) -> None:
    texts = {f"p{n % 5}/f{n}.py": "BUG\n" * (n % 3) for n in range(60)}
    workspace = project(tmp_path, texts, jobs=jobs)

    expected = {path: str(text.count("BUG")) for path, text in texts.items()}
    assert outcomes(workspace, sorted(texts)) == expected


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_failure_costs_one_file(tmp_path: Path, jobs: int) -> None:
    texts = {f"f{n:02}.py": "BUG\n" for n in range(20)} | {"f07.py": "RAISE\n", "f11.py": "HANG\n"}
    workspace = project(tmp_path, texts, jobs=jobs, file_timeout=0.2)

    expected = dict.fromkeys(texts, "1") | {"f07.py": "crash", "f11.py": "timeout"}
    assert outcomes(workspace, sorted(texts)) == expected


def test_a_worker_that_dies_costs_one_file(tmp_path: Path) -> None:
    texts = {f"f{n:02}.py": "BUG\n" for n in range(40)} | {"f05.py": "DIE\n", "f06.py": "DIE\n", "f39.py": "DIE\n"}
    workspace = project(tmp_path, texts, jobs=2)

    expected = dict.fromkeys(texts, "1") | dict.fromkeys(("f05.py", "f06.py", "f39.py"), "crash")
    assert outcomes(workspace, sorted(texts)) == expected


def test_a_worker_that_is_stuck_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "_GRACE_SECONDS", 0.3)
    texts = {f"f{n:02}.py": "BUG\n" for n in range(6)} | {"f02.py": "STUCK\n"}
    workspace = project(tmp_path, texts, jobs=2, file_timeout=0.3)

    expected = dict.fromkeys(texts, "1") | {"f02.py": "timeout"}
    assert outcomes(workspace, sorted(texts)) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to so much memory")
def test_memory_that_a_worker_may_not_have_costs_the_file_that_takes_it(tmp_path: Path) -> None:
    texts = {f"f{n:02}.py": "BUG\n" for n in range(40)} | {"f05.py": "EAT\n"}
    workspace = project(tmp_path, texts, jobs=2, worker_memory=400)
    (problem,) = (
        problem
        for outcome in work.analyze(workspace, sorted(texts), make=Marker, spawn=fake_child)
        for problem in outcome.result.problems
    )

    assert problem == Problem(
        "f05.py",
        0,
        "Not analysed: it takes more memory than a process may have (`worker-memory`, 400 MB).",
        "crash",
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to so much memory")
def test_a_worker_that_many_files_have_filled_is_replaced_and_none_of_them_is_to_blame(tmp_path: Path) -> None:
    texts = {f"f{n:02}.py": "BUG HOARD\n" for n in range(40)}
    workspace = project(tmp_path, texts, jobs=2, worker_memory=400)

    assert outcomes(workspace, sorted(texts)) == dict.fromkeys(texts, "1")


def test_a_worker_that_dies_later_than_at_its_first_file_proves_nothing(tmp_path: Path) -> None:
    """As where the files before have filled it: this one dies at whatever is its third."""
    texts = {f"f{n:02}.py": "BUG THIRD\n" for n in range(40)}
    workspace = project(tmp_path, texts, jobs=2)

    assert outcomes(workspace, sorted(texts)) == dict.fromkeys(texts, "1")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux keeps a process to so much memory")
def test_a_file_too_large_for_a_real_worker_is_reported(tmp_path: Path) -> None:
    texts = {"a.py": "assert (1, 2)\n", "b.py": LARGE, "c.py": "assert (1, 2)\n"}
    workspace = project(tmp_path, texts, worker_memory=400)
    found = {outcome.result.path: outcome.result for outcome in work.analyze(workspace, sorted(texts), apart=True)}

    assert [len(found[path].findings) for path in ("a.py", "c.py")] == [1, 1]
    assert [problem.kind for problem in found["b.py"].problems] == ["crash"]


def test_where_no_worker_starts_all_is_done_here(tmp_path: Path) -> None:
    texts = {f"f{n:02}.py": "BUG\n" for n in range(50)}
    workspace = project(tmp_path, texts, jobs=2)

    assert outcomes(workspace, sorted(texts), still_born) == dict.fromkeys(texts, "1")


@pytest.mark.parametrize("jobs", [1, 2])
def test_cancelling_stops_it_all(tmp_path: Path, jobs: int) -> None:
    texts = {f"f{n:03}.py": "SLOW\n" for n in range(400)}
    workspace = project(tmp_path, texts, jobs=jobs)
    started = time.monotonic()
    seen: list[str] = []
    with pytest.raises(work.Cancelled):
        for outcome in work.analyze(
            workspace, sorted(texts), make=Marker, spawn=fake_child, cancelled=lambda: len(seen) >= 3
        ):
            seen.append(outcome.result.path)

    assert 3 <= len(seen) < 100
    assert time.monotonic() - started < 10


def test_each_worker_gets_files_that_have_folders_in_common(tmp_path: Path) -> None:
    texts = {f"{name}/{part}/f{n}.py": "x = 1\n" for name in "abc" for part in "xy" for n in range(4)}
    texts |= {f"c/z/f{n}.py": "x = 1\n" for n in range(2)}
    workspace = project(tmp_path, texts)

    def shares(jobs: int) -> list[set[str]]:
        pool = work._Pool(workspace, sorted(texts), jobs, still_born)
        return [{path[0] for batch in lane.batches for path in batch} for lane in pool.lanes]

    assert shares(2) == [{"a", "b"}, {"c"}]
    assert shares(3) == [{"a"}, {"b"}, {"c"}]


def test_the_real_worker_starts_isolated_and_answers(tmp_path: Path) -> None:
    """Run in a folder whose modules would break it, were they imported."""
    for name in ("json.py", "closeread.py", "multiprocessing.py", "sitecustomize.py"):
        (tmp_path / name).write_text("open('executed', 'w'); raise SystemExit(9)\n")
    workspace = project(tmp_path, {"a.txt": "x = 1\n", "b.txt": "x = 1\n"}, jobs=2)
    with work.spawn_worker() as process:
        lane = work._Lane(work._Pool(workspace, ["a.txt", "b.txt"], 2, work.spawn_worker), deque())
        assert lane.greet(process)

    assert not (tmp_path / "executed").exists()


def test_nesting_that_exhausts_the_stack_is_a_crash_of_that_file(tmp_path: Path) -> None:
    class Deep(Marker):
        def analyze(self, path: str, cancelled: object) -> object:  # type: ignore[override]
            return self.analyze(path, cancelled)

    workspace = project(tmp_path, {"a.py": "x = 1\n"}, jobs=1)
    (outcome,) = work.analyze(workspace, ["a.py"], make=Deep)  # type: ignore[arg-type]

    assert [problem.kind for problem in outcome.result.problems] == ["crash"]
