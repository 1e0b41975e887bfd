"""Fixes: what a rule shows under `## Fixed` is what the façade offers, and it offers nothing that it has not tried."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from closeread_analyzers import ir
from closeread_analyzers.catalogue import Repair, builtin
from closeread_analyzers.catalogue.rules import Mend
from closeread_analyzers.finding import Edit
from closeread_analyzers.fixing import FixContext
from closeread_analyzers.pipeline import Cancelled, Project

RULES = builtin().rules
REPAIRS = [repair for rule in RULES.values() for repair in rule.repairs]


class Texts:
    def __init__(self, **texts: str) -> None:
        self.texts = {name.replace("__", "."): text.encode() for name, text in texts.items()}

    def read(self, path: str) -> bytes | None:
        return self.texts.get(path)

    def exists(self, path: str) -> bool:
        return path in self.texts


@pytest.mark.parametrize("repair", REPAIRS, ids=[repair.id for repair in REPAIRS])
def test_a_finding_is_mended_as_its_rule_shows(repair: Repair) -> None:
    files = Texts()
    files.texts[repair.path] = repair.before.encode()
    project = Project(files)
    result = project.analyze(repair.path)
    findings = [finding for finding in result.findings if finding.rule == repair.rule]
    fix = project.fix(findings[0])

    assert fix is not None
    assert repair.after == fix.applied(files.texts[repair.path]).decode()
    # The trial left nothing behind.
    assert result == project.analyze(repair.path)


def test_every_rule_that_mends_shows_how() -> None:
    mending = {rule.id for rule in RULES.values() if rule.mend is not None}

    assert mending == {repair.rule for repair in REPAIRS}
    assert len(mending) >= 12


BEFORE = "def f(a):\n    if a == None:\n        return 1\n    return 0\n"


def _trying(monkeypatch: pytest.MonkeyPatch, text: str) -> Project:
    """A project in which the fix of `none-comparison` writes `text` over the comparison."""

    def fix(node: ir.Node, context: FixContext) -> Iterator[Edit]:
        yield context.replace(node, text)

    rule = RULES["none-comparison"]
    monkeypatch.setitem(rule.__dict__, "mend", Mend("Try", (ir.Comparison,), fix, True))
    return Project(Texts(app__py=BEFORE))


@pytest.mark.parametrize(
    ("text", "accepted"),
    [
        ("a is None", True),
        ("a is (None", False),  # does not parse
        ("None == a", False),  # the finding is still there
        ("a is 'x'", False),  # something new appeared
    ],
)
def test_a_fix_is_tried_before_it_is_offered(monkeypatch: pytest.MonkeyPatch, text: str, accepted: bool) -> None:
    project = _trying(monkeypatch, text)
    (finding,) = project.analyze("app.py").findings

    assert accepted == (project.fix(finding) is not None)


def test_a_fix_that_raises_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fix(node: ir.Node, context: FixContext) -> Iterator[Edit]:
        raise RuntimeError
        yield

    monkeypatch.setitem(RULES["none-comparison"].__dict__, "mend", Mend("Try", (ir.Comparison,), fix, True))
    project = Project(Texts(app__py=BEFORE))

    assert project.fix(project.analyze("app.py").findings[0]) is None


def test_all_of_a_file_in_one_fix() -> None:
    text = "def f(a, b=[]):\n    b.append(a == None if a != None else 1)\n    if a == None:\n        return b\n    return 0\n"
    project = Project(Texts(app__py=text))
    findings = project.analyze("app.py").findings
    fix, mended = project.fix_all(findings)

    assert fix is not None
    assert len(mended) == len(findings) == 3
    assert (
        "def f(a, b=None):\n    if b is None:\n        b = []\n    b.append(a == None if a is not None else 1)\n"
        "    if a is None:\n        return b\n    return 0\n"
    ) == fix.applied(text.encode()).decode()


def test_a_trial_that_is_cancelled_leaves_the_text_as_it_was() -> None:
    many = "".join(f"def f{n}(a):\n    if a == None:\n        return 1\n    return 0\n\n\n" for n in range(60))
    project = Project(Texts(app__py=many))
    before = project.analyze("app.py")
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return True

    for finding in before.findings[:3]:
        try:
            project.fix(finding, cancelled)
        except Cancelled:
            assert asked

    assert before == project.analyze("app.py")


def test_a_finding_of_another_file_is_found_there() -> None:
    project = Project(
        Texts(
            app__py="from flask import request\nimport store\n\n\ndef view():\n    return store.find(request.args['q'])\n",
            store__py=(
                "import sqlite3\n\n\ndef find(name):\n"
                "    return sqlite3.connect('x').execute(\"SELECT a FROM b WHERE c = '\" + name + \"'\").fetchall()\n"
            ),
        )
    )
    finding = next(one for one in project.analyze("app.py").findings if one.rule == "sql-injection")
    fix = project.fix(finding)

    assert fix is not None
    assert fix.path == "store.py"
    assert '"SELECT a FROM b WHERE c = ?", (name,)' in fix.applied(project.files.texts["store.py"]).decode()
