"""The parts of the server that need no process: positions, edits, suppression, Markdown, the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from closeread.lsp import convert, pages, suppression
from closeread.lsp.convert import Text
from closeread.lsp.worker import Urgency, Worker
from closeread.session import Cancelled
from closeread_analyzers.finding import Confidence, Finding, Location, Severity, Step

ENCODINGS = {
    "utf-8": lambda text: len(text.encode()),
    "utf-16": lambda text: len(text.encode("utf-16-le")) // 2,
    "utf-32": len,
}

texts = st.text(st.sampled_from("ab é漢\U0001f600\n\r"), max_size=40)


# --- Positions -------------------------------------------------------------------------------------


@given(texts, st.data(), st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=300, deadline=None)
def test_a_position_and_back(text: str, data: st.DataObject, encoding: str) -> None:
    cut = data.draw(st.integers(0, len(text)))
    before = text[:cut]
    lines = before.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    offset = len(before.encode())
    position = Text.of(text).position(offset, encoding)

    inside_crlf = before.endswith("\r") and text[cut:].startswith("\n")
    if not inside_crlf:
        assert (position.line, position.character) == (len(lines) - 1, ENCODINGS[encoding](lines[-1]))
        assert Text.of(text).offset(position, encoding) == offset


@given(texts, st.integers(0, 12), st.integers(0, 60), st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=300, deadline=None)
def test_any_position_is_a_place_between_characters(text: str, line: int, character: int, encoding: str) -> None:
    offset = Text.of(text).offset(types.Position(line, character), encoding)

    text.encode()[:offset].decode()
    text.encode()[offset:].decode()


@given(texts, texts, st.data(), st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=300, deadline=None)
def test_edits_are_those_of_a_client(text: str, inserted: str, data: st.DataObject, encoding: str) -> None:
    before = Text.of(text)
    start, end = sorted(data.draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    places = [before.position(len(text[:at].encode()), encoding) for at in (start, end)]
    offsets = [before.offset(place, encoding) for place in places]
    after, edits = before.edited(
        [types.TextDocumentContentChangePartial(range=types.Range(*places), text=inserted)], encoding
    )
    first, last = offsets

    assert after.data == before.data[:first] + inserted.encode() + before.data[last:]
    assert edits == [(first, last, first + len(inserted.encode()))]
    everywhere = range(len(after.data) + 1)
    read = Text(after.data)
    assert [read.position(at, encoding) for at in everywhere] == [after.position(at, encoding) for at in everywhere]


places = st.builds(types.Position, st.integers(0, 6), st.integers(0, 12))
changes = st.one_of(
    st.builds(types.TextDocumentContentChangePartial, st.builds(types.Range, places, places), texts),
    st.builds(types.TextDocumentContentChangeWholeDocument, texts),
)


@given(texts, st.lists(changes, min_size=9, max_size=14), st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=500, deadline=None)
def test_many_changes_are_the_same_as_one_after_the_other(text: str, many: list[types.Range], encoding: str) -> None:
    expected = Text.of(text)
    for change in many:
        expected, _ = expected.edited([change], encoding)
    before = Text.of(text)
    after, ((start, old_end, new_end),) = before.edited(many, encoding)

    assert expected.data == after.data
    assert start <= min(old_end, new_end)
    assert before.data[:start] == after.data[:start]
    assert before.data[old_end:] == after.data[new_end:]


@given(texts, st.data(), st.sampled_from(sorted(ENCODINGS)))
@settings(max_examples=200, deadline=None)
def test_an_analysers_location(text: str, data: st.DataObject, encoding: str) -> None:
    cut = data.draw(st.integers(0, len(text)))
    lines = text[:cut].split("\n")  # the analysers end a line at LF alone
    made = Text.of(text)

    assert made.offset_of_location(len(lines), len(lines[-1])) == len(text[:cut].encode())


def test_a_finding_in_the_editors_words() -> None:
    at = Location("a.py", 1, 2, 1, 4)
    finding = Finding(
        "a-rule", at, "message", Severity.MEDIUM, Confidence.LOW, None, "remark", "f", trace=(Step(at, "here"),)
    )
    made = convert.diagnostic(
        finding,
        lambda path: (f"file:///{path}", Text("\U0001f600\U0001f600ab".encode())),
        lambda _: None,
        "utf-16",
    )
    place = {"start": {"line": 0, "character": 4}, "end": {"line": 0, "character": 6}}

    assert made == {
        "range": place,
        "message": "message",
        "severity": 2,
        "code": "a-rule",
        "source": "closeread",
        "data": {"fingerprint": "f", "rule": "a-rule", "cwe": None},
        "relatedInformation": [{"location": {"uri": "file:///a.py", "range": place}, "message": "here"}],
    }


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///a/b%20c/%C3%A9.py", "/a/b c/é.py"),
        ("file:///a%3Ab.py", "/a:b.py"),
        ("untitled:Untitled-1", None),
        ("file:///a%00b.py", None),
        ("file:", None),
        ("http://[", None),
    ],
)
def test_paths_of_uris(uri: str, path: str | None) -> None:
    assert convert.path_of(uri) == (Path(path) if path is not None else None)
    if path is not None:
        assert convert.path_of(convert.uri_of(Path(path))) == Path(path)


# --- Suppression -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "line_start", "expected"),
    [
        ("f()\n", 0, "f()  # closeread: ignore[r] TODO: say why\n"),
        ("f()   \r\ng()", 0, "f()  # closeread: ignore[r] TODO: say why\r\ng()"),
        ("f()  # closeread: ignore[a] yes\n", 0, "f()  # closeread: ignore[a, r] yes\n"),
        ("f()  # closeread: ignore[r] yes\n", 0, None),
        ("f()  # a remark\n", 0, "f()  # a remark  # closeread: ignore[r] TODO: say why\n"),
        # The words inside a text are no comment, and are not edited.
        ('f("closeread: ignore[a]")\n', 0, 'f("closeread: ignore[a]")  # closeread: ignore[r] TODO: say why\n'),
        ('f("""\n""")\n', 0, '# closeread: ignore[r] TODO: say why\nf("""\n""")\n'),
        # In the middle of a text there is no place for a comment at all.
        ('f("""\nx\n""")\n', 6, None),
    ],
)
def test_where_the_comment_goes(text: str, line_start: int, expected: str | None) -> None:
    edit = suppression.edit(text.encode(), "a.py", line_start, "r")
    if edit is None:
        assert expected is None
        return
    start, end, inserted = edit

    assert text[:start] + inserted + text[end:] == expected


# --- Markdown --------------------------------------------------------------------------------------


@given(st.text(max_size=60))
@settings(max_examples=300, deadline=None)
def test_a_workspaces_words_make_no_markup(text: str) -> None:
    made = pages.sentence(text)
    inside, outside = made.split("`")[1::2], made.split("`")[::2]
    if "\\`" not in made:
        assert len(inside) == len(outside) - 1
    for piece in outside:
        bare = piece.replace("\\\\", "").split("\\")
        # After the first, each piece starts with the character that its backslash makes harmless.
        for words in [bare[0], *(words[1:] for words in bare[1:])]:
            assert not set(words) & set("<[]!*_&~#")
    assert "\n" not in made


# --- The worker ------------------------------------------------------------------------------------


def test_urgent_work_overtakes_and_what_it_interrupted_is_done_again() -> None:
    worker = Worker()
    runs: list[str] = []
    begun = threading.Event()

    def scan(cancelled: Callable[[], bool]) -> str:
        runs.append("scan")
        begun.set()
        while len(runs) < 2:
            if cancelled():
                raise Cancelled
        return "scanned"

    scanned = worker.submit(scan, Urgency.SCAN)
    begun.wait(30)
    answered = worker.submit(lambda cancelled: runs.append("answer"), Urgency.ANSWER)
    answered.result(30)

    assert scanned.result(30) == "scanned"
    assert runs == ["scan", "answer", "scan"]
    assert worker.close(30)


def test_cancelled_work_stops_and_errors_are_handed_on() -> None:
    worker = Worker()
    begun, stopped = threading.Event(), threading.Event()

    def endless(cancelled: Callable[[], bool]) -> None:
        begun.set()
        while not cancelled():
            pass
        stopped.set()
        raise Cancelled

    def broken(cancelled: Callable[[], bool]) -> None:
        raise ValueError("no")

    running = worker.submit(endless, Urgency.ANSWER)
    begun.wait(30)
    assert running.cancel()
    assert stopped.wait(30)
    with pytest.raises(ValueError, match="no"):
        worker.submit(broken, Urgency.ANSWER).result(30)
    assert worker.close(30)
    assert worker.submit(broken, Urgency.ANSWER).cancelled()


def test_the_worker_has_room_for_deep_recursion() -> None:
    def deep(level: int) -> int:
        return level if level == 0 else deep(level - 1)

    worker = Worker()
    assert worker.submit(lambda cancelled: deep(15_000), Urgency.ANSWER).result(30) == 0
    assert worker.close(30)
