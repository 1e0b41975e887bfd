from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from closeread import reports
from closeread.reports import Report, gitlab, sarif, text
from closeread.reports._line_hash import line_hashes
from closeread_analyzers.catalogue import builtin
from closeread_analyzers.finding import (
    Confidence,
    Finding,
    Location,
    Problem,
    Severity,
    Step,
    Suppression,
)
from needs import installed
from server.gitlab_schema import SCHEMA

VALIDATORS = Path(__file__).with_name("install-validators")

STARTED = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)

SOURCE = {
    "src/app.py": [
        "from flask import request",
        "def ping():",
        '    name = request.args["name"]',
        '\tos.system("ping " + name)',
        "x = '\u4e2d\u6587' + bad()",
    ],
    "evil.py": ["\x1b[2J\x1b]0;owned\x07 = '\u202e' + eval(x)  # [bold]not markup[/bold]"],
    "long.py": ["a" * 50_000 + "eval(x)" + "b" * 50_000],
}


def at(path: str, line: int, start: int, end: int, end_line: int = 0) -> Location:
    return Location(path, line, start, end_line or line, end)


FLOW = Finding(
    rule="command-injection",
    location=at("src/app.py", 4, 1, 26),
    message="`request.args` reaches a shell.",
    severity=Severity.CRITICAL,
    confidence=Confidence.HIGH,
    cwe=78,
    kind="vulnerability",
    fingerprint="0123456789abcdef0123456789abcdef",
    function="ping",
    trace=(
        Step(at("src/app.py", 3, 11, 31), "a request parameter", "source"),
        Step(at("src/app.py", 4, 1, 26), "into a shell", "sink"),
    ),
)
REMARK = replace(
    FLOW,
    rule="broad-except",
    location=at("src/app.py", 2, 0, 3),
    message="Too broad.",
    severity=Severity.LOW,
    cwe=None,
    kind="remark",
    trace=(),
)
SUPPRESSED = replace(FLOW, suppression=Suppression("known", 4), fingerprint="f" * 32)
PROBLEM = Problem("src/bad.py", 7, "Cannot be parsed from here.", "syntax")


def report(*findings: Finding, **changes: Any) -> Report:
    base = Report(
        findings=findings,
        files=3,
        lines=1234,
        started=STARTED,
        ended=STARTED + timedelta(seconds=2),
        version="1.2.3",
        rules=builtin().rules,
        lines_of=lambda path: SOURCE.get(path, []),
    )
    return replace(base, **changes)


HOSTILE = [
    replace(FLOW, location=at("evil.py", 1, 0, 4), message="\x1b[31m \u202e \udcff", function="f\x07"),
    replace(FLOW, location=at("caf\udce9 #%?.py", 1, 0, 4)),
    replace(FLOW, location=at("gone.py", 99, 400, 2), function=""),
    replace(FLOW, rule="no-such-rule", location=at("long.py", 1, 50_000, 50_007)),
    replace(FLOW, location=at("/abs/a b.py", 1, 0, 4), trace=()),
]

REPORTS = {
    "empty": report(),
    "usual": report(FLOW, REMARK, suppressed=(SUPPRESSED,), problems=(PROBLEM,)),
    "hostile": report(*HOSTILE, problems=(replace(PROBLEM, path="caf\udce9\x1b.py", message="\udcff"),)),
    "failed": report(failed=True, problems=(Problem("nope", 0, "There is no such file or folder.", "unreadable"),)),
    "twins": report(FLOW, FLOW),
}
each = pytest.mark.parametrize("name", REPORTS)


def load(data: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(data.decode("ascii"))
    return document


def test_the_folder_is_the_registry() -> None:
    assert set(reports.names()) >= {"text", "json", "gitlab", "sarif"}
    assert [reports.for_file(name) for name in ("r.json", "R.SARIF", "r.txt", "r")] == [
        "gitlab",
        "sarif",
        "text",
        "gitlab",
    ]


# --- GitLab ----------------------------------------------------------------------------------------


@each
def test_gitlab_is_valid(name: str) -> None:
    jsonschema.validate(load(gitlab.render(REPORTS[name])), SCHEMA, jsonschema.Draft7Validator)


def test_gitlab_in_full() -> None:
    document = load(gitlab.render(REPORTS["usual"]))
    (found,) = document["vulnerabilities"]

    assert document["scan"]["start_time"] == "2026-01-02T03:04:05"
    assert document["scan"]["messages"] == [
        {"level": "info", "value": "3 files analysed, 1 problems."},
        {"level": "info", "value": "Suppressed: command-injection in src/app.py:4: closeread: known"},
        {"level": "warn", "value": "src/bad.py:7: Cannot be parsed from here."},
    ]
    assert [(i["type"], i["value"]) for i in found["identifiers"]] == [
        ("closeread_rule_id", "command-injection"),
        ("cwe", "78"),
    ]
    assert found["location"] == {"file": "src/app.py", "start_line": 4, "end_line": 4, "method": "ping"}
    assert found["severity"] == "Critical"
    assert found["description"].startswith("`request.args` reaches a shell.\n\n")
    assert found["solution"] == builtin().rules["command-injection"].fix
    assert found["links"] == [{"name": "CWE-78", "url": "https://cwe.mitre.org/data/definitions/78.html"}]
    assert found["tracking"]["items"][0]["signatures"][0]["value"] == FLOW.fingerprint
    assert [step["value"] for step in found["details"]["trace"]["items"].values()] == [
        'a request parameter: name = request.args["name"]',
        'into a shell: os.system("ping " + name)',
    ]


def test_gitlab_names_are_not_about_the_finding() -> None:
    found = load(gitlab.render(report(FLOW, replace(FLOW, message="Other.", location=at("b.py", 1, 0, 1)))))

    assert len({item["name"] for item in found["vulnerabilities"]}) == 1


def test_ids_are_unique_and_the_same_every_time_and_survive_moved_lines() -> None:
    def ids(*findings: Finding) -> list[str]:
        return [item["id"] for item in load(gitlab.render(report(*findings)))["vulnerabilities"]]

    other = replace(FLOW, location=at("src/other.py", 4, 1, 26))
    first = ids(FLOW, FLOW, other)
    assert len(set(first)) == 3
    assert ids(FLOW, FLOW, other) == first
    assert ids(replace(FLOW, location=at("src/app.py", 9, 1, 26))) == first[:1]


def test_neither_remarks_nor_suppressed_findings_are_vulnerabilities() -> None:
    assert load(gitlab.render(report(REMARK, suppressed=(SUPPRESSED,))))["vulnerabilities"] == []


def test_a_failed_scan_says_so() -> None:
    assert load(gitlab.render(REPORTS["failed"]))["scan"]["status"] == "failure"


def test_our_schema_does_refuse() -> None:
    document = load(gitlab.render(REPORTS["usual"]))
    document["scan"]["end_time"] += "Z"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SCHEMA, jsonschema.Draft7Validator)


# --- SARIF -----------------------------------------------------------------------------------------


@each
def test_sarif_is_valid(name: str) -> None:
    """By the published schema, as the package of its editors' own tool carries it."""
    schema = json.loads((installed(VALIDATORS, "make validators") / "sarif-2.1.0.json").read_text("utf-8-sig"))

    jsonschema.validators.validator_for(schema)(schema).validate(load(sarif.render(REPORTS[name])))


def test_sarif_is_what_code_scanning_takes(tmp_path: Path) -> None:
    """By the SARIF multitool, the rules of GitHub's code scanning among its rules: what it has to say, by rule and level."""
    multitool = installed(VALIDATORS, "make validators") / "Sarif.Multitool"
    for name, of in REPORTS.items():
        (tmp_path / f"{name}.sarif").write_bytes(sarif.render(of))
    broken = load(sarif.render(REPORTS["usual"]))
    broken["runs"][0]["results"][0]["ruleIndex"] = 99
    (tmp_path / "broken.sarif").write_text(json.dumps(broken))
    rules = ("--rule-kind", "Sarif;Ghas", "--level", "Error;Warning")
    command = [multitool, "validate", *tmp_path.glob("*.sarif"), *rules, "--output", tmp_path / "told.json"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"}
    subprocess.run(command, env=environment, capture_output=True, check=False, timeout=300)
    told: dict[str, set[tuple[str, str]]] = {}
    for result in load((tmp_path / "told.json").read_bytes())["runs"][0]["results"]:
        file = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"].rpartition("/")[2]
        told.setdefault(file, set()).add((result["ruleId"], result.get("level", "warning")))

    assert told.pop("broken.sarif") != {NO_HOME_PAGE}
    assert told == {f"{name}.sarif": {NO_HOME_PAGE} for name in REPORTS}


NO_HOME_PAGE = ("SARIF2005", "warning")
"""The tool has no page in the network to name."""


def test_sarif_in_full() -> None:
    (run,) = load(sarif.render(REPORTS["usual"]))["runs"]
    rules = run["tool"]["driver"]["rules"]
    first = run["results"][0]

    assert [rule["id"] for rule in rules] == ["broad-except", "command-injection"]
    assert rules[1]["properties"] == {
        "tags": ["security", "external/cwe/cwe-078"],
        "precision": "high",
        "security-severity": "9.5",
    }
    assert "security-severity" not in rules[0]["properties"]
    assert rules[first["ruleIndex"]]["id"] == first["ruleId"]
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "src/app.py", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 4, "startColumn": 2, "endLine": 4, "endColumn": 27},
    }
    assert first["partialFingerprints"]["closeread/v1"] == FLOW.fingerprint
    assert first["partialFingerprints"]["primaryLocationLineHash"] == line_hashes(SOURCE["src/app.py"])[3]
    assert [step["kinds"] for step in first["codeFlows"][0]["threadFlows"][0]["locations"]] == [["source"], ["sink"]]
    assert len(run["results"]) == 3
    assert len(run["invocations"][0]["toolExecutionNotifications"]) == 1


def test_sarif_paths_are_uris() -> None:
    results = load(sarif.render(REPORTS["hostile"]))["runs"][0]["results"]
    uris = [result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for result in results]

    assert uris == ["evil.py", "caf%E9%20%23%25%3F.py", "gone.py", "long.py", "file:///abs/a%20b.py"]


# --- JSON ------------------------------------------------------------------------------------------


def test_json_has_everything() -> None:
    document = load(reports.named("json").render(REPORTS["usual"]))

    assert [finding["rule"] for finding in document["findings"]] == ["command-injection", "broad-except"]
    assert [finding["suppression"]["reason"] for finding in document["suppressed"]] == ["known"]
    assert document["problems"] == [
        {"path": "src/bad.py", "line": 7, "kind": "syntax", "message": "Cannot be parsed from here."}
    ]
    assert document["complete"] is False
    assert load(reports.named("json").render(REPORTS["empty"]))["complete"] is True


# --- Text ------------------------------------------------------------------------------------------


def test_text_in_full() -> None:
    expected = f"""\
CRITICAL command-injection (CWE-78, confidence high)
  `request.args` reaches a shell.
  --> src/app.py:4:2 in ping
    |
  4 | os.system("ping " + name)
    | ^^^^^^^^^^^^^^^^^^^^^^^^^
  trace:
    1. src/app.py:3 source: a request parameter
         name = request.args["name"]
    2. src/app.py:4 sink: into a shell
         os.system("ping " + name)
  fix: {builtin().rules["command-injection"].fix}

Remarks
  src/app.py:2:1 broad-except: Too broad.

Suppressed
  src/app.py:4:2 command-injection: `request.args` reaches a shell. (closeread: known)

Not analysed, or not whole
  src/bad.py:7: Cannot be parsed from here.

1 finding: 1 critical; 1 remark; 1 suppressed by comments
Scanned 3 files, 1,234 lines in 2.0 s.
The scan is incomplete: 1 problem.
"""
    assert text.render(REPORTS["usual"]).decode() == expected


def test_text_says_in_whose_words_findings_are_suppressed() -> None:
    foreign = replace(SUPPRESSED, suppression=Suppression("nosec B602", 4, "nosec"))
    told = text.render(report(suppressed=(SUPPRESSED, foreign, foreign))).decode()

    assert "; 3 suppressed (1 by comments, 2 by nosec)\n" in told


def test_text_with_nothing_to_say() -> None:
    assert text.render(REPORTS["empty"]).decode() == ("0 findings; 0 remarks\nScanned 3 files, 1,234 lines in 2.0 s.\n")


@each
def test_nothing_in_a_text_drives_a_terminal(name: str) -> None:
    written = text.render(REPORTS[name]).decode()

    assert re.findall(r"[^\S\n ]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", written) == []


def test_a_hostile_line_is_shown_as_what_it_is() -> None:
    written = text.render(report(replace(FLOW, location=at("evil.py", 1, 28, 35), trace=()))).decode()

    assert r"1 | \x1b[2J\x1b]0;owned\x07 = '\u202e' + eval(x)  # [bold]not markup[/bold]" in written


def test_an_endless_line_is_cut_around_the_finding() -> None:
    written = text.render(report(replace(FLOW, location=at("long.py", 1, 50_000, 50_007), trace=()))).decode()
    lines = written.splitlines()

    assert max(map(len, lines)) < 200
    code = next(line for line in lines if "eval(x)" in line)
    caret = lines[lines.index(code) + 1]
    assert caret.index("^") == code.index("eval(x)")
    assert caret.count("^") == len("eval(x)")


def test_the_caret_stands_under_wide_characters() -> None:
    written = text.render(report(replace(FLOW, location=at("src/app.py", 5, 11, 16), trace=()))).decode()
    lines = written.splitlines()
    row = next(number for number, line in enumerate(lines) if "bad()" in line)

    assert lines[row][: lines[row].index("bad()")] == "  5 | x = '\u4e2d\u6587' + "
    assert lines[row + 1] == "    | " + " " * 13 + "^" * 5


def test_problems_are_all_counted_and_at_first_twenty_shown() -> None:
    many = report(problems=tuple(Problem(f"f{n:03}.py", 0, "Bad.", "syntax") for n in range(100)))
    lines = ["".join(piece for piece, _ in line) for line in text.lines(many)]

    assert sum(line.endswith(": Bad.") for line in lines) == 20
    assert "  ... and 80 more (--verbose, or any report, has them all)" in lines
    assert lines[-1] == "The scan is incomplete: 100 problems."
