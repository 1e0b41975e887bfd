"""Rules: a document becomes a rule, its blocks its examples, and a mistake names its file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from closeread_analyzers.catalogue import TRAITS, Catalogue, CatalogueError, Mark, builtin, load
from closeread_analyzers.finding import Confidence, Severity
from closeread_analyzers.ir import Call
from closeread_analyzers.languages import languages

FRONT = """\
cwe = 78
severity = "high"
message = "`{source}` reaches `{sink}`."
fix = "Pass a list."
flow = { from = ["remote"], to = ["shell-command"] }
"""

BODY = """\
# A title

Why it is dangerous.

Another paragraph.

## Flagged

```python
import os
os.system(input())  # finding
```

```python
# file: app.py
import other  # finding

# file: pkg/other.py
x = 1
```

## Not flagged

```javascript
f(1)  // spurious
```
"""


@pytest.fixture
def read(tmp_path: Path):
    def read(front: str = FRONT, body: str = BODY, topic: str = "injection", name: str = "a-rule") -> Catalogue:
        folder = tmp_path / "rules" / topic
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.md").write_text(f"+++\n{front}+++\n{body}")
        return load(tmp_path / "rules", tmp_path / "models")

    return read


def test_a_document_is_a_rule(read) -> None:
    catalogue = read()
    rule = catalogue.rules["a-rule"]

    assert (rule.id, rule.topic, rule.title) == ("a-rule", "injection", "A title")
    assert rule.prose == "Why it is dangerous.\n\nAnother paragraph."
    assert (rule.cwe, rule.severity, rule.confidence) == (78, Severity.HIGH, Confidence.HIGH)
    assert rule.kind == "vulnerability"
    assert rule.tags == frozenset()
    assert (rule.flow_from, rule.flow_to) == ({"remote"}, {"shell-command"})
    assert catalogue.flows == {"shell-command": (rule,)}
    assert catalogue.uses == {}
    assert catalogue.checks == ()


def test_a_rule_among_the_remarks_is_a_remark_and_needs_no_cwe(read) -> None:
    front = 'severity = "low"\nmessage = "m"\nfix = "f"\nuse = ["timing"]\n'
    catalogue = read(front, topic="remarks")
    rule = catalogue.rules["a-rule"]

    assert (rule.kind, rule.cwe) == ("remark", None)
    assert catalogue.uses == {"timing": (rule,)}


def test_blocks_are_examples(read) -> None:
    single, several, fine = read().rules["a-rule"].examples

    assert (single.language, single.flagged, single.id) == ("python", True, "a-rule:16-python")
    assert single.files == {"example.py": "import os\nos.system(input())  # finding\n"}
    assert single.marks == (Mark("example.py", 2, "finding"),)
    assert several.files == {"app.py": "import other  # finding\n\n", "pkg/other.py": "x = 1\n"}
    assert several.marks == (Mark("app.py", 1, "finding"),)
    assert (fine.flagged, fine.line) == (False, 31)
    assert [mark.kind for mark in fine.marks] == ["spurious"]


def test_a_check_stands_beside_its_document(read, tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "remarks"
    folder.mkdir(parents=True)
    (folder / "a_rule.py").write_text(
        "from ... import ir\nvisits = (ir.Call,)\ndef check(node, context):\n    yield from ()\n"
    )
    catalogue = read('severity = "low"\nmessage = "{anything}"\nfix = "f"\n', topic="remarks")
    rule = catalogue.rules["a-rule"]

    assert catalogue.checks == (rule,)
    assert rule.visits == (Call,)
    assert rule.check and list(rule.check(None, None)) == []


@pytest.mark.parametrize(
    ("module", "message"),
    [
        ("visits = ()\ndef check(node, context): ...\n", "has no `visits`"),
        ("from ... import ir\nvisits = (ir.Call,)\n", "has no function `check"),
        ("import nothing_of_this_name\n", "cannot be imported: ModuleNotFoundError"),
    ],
)
def test_a_wrong_check_is_named(read, tmp_path: Path, module: str, message: str) -> None:
    folder = tmp_path / "rules" / "injection"
    folder.mkdir(parents=True)
    (folder / "a_rule.py").write_text(module)

    with pytest.raises(CatalogueError, match=r"a_rule\.py:1: ") as caught:
        read()

    assert message in caught.value.message


def test_a_check_without_a_document_is_named(read, tmp_path: Path) -> None:
    (tmp_path / "rules" / "injection").mkdir(parents=True)
    (tmp_path / "rules" / "injection" / "lost_one.py").write_text("")

    with pytest.raises(CatalogueError, match=r"lost_one\.py:1: belongs to no rule; write lost-one\.md"):
        read()


def test_an_id_is_taken_once(read) -> None:
    read(topic="files")

    with pytest.raises(CatalogueError, match='the id "a-rule" is taken'):
        read(topic="web")


def front(old: str, new: str) -> str:
    assert old in FRONT
    return FRONT.replace(old, new)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        (front("cwe = 78\n", ""), 2, "`cwe` is missing"),
        (front("cwe = 78", 'cwe = "78"'), 2, "`cwe` must be a whole number"),
        (front('"high"', '"hihg"'), 3, 'did you mean "high"?'),
        (front("fix", "fx"), 2, "`fix` is missing"),
        (front("{sink}", "{snk}"), 4, 'did you mean "sink"?'),
        (front("{sink}", "{"), 4, "is not a format"),
        (front("remote", "remot"), 6, 'did you mean "remote"?'),
        (front("shell-command", "shel-command"), 6, 'did you mean "shell-command"?'),
        (front(', to = ["shell-command"]', ""), 6, "needs both `from` and `to`"),
        (front("flow", "#"), 2, "reports nothing"),
        (FRONT + 'needs = ["shared-default"]\n', 7, 'did you mean "shared-defaults"?'),
        (FRONT + 'use = ["weak-hsh"]\n', 7, 'did you mean "weak-hash"?'),
        (FRONT + 'tags = ["unecessary"]\n', 7, 'did you mean "unnecessary"?'),
        (FRONT + 'colour = "red"\n', 7, "unknown word `colour`"),
        (FRONT + "kind = vulnerability\n", 7, "not TOML"),
    ],
)
def test_a_mistake_names_its_line(read, text: str, line: int, message: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        read(text)

    assert (caught.value.file.name, caught.value.line) == ("a-rule.md", line)
    assert message in caught.value.message


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("# A title", "A title", 8, "has no title"),
        ("## Not flagged", "## Fine", 8, "has no section `## Not flagged`"),
        ("  # finding\n```\n\n```python\n# file", "\n```\n\n```python\n# file", 16, "marks no line"),
        ("// spurious", "// finding", 31, "marks a finding under"),
        ("```javascript", "```", 31, "must name its language"),
        ("# file: app.py\n", "\n", 21, "starts with `# file: NAME`"),
        ("pkg/other.py", "app.py", 21, "has the file app.py twice"),
    ],
)
def test_a_mistake_in_the_body_names_its_line(read, old: str, new: str, line: int, message: str) -> None:
    assert old in BODY

    with pytest.raises(CatalogueError) as caught:
        _ = read(body=BODY.replace(old, new)).rules["a-rule"].examples

    assert (caught.value.line, message in caught.value.message) == (line, True)


def test_a_document_without_front_matter_is_named(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "x.md").write_text("# Title\n")

    with pytest.raises(CatalogueError, match=r"x\.md:1: must start with front matter"):
        load(tmp_path, tmp_path)


def test_a_file_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "x.md").write_bytes(b"+++\n\xff")

    with pytest.raises(CatalogueError, match=r"x\.md:2: is not UTF-8"):
        load(tmp_path, tmp_path)


def test_every_built_in_rule_has_readable_examples() -> None:
    rules = builtin().rules

    assert rules
    assert all({example.flagged for example in rule.examples} == {True, False} for rule in rules.values())


def test_the_languages_have_known_traits() -> None:
    traits = {trait for language in languages() for trait in language.traits}

    assert traits <= TRAITS
