"""The example application: what examples/README.md says is wrong is found, and its right neighbours are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from closeread_analyzers.finding import Finding
from closeread_analyzers.languages import language_of
from closeread_analyzers.pipeline import Project

FOLDER = Path(__file__).parents[2] / "examples" / "flask-notes"

# One row of the table each: the acceptable weaknesses, and the end of the flow as file and (for code) line.
WRONG = [
    ({89}, "notes/db.py", "return self.connection.execute(statement, values).fetchall()"),
    ({78}, "notes/system.py", "return subprocess.run(command, shell=True, check=False, timeout=20).returncode == 0"),
    ({22}, "notes/system.py", 'with open(f"{folder}/{name}", "rb") as file:'),
    ({918}, "notes/system.py", "answer = requests.get(address, timeout=5)"),
    ({601}, "notes/accounts.py", 'return redirect(request.form.get("next", "/"))'),
    ({502}, "notes/transfer.py", "return pickle.loads(base64.b64decode(text))"),
    ({94, 1336}, "notes/pages.py", "return render_template_string(source)"),
    ({79}, "notes/templates/search.html", "<h1>Notes about {{ words|safe }}</h1>"),
    ({328, 327, 916}, "notes/accounts.py", "return hashlib.md5(password.encode()).hexdigest()"),
    ({259, 798}, "notes/settings.py", 'MAIL_PASSWORD = "vK8#qTz2!mWp9sLx"'),
    ({489, 94, 215}, "run.py", 'app.run(host="127.0.0.1", port=5000, debug=True)'),
]

# True as well, and not what the example is about: the application has no rate limit and no token in its forms.
ALSO_TRUE = {307, 352, 770, 799}


class Disk:
    """The application's files."""

    def read(self, path: str) -> bytes | None:
        return (FOLDER / path).read_bytes() if self.exists(path) else None

    def exists(self, path: str) -> bool:
        return (FOLDER / path).is_file()


@pytest.fixture(scope="module")
def findings() -> list[Finding]:
    project = Project(Disk())
    paths = sorted(at.relative_to(FOLDER).as_posix() for at in FOLDER.rglob("*") if at.is_file())
    results = [project.analyze(path) for path in paths if language_of(path)]
    assert [problem for result in results for problem in result.problems] == []
    return [finding for result in results for finding in result.findings if finding.kind == "vulnerability"]


def place(finding: Finding) -> tuple[str, str]:
    at = finding.location
    return at.path, (FOLDER / at.path).read_text(encoding="utf-8").splitlines()[at.start_line - 1].strip()


@pytest.mark.parametrize(("cwes", "path", "line"), WRONG, ids=[f"cwe-{min(cwes)}" for cwes, _, _ in WRONG])
def test_what_is_wrong_is_found(findings: list[Finding], cwes: set[int], path: str, line: str) -> None:
    assert [finding for finding in findings if finding.cwe in cwes and place(finding) == (path, line)]


def test_nothing_else_is_found(findings: list[Finding]) -> None:
    known = {(path, line) for _, path, line in WRONG}
    other = [(finding.rule, *place(finding)) for finding in findings if finding.cwe not in ALSO_TRUE]

    assert [row for row in other if row[1:] not in known] == []


def test_a_flow_between_files_has_its_trace(findings: list[Finding]) -> None:
    trace = next(finding.trace for finding in findings if finding.cwe == 89)
    files = [step.location.path for step in trace]

    assert (files[0], files[-1]) == ("notes/pages.py", "notes/db.py")
    assert [trace[0].kind, trace[-1].kind] == ["source", "sink"]
