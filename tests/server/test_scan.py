from __future__ import annotations

import dataclasses
import time
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from closeread.reports import Report
from closeread.scan import Scan, Tools, scan
from closeread.workspace.files import Workspace
from closeread_analyzers.finding import Confidence, FileResult, Severity
from server.fake import Marker, tools


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def write(**texts: str) -> None:
    for name, text in texts.items():
        path = Path(name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def run(
    tmp_path: Path, *paths: str, changes: Mapping[str, Any] | None = None, analysed: list[str] | None = None
) -> Scan:
    return scan(paths or (".",), changes or {}, (), tools(tmp_path, analysed))


def places(report: Report) -> list[str]:
    return [f"{finding.location.path}:{finding.location.start_line}" for finding in report.findings]


def test_paths_are_those_of_the_current_folder(tmp_path: Path) -> None:
    write(src__app="x\nBUG", src__sub__b="BUG", top="BUG")
    Path(".git").mkdir()

    assert places(run(tmp_path, "./src").report) == ["src/app.py:2", "src/sub/b.py:1"]
    assert places(run(tmp_path, "src/app.py", "top.py").report) == ["src/app.py:2", "top.py:1"]
    assert [step.location.path for step in run(tmp_path, "src").report.findings[0].trace] == ["src/app.py"] * 2


def test_paths_above_the_current_folder_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(src__app="BUG", other__b="BUG")
    monkeypatch.chdir("other")

    assert places(run(tmp_path, "../src", ".").report) == [f"{tmp_path}/work/src/app.py:1", "b.py:1"]


def test_a_project_inside_another_is_scanned_once(tmp_path: Path) -> None:
    write(a="BUG", inner__b="BUG")
    Path("inner/closeread.toml").write_text('min-severity = "critical"\n')

    assert places(run(tmp_path, "inner", ".").report) == ["a.py:1"]
    assert places(run(tmp_path, ".", "inner").report) == ["a.py:1", "inner/b.py:1"]


def test_findings_are_in_order_of_path_line_and_rule(tmp_path: Path) -> None:
    write(b="BUG\nREMARK BUG\n", a="\nBUG")

    found = [(f.location.path, f.location.start_line, f.rule) for f in run(tmp_path).report.findings]
    assert found == sorted(found)
    assert len(found) == 4


def test_a_flow_that_two_files_see_is_one_finding(tmp_path: Path) -> None:
    class Echo(Marker):
        """Also reports what is in b.py when asked for a.py."""

        def analyze(self, path: str, cancelled: Callable[[], bool]) -> FileResult:
            result = super().analyze(path, cancelled)
            extra = super().analyze("b.py", cancelled).findings if path == "a.py" else ()
            return dataclasses.replace(result, findings=result.findings + extra)

    write(a="BUG", b="BUG\nBUG")
    report = scan(["."], {}, (), Tools(make=Echo, cache_folder=tmp_path / "c")).report

    assert places(report) == ["a.py:1", "b.py:1", "b.py:2"]


def test_thresholds_hide_and_count(tmp_path: Path) -> None:
    write(a="BUG\nCRITICAL\nREMARK\nIGNORED\n")

    def count(**changes: Any) -> tuple[int, int, int]:
        report = run(tmp_path, changes=changes).report
        return len(report.findings), report.hidden, len(report.suppressed)

    assert count() == (3, 0, 1)
    assert count(min_severity=Severity.HIGH) == (2, 1, 1)
    assert count(min_severity=Severity.CRITICAL) == (1, 2, 1)
    assert count(min_confidence=Confidence.HIGH) == (0, 3, 1)
    assert count(remarks=False) == (2, 1, 1)
    assert count(disable=("sql-injection",)) == (1, 2, 1)


def test_the_gate_is_about_vulnerabilities_that_are_shown(tmp_path: Path) -> None:
    write(a="BUG\nREMARK\nIGNORED\n")

    assert run(tmp_path, changes={"fail_on": Severity.LOW}).gate == 1
    assert run(tmp_path, changes={"fail_on": Severity.CRITICAL}).gate == 0
    assert run(tmp_path, changes={"fail_on": Severity.LOW, "min_confidence": Confidence.HIGH}).gate == 0


def test_an_unknown_rule_in_disable_is_named(tmp_path: Path) -> None:
    write(a="x")
    Path("closeread.toml").write_text('disable = ["sql-injektion"]\n')

    (problem,) = run(tmp_path).report.problems
    assert problem.message == "`disable` names an unknown rule, `sql-injektion`; did you mean `sql-injection`?"


def test_what_is_unchanged_is_not_analysed_again(tmp_path: Path) -> None:
    write(a="BUG", b="BUG\nIGNORED\nREMARK\nSYNTAX\n", c="x")
    first: list[str] = []
    second: list[str] = []
    before = run(tmp_path, analysed=first).report
    after = run(tmp_path, analysed=second).report

    assert sorted(first) == ["a.py", "b.py", "c.py"]
    assert second == []
    assert (before.cached, after.cached) == (0, 3)
    assert (before.findings, before.suppressed, before.problems, before.lines) == (
        after.findings,
        after.suppressed,
        after.problems,
        after.lines,
    )


def test_an_edit_redoes_the_file_and_what_rests_on_it(tmp_path: Path) -> None:
    write(a="import b\nBUG", b="x = 1", c="BUG")
    run(tmp_path)
    write(b="x = 2")
    analysed: list[str] = []
    run(tmp_path, analysed=analysed)

    assert analysed == ["a.py", "b.py"]


def test_a_file_that_appears_or_goes_redoes_what_looked_for_it(tmp_path: Path) -> None:
    write(a="import b\nBUG", c="BUG")
    run(tmp_path)
    write(b="x = 1")
    appeared: list[str] = []
    run(tmp_path, analysed=appeared)
    Path("b.py").unlink()
    gone: list[str] = []
    run(tmp_path, analysed=gone)

    assert appeared == ["a.py", "b.py"]
    assert gone == ["a.py"]


def test_no_cache_neither_reads_nor_writes(tmp_path: Path) -> None:
    write(a="BUG")
    run(tmp_path)
    analysed: list[str] = []
    run(tmp_path, changes={"cache": False}, analysed=analysed)

    assert analysed == ["a.py"]


def test_a_failure_is_not_remembered(tmp_path: Path) -> None:
    write(a="RAISE", b="x\n")
    run(tmp_path)
    analysed: list[str] = []
    run(tmp_path, analysed=analysed)

    assert analysed == ["a.py"]


def test_a_warning_of_reading_is_not_remembered_with_the_text(tmp_path: Path) -> None:
    Path("a.py").write_bytes("# caf\xe9 BUG\n".encode("latin-1"))
    before = run(tmp_path).report
    Path("a.py").write_bytes("# caf\xe9 BUG\n".encode())
    analysed: list[str] = []
    after = run(tmp_path, analysed=analysed).report

    assert [problem.kind for problem in before.problems] == ["encoding"]
    assert (after.problems, analysed) == ((), [])
    assert before.findings == after.findings


def test_a_cache_that_lies_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(a="BUG")
    run(tmp_path)
    for lie in (b"", b"[]", b"{}", b'{"path": "b.py"}', b"\xff", zlib.compress(b"[" * 100_000), zlib.compress(b"{}")):
        monkeypatch.setattr("closeread.store.Store.get_many", lambda self, keys, lie=lie: dict.fromkeys(keys, lie))
        assert places(run(tmp_path).report) == ["a.py:1"]


def test_a_broken_cache_is_one_warning(tmp_path: Path) -> None:
    write(a="BUG")
    (tmp_path / "cache").write_text("a file where the folder should be")
    result = run(tmp_path)

    assert places(result.report) == ["a.py:1"]
    assert len(result.warnings) == 1


def test_a_path_that_does_not_exist_loses_nothing_else(tmp_path: Path) -> None:
    write(a="BUG")
    report = run(tmp_path, "nowhere", "a.py").report

    assert places(report) == ["a.py:1"]
    assert [(p.path, p.message) for p in report.problems] == [("nowhere", "There is no such file or folder.")]
    assert report.failed


def test_nothing_to_analyse_is_said(tmp_path: Path) -> None:
    Path("README.md").write_text("x")

    (problem,) = run(tmp_path).report.problems
    assert problem.message.startswith("Nothing to analyse in ")


def test_an_analysis_that_fails_everywhere_is_a_failed_scan(tmp_path: Path) -> None:
    write(a="RAISE", b="RAISE")

    assert run(tmp_path).report.failed
    write(b="x\n")
    assert not run(tmp_path).report.failed


def test_progress_ends_at_the_total(tmp_path: Path) -> None:
    write(a="x", b="x", c="x")
    seen: list[tuple[int, int]] = []
    scan(["."], {}, (), Tools(make=Marker, cache_folder=tmp_path / "c", progress=lambda *now: seen.append(now)))

    assert seen[0] == (0, 3)
    assert seen[-1] == (3, 3)
    assert seen == sorted(seen)


def test_a_second_scan_of_a_tree_is_ten_times_faster(tmp_path: Path) -> None:
    for number in range(60):
        write(**{f"p{number % 7}__f{number}": "SLOW\nBUG\n"})
    started = time.perf_counter()
    run(tmp_path, changes={"jobs": 1})
    first = time.perf_counter() - started
    started = time.perf_counter()
    run(tmp_path, changes={"jobs": 1})
    second = time.perf_counter() - started

    assert first > 10 * second, (first, second)


def test_a_file_that_goes_while_the_scan_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(a="BUG", b="BUG")
    listing = Workspace.sources

    def then_gone(self: Workspace, under: Any = ()) -> Any:
        found = listing(self, under)
        Path("a.py").unlink()
        return found

    monkeypatch.setattr(Workspace, "sources", then_gone)
    report = run(tmp_path).report

    assert places(report) == ["b.py:1"]
    assert [(p.path, p.message) for p in report.problems] == [("a.py", "The file has gone since the scan began.")]
