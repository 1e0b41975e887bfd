"""The formats that CI systems and people read: each against its published schema, with reports that mean no good."""

from __future__ import annotations

import html
import json
import re
from base64 import b64decode, b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from xmlschema import XMLSchemaValidationError

from closeread import ranking, reports
from closeread.remedies import Remedy
from closeread.reports import Report
from closeread.reports._line_hash import line_hashes
from closeread.reports._secrets import masked, secret_places
from closeread_analyzers.finding import Suppression
from server import junit_schema
from server.test_reports import FLOW, REMARK, REPORTS, SUPPRESSED, at, each, report

BASELINE = replace(SUPPRESSED, suppression=Suppression("was there before", 0, "baseline"))


def render(name: str, of: Report) -> str:
    return reports.named(name).render(of).decode()


def test_the_name_of_a_file_chooses() -> None:
    names = [
        "gl-code-quality-report.json",
        "gl-sast-report.json",
        "junit.xml",
        "r.html",
        "r.md",
        "r.jsonl",
        "r.sarif.json",
    ]

    assert ["codequality", "gitlab", "junit", "html", "markdown", "jsonl", "sarif"] == [
        reports.for_file(name) for name in names
    ]


@each
def test_every_format_takes_every_report(name: str) -> None:
    for format_ in reports.names():
        assert render(format_, REPORTS[name]) == render(format_, REPORTS[name])


# --- GitLab ----------------------------------------------------------------------------------------


def test_gitlab_carries_patches() -> None:
    patch = "--- a/src/app.py\n+++ b/src/app.py\n"
    whole = report(FLOW, remedies=lambda: {FLOW.fingerprint: Remedy("Use a list", patch)})
    document = json.loads(render("gitlab", whole))
    (remediation,) = document["remediations"]

    assert remediation["fixes"] == [{"id": document["vulnerabilities"][0]["id"]}]
    assert b64decode(remediation["diff"]).decode() == patch


def test_gitlab_tells_what_is_suppressed() -> None:
    messages = json.loads(render("gitlab", report(suppressed=(SUPPRESSED, BASELINE))))["scan"]["messages"]

    assert [message["value"] for message in messages[1:]] == [
        "Suppressed: command-injection in src/app.py:4: closeread: known",
        "Suppressed: command-injection in src/app.py:4: baseline: was there before",
    ]


# --- GitLab Code Quality ---------------------------------------------------------------------------

# As https://docs.gitlab.com/ci/testing/code_quality/ has it: what GitLab reads of Code Climate's format.
CODE_QUALITY = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "type": {"const": "issue"},
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "categories": {
                "type": "array",
                "items": {
                    "enum": [
                        "Bug Risk",
                        "Clarity",
                        "Compatibility",
                        "Complexity",
                        "Duplication",
                        "Performance",
                        "Security",
                        "Style",
                    ]
                },
            },
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": r"^(?!\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {
                            "begin": {"type": "integer", "minimum": 1},
                            "end": {"type": "integer", "minimum": 1},
                        },
                    },
                },
            },
        },
        "additionalProperties": False,
    },
}


@each
def test_code_quality_is_valid(name: str) -> None:
    issues = json.loads(render("codequality", REPORTS[name]))

    jsonschema.validate(issues, CODE_QUALITY)
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == len(REPORTS[name].findings)


# --- JUnit -----------------------------------------------------------------------------------------


@each
def test_junit_is_valid(name: str) -> None:
    junit_schema.validate(render("junit", REPORTS[name]).encode())


def test_junit_in_full() -> None:
    root = junit_schema.validate(render("junit", REPORTS["usual"]).encode())
    cases = [(case.get("classname"), [child.tag for child in case]) for case in root.iter("testcase")]

    assert cases == [
        ("src/app.py", ["failure"]),
        ("src/app.py", ["skipped"]),
        ("src/app.py", ["skipped"]),
        ("src/bad.py", ["error"]),
        ("closeread", []),
    ]
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("5", "1", "1")
    (failure,) = root.iter("failure")
    assert '1. src/app.py:3 a request parameter: name = request.args["name"]' in (failure.text or "")


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('<testcase name="a" classname="b"/>', AssertionError),  # not two
        ('<testcase classname="b"/><testcase name="a"/>', XMLSchemaValidationError),
        ('<testcase name="b"/><testcase name="a"><failed/></testcase>', XMLSchemaValidationError),
    ],
)
def test_the_schema_of_junit_does_refuse(text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        junit_schema.validate(f'<testsuite name="x" tests="2" failures="0" errors="0">{text}</testsuite>'.encode())


# --- GitHub ----------------------------------------------------------------------------------------

ANNOTATION = re.compile(r"::(error|warning|notice) ([a-zA-Z]+=[^,:\n]*)(,[a-zA-Z]+=[^,:\n]*)*::[^\n\r]+")


@each
def test_annotations_are_one_line_each(name: str) -> None:
    lines = render("github", REPORTS[name]).split("\n")

    assert lines.pop() == ""
    assert all(ANNOTATION.fullmatch(line) for line in lines)
    assert len(lines) == len(REPORTS[name].findings) + len(REPORTS[name].problems)


def test_an_annotation_starts_no_command_of_its_own() -> None:
    evil = replace(FLOW, message="x\n::set-output name=a::b\r%0A", location=at("a,b:c.py", 1, 0, 1))
    (line,) = render("github", report(evil)).splitlines()

    assert line.startswith("::error file=a%2Cb%3Ac.py,line=1,endLine=1,col=1,endColumn=2,title=")
    assert "::x%0A::set-output name=a::b%0D%250A" in line


# --- JSON Lines ------------------------------------------------------------------------------------


@each
def test_json_lines_end_with_the_counts(name: str) -> None:
    lines = [json.loads(line) for line in render("jsonl", REPORTS[name]).splitlines()]
    counts = Counter(line["type"] for line in lines)

    assert (lines[0]["type"], lines[-1]["type"]) == ("scan", "end")
    assert lines[-1] == {
        "type": "end",
        "findings": counts["finding"],
        "suppressed": counts["suppressed"],
        "problems": counts["problem"],
    }


# --- SARIF -----------------------------------------------------------------------------------------


def results(of: Report) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(render("sarif", of))["runs"][0]["results"]
    return found


def test_sarif_keeps_what_is_suppressed() -> None:
    shown, own, kept = results(report(FLOW, suppressed=(SUPPRESSED, BASELINE)))

    assert "suppressions" not in shown
    assert own["suppressions"] == [{"kind": "inSource", "justification": "closeread: known"}]
    assert kept["suppressions"] == [{"kind": "external", "justification": "baseline: was there before"}]


def plain_hash(units: list[int], start: int) -> str:
    """One line's hash by its definition: the polynomial over a hundred units from the line's start."""
    window = (units[start:] + [0] * 100)[:100]
    return f"{sum(unit * pow(37, 99 - place, 1 << 64) for place, unit in enumerate(window)) % (1 << 64):x}"


@pytest.mark.parametrize(
    "text", ["", "a", "a\n", "x = 1\n  y\t= 2\n\n\nx = 1\n", "\u00e9\U0001f600 = 1\n" * 60, "long " * 90 + "\nshort"]
)
def test_line_hashes_are_those_of_code_scanning(text: str) -> None:
    lines = text.split("\n")
    units, starts = [], []
    for line in lines:
        starts.append(len(units))
        squeezed = line.replace(" ", "").replace("\t", "").encode("utf-16-le")
        units += [int.from_bytes(squeezed[place : place + 2], "little") for place in range(0, len(squeezed), 2)] + [10]
    units[-1] = 0xFFFF
    seen: Counter[str] = Counter()
    expected = []
    for start in starts:
        value = plain_hash(units, start)
        seen[value] += 1
        expected.append(f"{value}:{seen[value]}")

    assert expected == line_hashes(lines)


def test_the_hash_of_an_empty_file_is_known() -> None:
    assert ["c129715d7a2bc9a3:1"] == line_hashes([""])  # the one that code scanning gives


# --- Markdown --------------------------------------------------------------------------------------


def test_markdown_in_short() -> None:
    written = render("markdown", REPORTS["usual"])

    assert written.startswith("## Closeread: 1 finding (1 critical)\n")
    assert "| **critical** | `src/app.py:4` | \\`request.args\\` reaches a shell. [CWE-78](" in written
    assert "**The scan is incomplete: 1 problem.**" in written
    assert written.endswith("3 files, 1,234 lines read. 1 finding suppressed.\n")


def test_markdown_stays_text() -> None:
    evil = replace(
        FLOW, message="<img src=x onerror=alert(1)> | [a](javascript:b) @team", location=at("a|`b.py", 1, 0, 1)
    )
    written = render("markdown", report(evil))

    assert "<img" not in written
    assert "](javascript" not in written
    assert " @team" not in written


# --- HTML ------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Collects what a page is made of, and checks that its elements nest."""

    VOID = ("meta", "link", "img", "br", "hr", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: Counter[str] = Counter()
        self.attributes: list[tuple[str, str, str]] = []
        self.open: list[str] = []
        self.texts: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("style", "script"):
            self.texts[self.open[-1]] = data


@each
def test_a_page_is_whole_and_asks_for_nothing(name: str) -> None:
    page = Page(render("html", REPORTS[name]))
    policy = next(value for tag, key, value in page.attributes if key == "content" and "default-src" in value)

    assert {"img", "link", "iframe", "form", "object", "base"} & page.tags.keys() == set()
    assert (page.tags["script"], page.tags["style"]) == (1, 1)
    assert [key for _, key, _ in page.attributes if key in ("style", "src") or key.startswith("on")] == []
    assert all(value.startswith(("#", "https://cwe.mitre.org/")) for _, key, value in page.attributes if key == "href")
    for tag in ("style", "script"):
        digest = b64encode(sha256(page.texts[tag].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
        assert "http" not in page.texts[tag]
        assert "url(" not in page.texts[tag]
    assert policy.startswith("default-src 'none';")


def test_a_page_shows_code_as_text() -> None:
    evil = replace(FLOW, message="</script><script>alert(1)</script>", location=at("<b>.py", 1, 8, 12), trace=())
    source = {"<b>.py": ["x = 1 + <b onclick='f()'>&amp;"]}
    written = render("html", report(evil, lines_of=lambda path: source.get(path, [])))

    assert Page(written).tags["script"] == 1
    assert html.escape("</script><script>alert(1)</script>") in written
    assert "x = 1 + <mark>&lt;b o</mark>nclick=&#x27;f()&#x27;&gt;&amp;amp;" in written


def test_a_page_in_full() -> None:
    written = render("html", REPORTS["usual"])

    assert "<h1>1 finding</h1>" in written
    assert "<mark>request.args[&quot;name&quot;]</mark>" in written
    assert "The scan is incomplete: 1 problem" in written
    assert "1 finding suppressed" in written
    assert "Nothing to report." in render("html", REPORTS["empty"])


# --- Suppressed ------------------------------------------------------------------------------------

UNTIL = replace(SUPPRESSED, suppression=Suppression("looked at", 4, "nosec", "2027-01-31"))
SAID = "nosec: looked at (until 2027-01-31)"


@pytest.mark.parametrize("name", sorted({*reports.names()} - {"codequality", "github"}))
def test_what_is_suppressed_stays_in_the_report_with_whose_words_and_until_when(name: str) -> None:
    written = html.unescape(render(name, report(suppressed=(UNTIL,))))
    whole = '"origin": "nosec", "until": "2027-01-31"'
    cells = "<td>nosec</td><td>looked at (until 2027-01-31)</td>"

    assert any(
        said in written.replace("\\", "").replace('":"', '": "').replace('","', '", "').replace("\n       ", "")
        for said in (SAID, whole, cells)
    ), written


@pytest.mark.parametrize("name", ["codequality", "github"])
def test_formats_that_have_no_place_for_it_show_what_is_open_alone(name: str) -> None:
    assert render(name, report(FLOW, suppressed=(UNTIL,))) == render(name, report(FLOW))


# --- Doubt -----------------------------------------------------------------------------------------

DOUBT = "Likely false, by a score fitted to labelled code"


@pytest.mark.parametrize("name", reports.names())
def test_each_format_says_which_findings_are_likely_false(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the score that ships, with a line above it; none is drawn in what ships (`test_ranking.py`)."""
    assert DOUBT not in render(name, report(FLOW, REMARK))
    fitted = {**ranking._fitted(), "line": 1.1}
    monkeypatch.setattr(ranking, "_fitted", lambda: fitted)
    plain = render(name, report(FLOW, REMARK)).replace("\\", "")

    assert plain.count(DOUBT) == 1


# --- Secrets ---------------------------------------------------------------------------------------

SECRET = replace(FLOW, rule="hard-coded-credential", cwe=798, location=at("k.py", 1, 8, 24), trace=(), message="A key.")
LINES = ['TOKEN = "s3cr3t-of-ours" + other', "x = 1"]


@pytest.mark.parametrize("name", reports.names())
def test_no_report_quotes_a_secret(name: str) -> None:
    whole = report(SECRET, lines_of=lambda path: LINES, secrets=secret_places([SECRET]))

    assert "s3cr3t-of" not in render(name, whole)


def test_a_secret_keeps_its_length() -> None:
    places = secret_places([SECRET])["k.py"]

    assert masked(LINES[0], 1, places) == 'TOKEN = "s3c***********" + other'
    assert masked(LINES[1], 2, places) == "x = 1"
    assert masked("KEY=abcdefgh", 3, (at("e", 3, 4, 12),)) == "KEY=abc*****"


# --- Where they go ---------------------------------------------------------------------------------


def test_several_in_one_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from server.test_cli import invoke

    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    Path("a.py").write_text("BUG\n")
    wanted = ["report.json", "out.sarif", "page.html", "odd.name", "gl-code-quality-report.json"]
    outputs = [word for name in wanted for word in ("--output", name)]
    formats = [word for name in ("gitlab", "sarif", "html", "jsonl") for word in ("--format", name)]
    result = invoke(tmp_path, "analyze", "--path", ".", *outputs, *formats)

    assert result.exit_code == 0, result.output
    assert len(json.loads(Path("report.json").read_text())["vulnerabilities"]) == 1
    assert len(json.loads(Path("out.sarif").read_text())["runs"]) == 1
    assert "<h1>1 finding</h1>" in Path("page.html").read_text()
    assert json.loads(Path("odd.name").read_text().splitlines()[0])["type"] == "scan"
    assert len(json.loads(Path("gl-code-quality-report.json").read_text())) == 1
    assert result.stdout.count("The report is in ") == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "sarfi"], "Did you mean sarif?"),
        (["-o", "a.json", "-f", "json", "-f", "html"], "more --format than --output"),
        (["-o", "-", "-o", "-"], "only one report can go to standard output"),
    ],
)
def test_what_cannot_be_is_said_before_the_scan(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], message: str
) -> None:
    from server.test_cli import invoke

    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("RAISE\n")
    result = invoke(tmp_path, "analyze", "--path", ".", *options)

    assert (result.exit_code, message in result.stderr) == (2, True)
