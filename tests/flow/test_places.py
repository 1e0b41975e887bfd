"""What stays the same when code moves: fingerprints. Where a trace leads. What comments answer."""

from __future__ import annotations

import pytest

from closeread_analyzers.finding import Finding, Suppression
from closeread_analyzers.pipeline import merged
from flow.programs import Texts, files, findings, results

BASE = """
def f(a):
    x = source()
    sink(x + a)

def g():
    pass
"""


def prints(program: str) -> list[str]:
    return [finding.fingerprint for finding in findings(program)]


SAME = {
    "lines above": BASE.replace("def f", "\n\n# a comment\ny = 1\n\ndef f"),
    "lines inside": BASE.replace("    sink", "\n    unknown()\n    sink"),
    "a comment at the end": BASE.replace("sink(x + a)", "sink(x + a)  # a comment"),
    "a comment in the call": BASE.replace("sink(x + a)", "sink(  # a comment\n        x + a\n    )"),
    "other spaces": BASE.replace("sink(x + a)", "sink(\n        x + a\n    )"),
    "a renamed neighbour": BASE.replace("def g", "def h"),
    "another way to get there": BASE.replace("x = source()", "y = source()\n    x = y"),
}


@pytest.mark.parametrize("name", SAME)
def test_same_fingerprint(name: str) -> None:
    assert prints(BASE) == prints(SAME[name])


OTHER = {
    "another function": BASE.replace("def f", "def k"),
    "another call": BASE.replace("sink(x + a)", "sink(x)"),
    "text that looks like a comment": BASE.replace("sink(x + a)", "sink(x + ' # a')"),
    "another file": "# file: b.py\n" + BASE,
}


@pytest.mark.parametrize("name", OTHER)
def test_other_fingerprint(name: str) -> None:
    assert prints(BASE) != prints(OTHER[name])
    assert len(prints(OTHER[name])) == 1


def test_text_after_a_hash_counts() -> None:
    one, other = (prints(f"sink(source() + ' # {text}')\n") for text in "ab")

    assert one != other


def test_two_places_differ() -> None:
    found = prints("def f():\n    sink(source())\n    unknown()\n    sink(source())\n")

    assert 2 == len(set(found))


def test_trace_across_files() -> None:
    program = (
        "from b import run\n\ndef f():\n    x = source()\n    run(x)\n"
        "# file: b.py\n\n\ndef run(y):\n    z = y\n    sink(z)\n"
    )
    texts = files(program)
    (finding,) = findings(program)

    steps = [
        (step.kind, step.location.path, texts[step.location.path].split("\n")[step.location.start_line - 1].strip())
        for step in finding.trace
    ]

    assert [
        ("source", "app.py", 'x = flask.request.args["q"]'),
        ("step", "app.py", 'x = flask.request.args["q"]'),
        ("step", "app.py", "run(x)"),
        ("step", "b.py", "z = y"),
        ("sink", "b.py", "os.system(z)"),
    ] == steps


def answered(program: str) -> list[Finding]:
    return [finding for finding in findings(program) if finding.suppression is not None]


ANSWERED = {
    "same line": "sink(source())  # closeread: ignore[command-injection] it is ours\n",
    "line above": "# closeread: ignore[command-injection] it is ours\nsink(source())\n",
    "line above, with a gap": "# closeread: ignore[command-injection] it is ours\n\nsink(source())\n",
    "any rule": "sink(source())  # closeread: ignore[*] it is ours\n",
    "several rules": "sink(source())  # closeread: ignore[other, command-injection] it is ours\n",
    "after other words": "sink(source())  # noqa closeread: ignore[command-injection] it is ours\n",
}


@pytest.mark.parametrize("name", ANSWERED)
def test_answered(name: str) -> None:
    (finding,) = answered(ANSWERED[name])

    assert finding.suppression is not None
    assert "it is ours" == finding.suppression.reason


FOREIGN = {
    "nosec": "sink(source())  # nosec\n",
    "nosec with an id": "sink(source())  # nosec B605, B607\n",
    "nosec at the end": "sink(\n    source()\n)  # nosec: B605\n",
    "noqa": "sink(source())  # noqa: E501, S605\n",
    "nosemgrep": "sink(source())  # nosemgrep\n",
    "nosemgrep above": "# nosemgrep: python.lang.security.audit.dangerous-system-command.dangerous-system-command\nsink(source())\n",
    "NOSONAR": "sink(source())  # NOSONAR: seen\n",
    "codeql": "# codeql[py/command-line-injection]\nsink(source())\n",
}


@pytest.mark.parametrize("name", FOREIGN)
def test_answered_in_the_words_of_another_tool(name: str) -> None:
    (finding,) = answered(FOREIGN[name])

    assert finding.suppression is not None
    assert name.split()[0] == finding.suppression.origin


def test_answered_until_a_day() -> None:
    found = results(files("sink(source())  # closeread: ignore[command-injection] moving house (until 2026-03-01)\n"))

    def told(day: str) -> list[tuple[str, bool]]:
        return [(f.rule, f.suppression is not None) for f in merged(found, day)]

    assert [("command-injection", True)] == told("2026-03-01")
    assert [("command-injection", False), ("expired-suppression", False)] == told("2026-03-02")
    (finding, *_) = merged(found)
    assert Suppression("moving house", 2, until="2026-03-01") == finding.suppression


def test_a_reason_ends_where_another_comment_starts() -> None:
    (finding,) = answered("sink(source())  # closeread: ignore[command-injection] see #12  # noqa: S605\n")

    assert Suppression("see #12", 2) == finding.suppression


def test_a_flow_from_another_file_is_answered_where_it_ends() -> None:
    program = "from b import run\nrun(source())\n# file: b.py\ndef run(x):\n    sink(x)  # closeread: ignore[command-injection] ours\n"
    both = results(files(program))

    assert [] == merged(both[1:])
    assert ["ours"] == [f.suppression.reason for f in merged(both[:1]) if f.suppression]
    assert ["command-injection"] == [f.rule for f in merged(both, whole=True)]
    assert ["unused-suppression"] == [f.rule for f in merged(both[1:], whole=True)]


UNANSWERED = {
    "another tool's other id": "sink(source())  # nosec B101\n",
    "noqa without a code": "sink(source())  # noqa\n",
    "another tool's, in a string": "sink(source() + '# nosec')\n",
    "another rule": "sink(source())  # closeread: ignore[sql-injection]\n",
    "no rule": "sink(source())  # closeread: ignore\n",
    "in a string": "sink(source() + '# closeread: ignore[command-injection]')\n",
    "two lines above": "# closeread: ignore[command-injection]\nunknown()\nsink(source())\n",
    "at the end of the line above": "unknown()  # closeread: ignore[command-injection]\nsink(source())\n",
    "line below": "sink(source())\n# closeread: ignore[command-injection]\n",
}


@pytest.mark.parametrize("name", UNANSWERED)
def test_unanswered(name: str) -> None:
    assert 1 == len(findings(UNANSWERED[name]))
    assert [] == answered(UNANSWERED[name])


@pytest.mark.parametrize(
    "comment", ["// closeread: ignore[code-injection] ours", "/* closeread: ignore[code-injection] ours */"]
)
def test_answered_in_javascript(comment: str) -> None:
    texts = Texts({"app.js": f"require('express')().get('/', (req) => {{\n  eval(req.query.a);  {comment}\n}});\n"})
    found = [finding for finding in merged(results(texts)) if finding.rule == "code-injection"]

    assert ["ours"] == [finding.suppression.reason if finding.suppression else "" for finding in found]
