"""The session in-process, over a small analysis of its own and over the real one."""

from __future__ import annotations

import gc
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import pytest

from closeread.session import Analysis, Cancelled, Folder, Session
from closeread_analyzers.finding import Confidence, FileResult, Finding, Location, Severity
from closeread_analyzers.pipeline import Files


class Words:
    """Finds the word `bad`; a line `into NAME` is a flow that ends in the first line of another file."""

    made: list[Words] = []

    def __init__(self, files: Files) -> None:
        self.files = files
        self.changed: list[tuple[str, list[tuple[int, int, int]]]] = []
        self.analysed: list[str] = []
        self.rests_on: dict[str, set[str]] = {}
        Words.made.append(self)

    def change(self, path: str, edits: Iterable[tuple[int, int, int]] = ()) -> None:
        self.changed.append((path, list(edits)))

    def dependents(self, path: str) -> frozenset[str]:
        return frozenset(other for other, used in self.rests_on.items() if path in used)

    def analyze(self, path: str, cancelled: Callable[[], bool] = lambda: False) -> FileResult:
        if cancelled():
            raise Cancelled
        self.analysed.append(path)
        text = (self.files.read(path) or b"").decode()
        if "for ever" in text:
            while not cancelled():
                pass
            raise Cancelled
        targets = re.findall(r"into (\S+)", text)
        self.rests_on[path] = set(targets)
        places = [(path, number) for number, line in enumerate(text.split("\n"), 1) if "bad" in line]
        places += [(target, 1) for target in targets]
        return FileResult(path, tuple(_finding(place, line, path) for place, line in places), lines=text.count("\n"))

    glance = analyze

    def fix(self, finding: Finding, cancelled: Callable[[], bool] = lambda: False) -> None:
        return None

    def fix_all(
        self, findings: Sequence[Finding], cancelled: Callable[[], bool] = lambda: False
    ) -> tuple[None, tuple[Finding, ...]]:
        return None, ()


def _finding(path: str, line: int, origin: str) -> Finding:
    return Finding(
        rule="a-rule",
        location=Location(path, line, 0, line, 1),
        message=f"from {origin}",
        severity=Severity.MEDIUM,
        confidence=Confidence.HIGH,
        cwe=None,
        kind="remark" if path.startswith("remark") else "vulnerability",
        fingerprint=f"{origin}>{path}:{line}",
    )


@pytest.fixture
def session(tmp_path: Path) -> Session:
    Words.made.clear()
    session = Session(Words)
    session.add_folder(tmp_path)
    return session


def test_an_open_text_is_seen_before_the_one_on_disk(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("bad\n")
    session.open(path, 1, b"fine\n")
    typed = _messages(session, path)
    session.edit(path, 2, b"fine\nbad\n", [(5, 5, 9)])
    edited = _analysis(session, path)
    session.close(path)

    assert typed == []
    assert (edited.version, [finding.location.start_line for finding in edited.findings]) == (2, [2])
    assert _messages(session, path) == []  # neither open nor scanned: nothing of its own is shown
    assert [finding.location.start_line for finding in session.analyze(path, scan=True)[1].findings] == [1]
    assert Words.made[0].changed == [("a.py", [(5, 5, 9)]), ("a.py", [])]


def test_a_flow_that_ends_in_another_file_is_shown_there(session: Session, tmp_path: Path) -> None:
    source, sink = tmp_path / "source.py", tmp_path / "sink.py"
    sink.write_text("bad\n")
    session.open(source, 1, b"into sink.py\n")

    assert _messages(session, source) == []
    assert session.affected(source) == [sink]
    assert _messages(session, sink) == ["from source.py"]  # not its own: nobody asked for that file

    session.edit(source, 2, b"nothing\n", [])
    assert _messages(session, source) == []
    assert session.affected(source) == [sink]
    assert _messages(session, sink) == []


def test_a_flow_from_a_closed_file_is_forgotten(session: Session, tmp_path: Path) -> None:
    source, sink = tmp_path / "source.py", tmp_path / "sink.py"
    session.open(source, 1, b"into sink.py\n")
    session.open(sink, 1, b"")
    _messages(session, source)
    assert _messages(session, sink) == ["from source.py"]
    session.close(source)

    assert session.unsettled() == [sink]
    assert session.unsettled() == []
    assert _messages(session, sink) == []


def test_what_has_not_changed_is_not_analysed_again(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    session.open(path, 1, b"bad\n")
    _messages(session, path)
    _messages(session, path)

    assert Words.made[0].analysed == ["a.py"]


def test_dependents_that_are_open_or_scanned(session: Session, tmp_path: Path) -> None:
    library, opened, scanned, other = (tmp_path / name for name in ("lib.py", "open.py", "scanned.py", "other.py"))
    for path in (scanned, other):
        path.write_text("into lib.py\n")
    session.open(library, 1, b"")
    session.open(opened, 1, b"into lib.py\n")
    _messages(session, opened)
    session.analyze(scanned, scan=True)
    _messages(session, library)
    session.unsettled()

    assert session.affected(library) == [opened, scanned]


def test_the_innermost_folder_has_the_file(session: Session, tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    path = inner / "a.py"
    session.open(path, 1, b"bad\n")
    outside = session.place(path)[1]
    session.add_folder(inner)
    inside = session.place(path)
    session.remove_folder(inner)

    assert outside == "inner/a.py"
    assert (inside[0].root, inside[1]) == (inner, "a.py")
    assert session.place(path)[0].root == tmp_path
    assert _messages(session, path) == ["from inner/a.py"]


def test_a_file_of_no_folder_sees_nothing_beside_it(session: Session, tmp_path: Path) -> None:
    alone = tmp_path.parent / f"{tmp_path.name}-alone.py"
    session.open(alone, 1, b"bad\n")
    folder, analysis = session.analyze(alone)

    assert [finding.message for finding in analysis.findings] == [f"from {alone.name}"]
    assert folder.read(f"{tmp_path.name}/a.py") is None
    assert not folder.exists("a.py")
    session.close(alone)
    assert session.opened() == []


@pytest.mark.parametrize(
    ("settings", "name", "count"),
    [
        ({}, "a.py", 1),
        ({"minSeverity": "medium"}, "a.py", 1),
        ({"minSeverity": "high"}, "a.py", 0),
        ({"disable": ["a-rule"]}, "a.py", 0),
        ({"disable": ["another"]}, "a.py", 1),
        ({"remarks": False}, "a.py", 1),
        ({"remarks": False}, "remark.py", 0),
        ({"exclude": ["a.py"]}, "a.py", 0),
    ],
)
def test_settings_of_the_editor(
    session: Session, tmp_path: Path, settings: dict[str, object], name: str, count: int
) -> None:
    session.open(tmp_path / name, 1, b"bad\n")
    session.configure(settings)

    assert len(_messages(session, tmp_path / name)) == count


def test_the_editor_wins_over_the_file_and_a_folder_over_all(session: Session, tmp_path: Path) -> None:
    (tmp_path / "closeread.toml").write_text('min-severity = "critical"\nnonsense = 1\n')
    session.reload()
    session.open(tmp_path / "a.py", 1, b"bad\n")
    from_file = len(_messages(session, tmp_path / "a.py"))
    session.configure({"minSeverity": "low", "bogus": 1})
    from_editor = len(_messages(session, tmp_path / "a.py"))
    session.configure({"minSeverity": "high"}, tmp_path)
    for_folder = len(_messages(session, tmp_path / "a.py"))
    ((path, _, problems),) = session.config_problems()

    assert (from_file, from_editor, for_folder) == (0, 1, 0)
    assert path == tmp_path / "closeread.toml"
    assert [problem.line for problem in problems] == [2]
    assert any("bogus" in message for message in session.editor_problems())


def test_ignored_files_show_nothing(session: Session, tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("made/\n")
    (tmp_path / "made").mkdir()
    session.open(tmp_path / "made" / "a.py", 1, b"bad\n")

    assert _messages(session, tmp_path / "made" / "a.py") == []


def test_too_large_and_too_slow(session: Session, tmp_path: Path) -> None:
    session.configure({"maxFileSize": 20, "fileTimeout": 0.01})
    session.open(tmp_path / "large.py", 1, b"bad\n" * 10)
    session.open(tmp_path / "slow.py", 1, b"for ever")
    large = _analysis(session, tmp_path / "large.py")
    slow = _analysis(session, tmp_path / "slow.py")

    assert [problem.kind for problem in large.problems] == ["too-large"]
    assert [problem.kind for problem in slow.problems] == ["timeout"]


def test_cancelled_is_not_a_timeout(session: Session, tmp_path: Path) -> None:
    session.open(tmp_path / "slow.py", 1, b"for ever")
    with pytest.raises(Cancelled):
        session.analyze(tmp_path / "slow.py", lambda: True)


def test_a_file_changed_on_disk(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "a.py"
    path.write_text("fine\n")
    before = session.analyze(path, scan=True)[1]
    path.write_text("bad\n")
    session.changed_on_disk(path)
    after = session.analyze(path, scan=True)[1]
    path.unlink()  # as a scan goes on: nobody says so
    gone = session.analyze(path, scan=True)[1]

    assert (len(before.findings), len(after.findings), len(gone.findings)) == (0, 1, 0)
    assert gone.problems == ()
    assert session.folders[0].scanned == set()


def test_the_real_analysis(tmp_path: Path) -> None:
    session = Session()
    session.add_folder(tmp_path)
    path = tmp_path / "app.py"
    source = b'import os\nfrom flask import request\n\ndef view():\n    os.system(request.args["x"])\n'
    session.open(path, 1, source)
    found = _analysis(session, path).findings
    session.edit(path, 2, b"\n" + source, [(0, 0, 1)])
    moved = _analysis(session, path).findings

    assert [(finding.rule, finding.location.start_line) for finding in found] == [("command-injection", 5)]
    assert [(finding.rule, finding.location.start_line) for finding in moved] == [("command-injection", 6)]
    assert found[0].fingerprint == moved[0].fingerprint


def _analysis(session: Session, path: Path) -> Analysis:
    folder, analysis = session.analyze(path)
    assert isinstance(folder, Folder)
    return analysis


def _messages(session: Session, path: Path) -> list[str]:
    return [finding.message for finding in _analysis(session, path).findings]


GROWING = """\
from flask import Flask, request

app = Flask(__name__)


@app.route("/one/<int:number>")
def one(number):
    rows = []
    for place in range(number):
        rows.append(helper(place))
    return {"rows": rows, "name": request.args["name"]}


def helper(place):
    return max(0, place)
"""


def test_edits_leave_nothing_behind(tmp_path: Path) -> None:
    """New text in one function, again and again: what was known of the old is let go. `benchmarks/growth.py` does 100,000 over stdio."""
    session = Session()
    session.add_folder(tmp_path)
    path, text = tmp_path / "app.py", GROWING.encode()
    session.open(path, 0, text)
    at = text.index(b"rows = []\n") + len(b"rows = []\n")
    length = 0
    objects = []
    for number in range(1, 2001):
        typed = b"    extra = %d\n" % number
        text = text[:at] + typed + text[at + length :]
        session.edit(path, number, text, [(at, at + length, at + len(typed))])
        length = len(typed)
        session.analyze(path, glance=True)
        session.analyze(path)
        if number % 400 == 0:  # what ages, ages every 200
            gc.collect()
            objects.append(len(gc.get_objects()))

    assert [abs(later - objects[1]) < 200 for later in objects[2:]] == [True, True, True]
