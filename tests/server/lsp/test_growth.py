"""Edits leave nothing behind: what they take is given back, in the analysers as in what was said of it."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path

from closeread.lsp.diagnosed import Wording, diagnose
from closeread.session import Session
from closeread_analyzers.flow.aging import STALE

TEXT = b"""\
import os
from flask import Flask, request

app = Flask(__name__)


@app.route("/a", methods=["POST"])
def first():
    os.system(request.form["a"])
    return second(request.form["b"])


def second(text):
    rows = []
    return f"{text}{rows}"
"""


def test_memory_after_many_edits_is_what_it_was(tmp_path: Path) -> None:
    """`benchmarks/growth.py` has 100,000; here are enough for all that is remembered for a while to have been forgotten."""
    session, path = Session(), tmp_path / "app.py"
    session.add_folder(tmp_path)
    wording = Wording("utf-16", Path.as_uri)
    session.open(path, 0, TEXT)
    at = TEXT.index(b"rows = []") + len("rows = []")
    edits = 0

    def edited(text: bytes, edit: tuple[int, int, int]) -> None:
        nonlocal edits
        edits += 1
        session.edit(path, edits, text, [edit])
        diagnose(session, path, wording, lambda: False, glance=True)

    def after(count: int) -> int:
        """Bytes in use after so many texts, none of them seen before, and the first one again after each."""
        for _ in range(count):
            line = b"\n    extra = %d" % (1_000_000 + edits)
            edited(TEXT[:at] + line + TEXT[at:], (at, at, at + len(line)))
            diagnose(session, path, wording, lambda: False)
            edited(TEXT, (at, at + len(line), at))
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        after(STALE)
        before = after(STALE)
        now = after(STALE)
    finally:
        tracemalloc.stop()

    # Of 400 edits, a quarter of the text kept of each would be more.
    assert now - before < 32 * 1024
