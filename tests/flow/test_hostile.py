"""The engine never fails: huge, deep and broken programs, and units whose analysis raises."""

from __future__ import annotations

import threading

import pytest

from closeread_analyzers.finding import FileResult
from closeread_analyzers.flow.engine import Engine
from closeread_analyzers.flow.memory import MAX_VERIFIED
from closeread_analyzers.pipeline import Project, merged
from flow.programs import RULE, Texts, files, results


def nested(start: str, end: str, inside: str, depth: int) -> str:
    return start * depth + inside + end * depth


def indented(line: str, depth: int, last: str) -> str:
    return "".join("    " * level + line + "\n" for level in range(depth)) + "    " * depth + last + "\n"


HUGE = {
    "a sum of 10,000": "sink(" + " + ".join(["'a'"] * 10_000) + " + source())\n",
    "a chain of 5,000 calls": "sink(source()" + ".strip()" * 5_000 + ")\n",
    "a chain of 5,000 attributes": "sink(source()" + ".a" * 5_000 + ")\n",
    "a chain of 5,000 keys": "sink(source()" + "[0]" * 5_000 + ")\n",
    "2,000 else ifs": "x = source()\nif a == 0: pass\n"
    + "".join(f"elif a == {i}: pass\n" for i in range(2_000))
    + "sink(x)\n",
    "3,000 assignments": "x = source()\n" + "x = x\n" * 3_000 + "sink(x)\n",
    "a list of 10,000": "sink([" + "'a', " * 10_000 + "source()][10000])\n",
    "1,000 functions in a row": "def f0(x): sink(x)\n"
    + "".join(f"def f{i}(x): f{i - 1}(x)\n" for i in range(1, 1_000))
    + "f999(source())\n",
    "90 parentheses": "sink(" + nested("(", ")", "source()", 90) + ")\n",
    "40 lambdas": "sink((" + "lambda: " * 40 + "1)())\nsink(source())\n",
    "40 calls in calls": "def f(x): return x\nsink(" + nested("f(", ")", "source()", 40) + ")\n",
    "90 ifs": indented("if a:", 90, "sink(source())"),
    "30 loops": indented("for a in b:", 8, "sink(source())"),
    "60 tries": indented("with a:", 60, "sink(source())"),
    "40 classes in classes": indented("class C:", 40, "sink(source())"),
    "a circle of 100 functions": "".join(f"def f{i}(x): f{(i + 1) % 100}(x)\n" for i in range(100))
    + "sink(source())\n",
    "deeper than is read": nested("(", ")", "1", 3_000) + "\nsink(source())\n",
}

# So deep that what flows through is given up.
DEEP = {
    "40 lists": "sink(" + nested("[", "]", "source()", 40) + ")\n",
    "40 functions in functions": indented("def f(a):", 40, "sink(source())"),
    "30 comprehensions": "sink(" + "[" * 30 + "source()" + " for a in b]" * 30 + ")\n",
}


def analysed(program: str) -> FileResult:
    (result,) = results(files(program))
    return result


def assert_whole(result: FileResult) -> None:
    assert [] == [problem.message for problem in result.problems if problem.kind == "crash"]


@pytest.mark.parametrize("name", HUGE)
def test_huge(name: str) -> None:
    result = analysed(HUGE[name])

    assert_whole(result)
    assert RULE in {finding.rule for finding in result.findings}


@pytest.mark.parametrize("name", DEEP)
def test_deep(name: str) -> None:
    result = analysed(DEEP[name])

    assert_whole(result)
    assert RULE not in {finding.rule for finding in result.findings}


def test_huge_in_a_thread() -> None:
    done: list[FileResult] = []
    programs = [*HUGE.values(), *DEEP.values()]
    thread = threading.Thread(target=lambda: done.extend(analysed(program) for program in programs))
    thread.start()
    thread.join()

    assert len(programs) == len(done)
    for result in done:
        assert_whole(result)


def test_a_failing_unit_costs_itself_only(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = files("def bad(x):\n    sink(source())\n\ndef good():\n    bad(1)\n    sink(source())  # finding\n")
    real = Engine._function

    def function(engine: Engine, ref: object, record: object) -> object:
        if ref.name == "bad":  # type: ignore[attr-defined]
            raise ValueError("on purpose")
        return real(engine, ref, record)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_function", function)
    project = Project(texts)

    for _ in range(2):
        result = project.analyze("app.py")
        crashes = [(problem.line, problem.message) for problem in result.problems if problem.kind == "crash"]
        assert [(2, "`bad` could not be analysed (ValueError: on purpose); please report this")] == crashes
        assert [7] == [finding.location.start_line for finding in result.findings if finding.rule == RULE]


def test_a_deep_memory_is_verified() -> None:
    count = MAX_VERIFIED + 100
    texts = Texts({"f0.py": "import flask\nfrom f1 import f1\nf1(flask.request.args['q'])\n"})
    for index in range(1, count):
        texts[f"f{index}.py"] = f"from f{index + 1} import f{index + 1}\ndef f{index}(x): f{index + 1}(x)\n"
    texts[f"f{count}.py"] = f"import os\ndef f{count}(x): os.system(x)\n"
    project = Project(texts)
    assert 1 == len([f for f in merged([project.analyze("f0.py")]) if f.rule == RULE])
    texts[f"f{count}.py"] = f"import os\ndef f{count}(x): return x\n"
    project.change(f"f{count}.py")

    assert [] == [f for f in merged([project.analyze("f0.py")]) if f.rule == RULE]
