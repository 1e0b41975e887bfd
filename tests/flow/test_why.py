"""Why a line was or was not reported: each kind of answer, and that asking changes nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from closeread_analyzers.catalogue import builtin, check_user
from closeread_analyzers.explain import Answer, NoSuchLine
from closeread_analyzers.flow import expressions, statements
from closeread_analyzers.pipeline import Project
from flow.programs import Texts, files

ASKED = "# why"


def ask(program: str, models: str = "") -> Answer:
    """The answer for the line that ends in `# why`."""
    texts = files(program)
    path, line = next(
        (path, number)
        for path, text in texts.items()
        for number, code in enumerate(text.split("\n"), 1)
        if code.endswith(ASKED)
    )
    catalogue = builtin().with_user(check_user(Path("closeread.toml"), models, tomllib.loads(models)))
    return Project(texts, catalogue).why(path, line, list(texts))


def told(answer: Answer) -> dict[str, str]:
    """The first message of each kind."""
    return {note.kind: note.message for note in reversed(answer.notes)}


def test_reported() -> None:
    answer = ask("q = source()\nsink(q)  # why\n")

    assert answer.is_reported
    assert [finding.rule for finding in answer.findings] == ["command-injection"]
    (note,) = answer.notes
    assert note.kind == "reported"
    assert [(step.kind, step.location.start_line) for step in note.trace] == [("source", 2), ("step", 2), ("sink", 3)]


def test_suppressed() -> None:
    answer = ask("# closeread: ignore[command-injection] a test of ours\nsink(source())  # why\n")

    assert not answer.is_reported
    assert told(answer) == {"suppressed": "command-injection is answered by the comment on line 2: a test of ours"}


@pytest.mark.parametrize(
    ("program", "since"),
    [
        ("import shlex\nsink(shlex.quote(source()))  # why\n", "made so by `shlex.quote(flask.request.args"),
        ("import shlex\nq = shlex.quote(source())\nx = 'ls ' + q\nsink(x)  # why\n", "(line 3)"),
        ("def f():\n    q = source()\n    if q.isalnum():\n        sink(q)  # why\n", "by a test of `q` (line 4)"),
        (
            "def f():\n    q = source()\n    if not q.isalnum():\n        return\n    sink(q)  # why\n",
            "by a test of `q` (line 4)",
        ),
        ("import shlex\ndef clean(x):\n    return shlex.quote(x)\nsink(clean(source()))  # why\n", "`clean("),
    ],
)
def test_cleared(program: str, since: str) -> None:
    message = told(ask(program))["cleared"]

    assert "`flask.request.args` (remote) reaches" in message
    assert "which is about shell-command, and is harmless there" in message
    assert since in message


def test_a_barrier_of_another_line_is_not_to_blame() -> None:
    program = (
        "import shlex\ndef f():\n    q = source()\n    a = shlex.quote(q)\n"
        "    if q.isalnum():\n        sink(q)  # why\n"
    )

    assert "quote" not in told(ask(program))["cleared"]


def test_a_users_own_barrier_clears() -> None:
    program = "import own\nsink(own.clean(source()))  # why\n# file: own.py\ndef clean(x):\n    return x\n"
    models = '[[barrier]]\ncall = "own.clean"\nclears = ["shell-command"]'

    assert ask(program).is_reported
    assert "made so by `own.clean(" in told(ask(program, models))["cleared"]


def test_one_of_the_programs_own_constants() -> None:
    answer = ask('def f():\n    q = source()\n    if q in ("a", "b"):\n        sink(q)  # why\n')

    assert "is one of the program's own constants by a test of `q` (line 4)" in told(answer)["lost"]
    assert "nothing from outside is known there" in told(answer)["no-data"]


def test_no_rule_minds_the_kind() -> None:
    message = told(ask("import requests, time, random\nsink(str(random.random()))  # why\n"))["no-rule"]

    assert "no rule minds weak-random data there" in message


def test_another_rule_speaks() -> None:
    """Two rules over one weakness on one line are one report; `why` knows both."""
    answer = ask("def f():\n    sink(source() + os.environ['X'])  # why\n")

    assert [finding.rule for finding in answer.findings] == ["command-injection"]
    assert "local-command-injection leaves the word to command-injection" in told(answer)["elsewhere"]


def test_a_sink_without_data() -> None:
    assert told(ask('sink("ls")  # why\n')) == {
        "no-data": "`os.system` is about shell-command in argument 0/`command`/`cmd`; "
        "nothing from outside is known there (here: 'ls')."
    }


def test_the_call_that_lost_the_data() -> None:
    answer = ask("def f():\n    q = source()\n    n = len(q)\n    text = str(n)\n    sink(text)  # why\n")

    assert (
        told(answer)["lost"]
        == "`flask.request.args` (remote) goes into `len(q)` (line 4) and is not followed out of it."
    )


def test_a_call_that_nobody_knows() -> None:
    message = told(ask("import acme\ndef f():\n    acme.run(source())  # why\n"))["unknown-call"]

    assert message.startswith("Data goes into `acme.run` (argument 0), and no model describes it")


def test_the_wrong_argument() -> None:
    message = told(ask('import subprocess\nsubprocess.run("ls", env=source(), shell=True)  # why\n'))["position"]

    assert "is about shell-command in argument 0/`args`" in message
    assert message.endswith("is in `env` only.")


def test_a_condition_that_does_not_hold() -> None:
    weak = told(ask("import hashlib\nhashlib.new('sha256', b'')  # why\n"))["condition"]

    assert weak.startswith("`hashlib.new` counts as weak-hash only where argument 0")
    assert weak.endswith("not so here.")


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("def f():\n    if 1 > 2:\n        sink(source())  # why\n", "`1 > 2` (line 3) is always false"),
        (
            "def f():\n    if 2 > 1:\n        pass\n    else:\n        sink(source())  # why\n",
            "(line 3) is always true",
        ),
        (
            "def f(x):\n    if x:\n        pass\n    elif 1 > 2:\n        sink(source())  # why\n",
            "`1 > 2` (line 5) is always false",
        ),
        ("def f():\n    return\n    sink(source())  # why\n", "`return` (line 3) leaves the function"),
        ("def f():\n    flask.abort(404)\n    sink(source())  # why\n", "(line 3) does not come back"),
        (
            "def f(x):\n    if x:\n        raise E\n    else:\n        return\n    sink(source())  # why\n",
            "(line 3) leaves on every branch",
        ),
        (
            "def f():\n    if 1 > 2:\n        pass\n    else:\n        raise E\n    sink(source())  # why\n",
            "`raise E` (line 6) raises",
        ),
        ("def f():\n    while False:\n        sink(source())  # why\n", "`False` (line 3) is always false"),
    ],
)
def test_dead(program: str, message: str) -> None:
    answer = ask(program)

    assert {note.kind for note in answer.notes} <= {"dead", "reported"}
    assert [finding.rule for finding in answer.findings] in ([], ["unreachable-code"])
    assert message in answer.notes[-1].message


@pytest.mark.parametrize(
    "program",
    [
        "def f(x):\n    if x:\n        pass\n    elif x > 2:\n        y = source()  # why\n",
        "def f(x):\n    for y in x:\n        z = source()  # why\n",
        "def f(x):\n    try:\n        g()\n    except E:\n        z = source()  # why\n",
        "def f(x):\n    with x:\n        z = source()  # why\n",
        "class A:\n    def f(self):\n        z = source()  # why\n",
        "class A:\n    z = source()  # why\n",
        "def f(x):\n    def g():\n        z = source()  # why\n    g()\n",
        "f = lambda: source()  # why\n",
        "def f(x):\n    match x:\n        case 1:\n            z = source()  # why\n",
    ],
)
def test_what_is_reached_is_not_dead(program: str) -> None:
    assert "`flask.request.args` (remote) is here." in told(ask(program))["data"]


def test_nobody_calls_it() -> None:
    answer = told(ask("def run(cmd):\n    sink(cmd)  # why\n# file: other.py\nimport app\n"))

    assert "parameter `cmd` reaches" in answer["parameter"]
    assert answer["uncalled"].startswith("No call of `run` was found (1 file looked at)")


def test_who_calls_it_and_with_what() -> None:
    program = (
        "def run(cmd):\n    sink(cmd)  # why\n# file: other.py\nfrom app import run\nrun('ls')\n"
        "# file: third.py\nfrom app import run\ndef f(x):\n    run(x)\n"
    )
    notes = [note.message for note in ask(program).notes if note.kind == "caller"]

    assert notes == [
        "`run` is called at other.py:3, with nothing from outside.",
        "`run` is called at third.py:4, with parameters of its own.",
    ]


def test_reported_for_a_caller_in_another_file() -> None:
    answer = ask("def run(cmd):\n    sink(cmd)  # why\n# file: other.py\nfrom app import run\nrun(source())\n")

    assert answer.is_reported
    assert answer.notes[0].trace[0].location.path == "other.py"


def test_a_constructor_is_called_by_its_class() -> None:
    program = (
        "class A:\n    def __init__(self, cmd):\n        sink(cmd)  # why\n# file: other.py\nimport app\napp.A('ls')\n"
    )

    assert told(ask(program))["caller"] == "`__init__` is called at other.py:3, with nothing from outside."


def test_what_happens_inside_a_call() -> None:
    program = (
        "from other import run\ndef f():\n    run(source())  # why\n# file: other.py\ndef run(cmd):\n    sink(cmd)\n"
    )
    notes = [note.message for note in ask(program).notes if note.kind == "passed"]

    assert notes[0] == "Data goes into `run` (argument 0), which is at other.py:2."
    assert "reaches `os.system(cmd)` (other.py:3), which is about shell-command: reported there (command-" in notes[1]


def test_nothing() -> None:
    assert told(ask("x = 1  # why\n")) == {"nothing": "No data from outside is known to come to this line."}


def test_no_code_no_line_no_file() -> None:
    project = Project(Texts({"app.py": "\n# a comment\nx = 1\n", "a.xyz": "x"}))

    assert [note.kind for line in (1, 2) for note in project.why("app.py", line).notes] == ["no-code", "no-code"]
    for path, line, message in [
        ("app.py", 9, "no line 9"),
        ("app.py", 0, "no line 0"),
        ("a.xyz", 1, "a.xyz"),
        ("b.py", 1, "b.py"),
    ]:
        with pytest.raises(NoSuchLine, match=message):
            project.why(path, line)


def test_a_line_that_goes_on_stands_for_where_it_starts() -> None:
    text = "import os, flask\nos.system(\n    flask.request.args['q']\n)\n"
    project = Project(Texts({"app.py": text}))

    answers = [project.why("app.py", line) for line in (2, 3, 4)]
    assert [(answer.line, answer.is_reported) for answer in answers] == [(2, True), (3, True), (2, True)]


def test_asking_changes_nothing() -> None:
    texts = files("def f():\n    q = source()\n    sink(q)\n")
    tables = dict(expressions._EVALUATE), dict(statements._EXECUTE)
    project = Project(texts)
    before = project.analyze("app.py")

    project.why("app.py", 4)
    with pytest.raises(NoSuchLine):
        project.why("app.py", 99)

    assert (dict(expressions._EVALUATE), dict(statements._EXECUTE)) == tables
    assert project.analyze("app.py") == before == Project(texts).analyze("app.py")


def test_the_analysis_under_observation_finds_the_same() -> None:
    """What is asked of the engine by the way must not change what it finds."""
    program = (
        "import shlex\ndef clean(x):\n    return shlex.quote(x)\ndef f(x):\n    if x in ('a',):\n        return x\n"
        "    return [clean(y) for y in (x, source())]\nsink(f(source())[0])\nsink(source())\n"
    )
    texts = files(program)
    plain = {(f.location.start_line, f.rule) for f in Project(texts).analyze("app.py").findings}
    asked = Project(texts)
    seen = {
        (finding.location.start_line, finding.rule)
        for line in range(1, texts["app.py"].count("\n") + 1)
        for finding in asked.why("app.py", line).findings
    }

    assert seen == plain
