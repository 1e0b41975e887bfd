"""A workspace that means harm, or is merely broken: each thing gets one clear message and costs nothing else."""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from closeread.reports import Report
from closeread.scan import scan
from closeread.settings import read
from closeread.workspace.files import Workspace
from server.fake import tools

posix = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such files, or needs rights to make them")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    monkeypatch.chdir(root)
    (root / "good.py").write_text("BUG\n")
    return root


def run(root: Path, **changes: object) -> Report:
    """A scan in which the good file is always found."""
    report = scan(["."], changes, (), tools(root.parent)).report
    assert "good.py" in {finding.location.path for finding in report.findings}
    return report


def problems(report: Report) -> list[tuple[str, int, str, str]]:
    return [(p.path, p.line, p.kind, p.message) for p in report.problems]


# --- Bytes -----------------------------------------------------------------------------------------


def test_not_utf8_is_analysed_and_said(root: Path) -> None:
    (root / "a.py").write_bytes(b"x = 1\n# caf\xe9 BUG\n")
    report = run(root)

    assert problems(report) == [
        ("a.py", 2, "encoding", "Not UTF-8, and no other encoding is declared; analysed as Latin-1.")
    ]
    assert ("a.py", 2) in {(f.location.path, f.location.start_line) for f in report.findings}


@pytest.mark.parametrize(
    "data",
    [
        "# -*- coding: latin-1 -*-\n# caf\u00e9 BUG\n".encode("latin-1"),
        "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\n# \u20ac BUG\n".encode("cp1252"),
        "# coding: shift_jis\n# \u65e5\u672c BUG\n".encode("shift_jis"),
        "# \u65e5\u672c BUG\n".encode("utf-16"),
        b"\xef\xbb\xbf# caf\xc3\xa9 BUG\n",
    ],
)
def test_a_declared_encoding_is_believed(root: Path, data: bytes) -> None:
    (root / "a.py").write_bytes(data)
    report = run(root)

    assert problems(report) == []
    assert {finding.location.path for finding in report.findings} == {"a.py", "good.py"}


@pytest.mark.parametrize("name", ["zip", "rot13", "unicode_escape", "punycode", "idna", "no-such", "base64", "../os"])
def test_an_encoding_that_is_none_is_not_believed(root: Path, name: str) -> None:
    (root / "a.py").write_bytes(f"# coding: {name}\n# caf\u00e9 BUG\n".encode("latin-1"))

    ((path, line, kind, message),) = problems(run(root))
    assert (path, line, kind) == ("a.py", 2, "encoding")
    assert message.endswith("; analysed as Latin-1.")


def test_nul_bytes(root: Path) -> None:
    (root / "a.py").write_bytes(b"BUG\0\n")

    assert problems(run(root)) == [
        ("a.py", 0, "encoding", "Holds NUL bytes, so it is not text; not analysed."),
    ]


def test_half_a_utf16(root: Path) -> None:
    (root / "a.py").write_bytes(b"\xff\xfex")

    assert problems(run(root)) == [("a.py", 0, "encoding", "Marked as UTF-16, and it is not; not analysed.")]


def test_fifty_megabytes(root: Path) -> None:
    with (root / "a.py").open("wb") as file:
        file.truncate(50_000_000)
    started = time.perf_counter()

    assert problems(run(root)) == [
        ("a.py", 0, "too-large", "Larger than 5,000,000 bytes (`max-file-size`); not read."),
    ]
    assert time.perf_counter() - started < 5


def test_the_limit_is_a_setting(root: Path) -> None:
    (root / "a.py").write_text("x" * 101)
    (root / "b.py").write_text("x" * 100)

    assert [row[:3] for row in problems(run(root, max_file_size=100))] == [("a.py", 0, "too-large")]


def test_an_empty_file(root: Path) -> None:
    (root / "a.py").write_bytes(b"")

    assert problems(run(root)) == []


# --- Code, with the real analysers -----------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "x = " + "(" * 10_000 + "1" + ")" * 10_000,
        "x = " + "[" * 10_000,
        "x = " + "f(" * 10_000 + ")" * 10_000,
        "x = " + "-" * 10_000 + "1",
        "x = " + " + ".join(["a"] * 10_000),
        "x" + ".a" * 10_000 + " = 1",
        "x = " + "lambda: " * 10_000 + "1",
        "".join(" " * depth + "if x:\n" for depth in range(2_000)),
        "def (:\n  )]}\n'''",
        "",
        "\n" * 100_000,
        "import " + ".".join("a" * 5_000),
        "from " + "." * 5_000 + "x import y",
    ],
    ids=lambda text: text[:12],
)
def test_code_of_every_depth(root: Path, text: str) -> None:
    (root / "good.py").write_text("import os\nfrom flask import request\nos.system(request.args['x'])\n")
    (root / "a.py").write_text(text)
    report = scan(["."], {"cache": False}, (), None).report

    assert "command-injection" in {f.rule for f in report.findings if f.location.path == "good.py"}
    assert {problem.path for problem in report.problems} <= {"a.py"}
    assert not report.failed


# --- Files that are none ---------------------------------------------------------------------------


@posix
def test_an_unreadable_file_and_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The superuser may read everything, so the refusal is put where the system would put it."""
    (root / "a.py").write_text("BUG\n")
    (root / "closed").mkdir()
    real_open, real_scandir = os.open, os.scandir

    def refuse_open(path: object, *rest: object, **more: object) -> int:
        if str(path).endswith("a.py"):
            raise PermissionError(13, "Permission denied")
        return real_open(path, *rest, **more)  # type: ignore[arg-type]

    def refuse_scandir(path: object = ".") -> object:
        if str(path).rstrip("/").endswith("closed"):
            raise PermissionError(13, "Permission denied")
        return real_scandir(path)  # type: ignore[call-overload]

    monkeypatch.setattr(os, "open", refuse_open)
    monkeypatch.setattr(os, "scandir", refuse_scandir)

    assert problems(run(root)) == [
        ("a.py", 0, "unreadable", "Cannot be read: permission denied."),
        ("closed", 0, "unreadable", "The folder cannot be read: permission denied."),
    ]


@posix
def test_a_fifo_and_a_socket_are_never_opened(root: Path) -> None:
    import socket

    os.mkfifo(root / "a.py")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("b.py")
        assert problems(run(root)) == [
            ("a.py", 0, "unreadable", "Not a regular file; not opened."),
            ("b.py", 0, "unreadable", "Not a regular file; not opened."),
        ]


@posix
def test_a_fifo_that_takes_a_files_place_does_not_block(root: Path) -> None:
    os.mkfifo(root / "a.py")
    source = Workspace(root).load("a.py")

    assert source.problem is not None
    assert (source.text, source.problem.message) == (None, "Cannot be read: not a regular file.")


@posix
def test_a_link_to_a_device(root: Path) -> None:
    (root / "a.py").symlink_to("/dev/zero")

    assert problems(run(root)) == [
        ("a.py", 0, "unreadable", "A symbolic link that leaves the project; not followed."),
    ]


@posix
def test_links_that_leave_are_not_followed_and_are_counted(root: Path) -> None:
    outside = root.parent / "outside"
    outside.mkdir()
    (outside / "secret.py").write_text("BUG\n")
    (root / "file.py").symlink_to(outside / "secret.py")
    (root / "folder").symlink_to(outside)
    (root / "sneaky").mkdir()
    (root / "sneaky/up").symlink_to("../../outside")
    workspace = Workspace(root)

    assert [row[:1] + row[3:] for row in problems(run(root))] == [
        (path, "A symbolic link that leaves the project; not followed.") for path in ("file.py", "folder", "sneaky/up")
    ]
    for path in ("file.py", "folder/secret.py", "sneaky/up/secret.py"):
        assert workspace.read(path) is None
        assert not workspace.exists(path)


@posix
def test_link_loops_end(root: Path) -> None:
    (root / "self.py").symlink_to("self.py")
    (root / "a").mkdir()
    (root / "a/x.py").write_text("BUG\n")
    (root / "a/up").symlink_to("..")
    (root / "a/here").symlink_to(".")
    (root / "b").symlink_to("a")
    report = run(root)

    assert [finding.location.path for finding in report.findings] == ["a/x.py", "good.py"]
    ((path, _, kind, message),) = problems(report)
    assert (path, kind) == ("self.py", "unreadable")
    assert message.startswith("A symbolic link that leads nowhere")


@posix
def test_a_link_inside_is_followed_where_nothing_else_leads(root: Path) -> None:
    (root / ".git").mkdir()
    (root / "other").mkdir()
    (root / "other/x.py").write_text("BUG\n")
    (root / "src").mkdir()
    (root / "src/link").symlink_to("../other")
    (root / "src/a.py").write_text("BUG\n")
    report = scan(["src"], {}, (), tools(root.parent)).report

    assert [finding.location.path for finding in report.findings] == ["src/a.py", "src/link/x.py"]


@posix
def test_names_that_are_not_text(root: Path) -> None:
    name = b"caf\xe9\x1b[2J\n.py"
    try:
        (root / os.fsdecode(name)).write_text("BUG\n")
    except OSError:
        pytest.skip("this file system refuses names that are not UTF-8")
    report = run(root)

    assert len(report.findings) == 2


def unnest(folder: Path) -> None:
    """Remove folders inside each other from the outermost on: pytest would recurse, and fail some runs later."""
    inner, spare = folder / folder.name, folder.with_name("spare")
    while inner.exists():
        inner.rename(spare)
        folder.rmdir()
        spare.rename(folder)
    shutil.rmtree(folder)


def test_folders_a_thousand_deep(root: Path) -> None:
    if sys.platform == "win32":
        pytest.skip("Windows' paths end at 260 characters")
    here = Path.cwd()
    try:
        for _ in range(1000):
            Path("deep").mkdir()
            os.chdir("deep")
        Path("a.py").write_text("BUG\n")
        os.chdir(here)
        report = run(root)
    finally:
        os.chdir(here)
        unnest(root / "deep")

    # 5,000 characters are more than a path may have: the walk says where it ended.
    assert [row[2] for row in problems(report)] == ["unreadable"]


# --- Configuration ---------------------------------------------------------------------------------


def test_malformed_settings_are_reported_and_the_scan_goes_on(root: Path) -> None:
    (root / "closeread.toml").write_text("jobs = 1\nexlude = []\nmin-severity = 3\n")

    assert problems(run(root)) == [
        ("closeread.toml", 2, "config", "Unknown key `exlude`: did you mean `exclude`?"),
        (
            "closeread.toml",
            3,
            "config",
            "`min-severity` must be one of info, low, medium, high, critical; it is ignored.",
        ),
    ]


@pytest.mark.parametrize(
    "data", [b"[" * 100_000, b"x = " + b"[" * 100_000, b"\xff\xfe", b"\0", b"a = '" + b"x" * 2_000_000 + b"'"]
)
def test_settings_that_mean_harm(root: Path, data: bytes) -> None:
    (root / "closeread.toml").write_bytes(data)

    ((path, _, kind, _),) = problems(run(root))
    assert (path, kind) == ("closeread.toml", "config")


@posix
def test_settings_that_are_a_fifo_or_a_folder(root: Path) -> None:
    os.mkfifo(root / "closeread.toml")
    (root / "pyproject.toml").mkdir()

    assert problems(run(root)) == []
    assert read(root)[1] == ()


def test_ignore_patterns_that_would_take_for_ever(root: Path) -> None:
    (root / ".gitignore").write_text("a*a*a*a*a*a*a*a*a*b\n" + "**/a/" * 9 + "b\n" + "x" * 5000 + "\n/gen\n")
    (root / ("a" * 200 + ".py")).write_text("BUG\n")
    (root / "gen").mkdir()
    (root / "gen/a.py").write_text("BUG\n")
    started = time.perf_counter()
    report = run(root)

    assert time.perf_counter() - started < 5
    assert [(row[0], row[1], row[2]) for row in problems(report)] == [
        (".gitignore", 1, "config"),
        (".gitignore", 2, "config"),
        (".gitignore", 3, "config"),
    ]
    assert len(report.findings) == 2


def test_ignore_files_that_are_no_text(root: Path) -> None:
    (root / ".gitignore").write_bytes(b"\xff\xfe\0[\n[z-a]\n!\n\\\n/gen\n")
    (root / "gen").mkdir()
    (root / "gen/a.py").write_text("BUG\n")
    report = run(root)

    assert [finding.location.path for finding in report.findings] == ["good.py"]
    assert {row[2] for row in problems(report)} <= {"config"}


def test_too_many_ignore_patterns(root: Path) -> None:
    (root / ".gitignore").write_text("\n".join(f"f{number}" for number in range(20_000)))

    assert [row[:3] for row in problems(run(root))] == [(".gitignore", 5001, "config")]
