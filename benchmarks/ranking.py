"""Fits and judges the ranking of findings (server/closeread/ranking.py) on labelled code.

    .venv/bin/python benchmarks/ranking.py BENCH [--good FOLDER] [--write]

Findings come from three sorts of labelled code: the applications of BENCH/realvuln (true: the file, the weakness and a line
within 10 of a label, as its scorer counts; anything else is false), the cases of BENCH/owasp-python (findings of the case's own weakness,
true or false by its label), and the pages of tests/applications (false: what is marked `spurious`). With --good, also those in the
libraries that benchmarks/quiet.py installs, whose labels stand in benchmarks/good-code.tsv, given by reading each.

Judged by cross-validation: the applications are dealt into five parts; each part in turn is left out, the rest is fitted,
and the line is set on the rest so that 99 % of its true findings are above it. What is told is about what was left out:
the area under the ROC curve, over all and over pairs of one application (a report orders nothing else) beside that of an
order by severity and confidence alone; the share of true findings above the line, and of false ones below it. The line is
written only if at least 98 % of the true ones were kept and any false one was not: else it stays off.
Applications weigh by the square root of their findings, so that a large one does not outweigh all others.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from closeread import ranking
from closeread.settings import Settings
from closeread.why import deep
from closeread.work import Snapshot, own_catalogue
from closeread.workspace.files import Workspace
from closeread_analyzers.catalogue import builtin
from closeread_analyzers.finding import Finding
from closeread_analyzers.pipeline import Project, merged

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "applications"))

import test_applications as applications

LABELS = Path(__file__).with_name("good-code.tsv")
OUT = Path(ranking.__file__).with_name("ranking.toml")
KEEP = 0.98
AIM = 0.99
RIDGE = 0.3
FOLDS = 5
HEAD = """\
# The ranking of findings: coefficients of a logistic regression over the features of ranking.py, made by benchmarks/ranking.py.
# `line`, where there is one, is the score below which a finding is flagged as likely false; without it nothing is flagged.
# {said}
"""


class Row(NamedTuple):
    """One finding of labelled code. `group` is its application."""

    group: str
    finding: Finding
    true: bool

    @property
    def features(self) -> dict[str, float]:
        return {"": 1.0, **ranking.features(self.finding, builtin().rules.get(self.finding.rule))}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bench", type=Path)
    parser.add_argument("--good", type=Path)
    parser.add_argument("--write", action="store_true", help="write server/closeread/ranking.toml")
    options = parser.parse_args()
    rows: list[Row] = []
    deep(lambda: rows.extend(labelled(options.bench, options.good)))
    true = sum(row.true for row in rows)
    groups = sorted({row.group for row in rows})
    print(f"{len(rows)} findings of {len(groups)} applications: {true} true, {len(rows) - true} false")
    said, keeps = judged(rows, groups)
    print(said)
    weights = fit(rows)
    for name, weight in sorted(weights.items(), key=lambda item: -abs(item[1])):
        print(f"{weight:7.2f} {name or 'constant'}")
    if options.write:
        line = line_of(rows, weights) if keeps else None
        text = HEAD.format(said=said)
        text += f"\nline = {line:.4f}\n" if line is not None else ""
        text += "\n[weight]\n" + "".join(f'"{name}" = {weight:.4f}\n' for name, weight in sorted(weights.items()))
        OUT.write_text(text, "utf-8")
        print(f"written: {OUT}, the line is {'off' if line is None else f'at {line:.4f}'}")


def judged(rows: list[Row], groups: list[str]) -> tuple[str, bool]:
    """What cross-validation says in one sentence, and whether the line may be on."""
    dealt = sorted(groups, key=lambda group: hashlib.sha256(group.encode()).hexdigest())
    told: list[tuple[Row, float, bool]] = []
    for fold in range(FOLDS):
        out = set(dealt[fold::FOLDS])
        rest = [row for row in rows if row.group not in out]
        weights = fit(rest)
        line = line_of(rest, weights)
        scored = [(row, ranking.probability(row.features, weights)) for row in rows if row.group in out]
        told += [(row, score, score >= line) for row, score in scored]
    true = [above for row, _, above in told if row.true]
    false = [above for row, _, above in told if not row.true]
    scores = [(row, score) for row, score, _ in told]
    plain = [(row, float(10 * row.finding.severity + row.finding.confidence)) for row, _, _ in told]
    said = (
        f"Left out in {FOLDS} parts: AUC {auc(scores):.2f}, in one application {auc(scores, alone=True):.2f} (an order by "
        f"severity and confidence: {auc(plain, alone=True):.2f}); above the line {sum(true)} of {len(true)} true findings "
        f"({100 * sum(true) / len(true):.1f} %), below it {len(false) - sum(false)} of {len(false)} false ones."
    )
    return said, sum(true) >= KEEP * len(true) and sum(false) < len(false)


def fit(rows: list[Row]) -> dict[str, float]:
    """The weights: logistic regression with a ridge, by Newton's method. The constant ("") bears no ridge."""
    sizes = Counter(row.group for row in rows)
    vectors = [row.features for row in rows]
    names = sorted({name for vector in vectors for name in vector})
    weights = dict.fromkeys(names, 0.0)
    for _ in range(30):
        gradient = [-RIDGE * weights[name] if name else 0.0 for name in names]
        matrix = [[RIDGE * (one == other and bool(one)) for other in names] for one in names]
        for row, vector in zip(rows, vectors, strict=True):
            weight = 1 / math.sqrt(sizes[row.group])
            chance = ranking.probability({name: value for name, value in vector.items() if name}, weights)
            for at, one in enumerate(names):
                if value := vector.get(one, 0.0):
                    gradient[at] += weight * (row.true - chance) * value
                    for to, other in enumerate(names):
                        matrix[at][to] += weight * chance * (1 - chance) * value * vector.get(other, 0.0)
        step = solved(matrix, gradient)
        for name, change in zip(names, step, strict=True):
            weights[name] += change
        if max(map(abs, step)) < 1e-6:
            break
    return weights


def solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """`matrix` x = `right`, by elimination with pivots; `matrix` is positive definite."""
    rows = [[*row, value] for row, value in zip(matrix, right, strict=True)]
    for at in range(len(rows)):
        pivot = max(range(at, len(rows)), key=lambda index: abs(rows[index][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        for other in range(len(rows)):
            if other != at and rows[other][at]:
                factor = rows[other][at] / rows[at][at]
                rows[other] = [a - factor * b for a, b in zip(rows[other], rows[at], strict=True)]
    return [row[-1] / row[at] for at, row in enumerate(rows)]


def line_of(rows: list[Row], weights: dict[str, float]) -> float:
    """The highest line with `AIM` of the true findings above it."""
    scores = sorted(ranking.probability(row.features, weights) for row in rows if row.true)
    return scores[math.floor((1 - AIM) * len(scores))]


def auc(scores: list[tuple[Row, float]], alone: bool = False) -> float:
    """How often a true finding scores higher than a false one, ties by half; `alone`: than one of its own application."""
    won = pairs = 0.0
    for one, score in scores:
        for other, lower in scores:
            if one.true and not other.true and (not alone or one.group == other.group):
                pairs += 1
                won += (score > lower) + 0.5 * (score == lower)
    return won / pairs


# --- Labelled findings -----------------------------------------------------------------------------


def labelled(bench: Path, good: Path | None) -> Iterator[Row]:
    for truth in sorted((bench / "realvuln").glob("*.truth.json")):
        name = truth.name.removesuffix(".truth.json")
        yield from _realvuln(name, analysed(truth.parent / name), json.loads(truth.read_text("utf-8"))["findings"])
    owasp = bench / "owasp-python"
    rows = [
        row for row in csv.reader((owasp / "expected.csv").read_text("utf-8").splitlines()) if row and row[0][0] != "#"
    ]
    expected = {row[0]: (row[2].strip() == "true", int(row[3])) for row in rows}
    for finding in analysed(owasp):
        true, cwe = expected.get(Path(finding.location.path).stem, (False, 0))
        if cwe in (finding.cwe, *builtin().rules[finding.rule].also):
            yield Row("owasp", finding, true)
    for page in applications.PAGES:
        texts = applications.files(page.read_text("utf-8"))
        spurious = applications.marks(texts)["spurious"]
        project = Project(texts)
        for finding in merged(project.analyze(path) for path in texts):
            at = finding.location
            if finding.kind == "vulnerability":
                yield Row(page.stem, finding, (at.path, at.start_line, finding.rule) not in spurious)
    if good is not None:
        yield from _good(analysed(good))


def analysed(folder: Path) -> list[Finding]:
    """The vulnerabilities of a folder, suppressed ones left out."""
    workspace = Workspace(folder.resolve(), Settings())
    project = Project(Snapshot(workspace), own_catalogue(""))
    found = merged(project.analyze(path) for path in workspace.sources().files)
    return [finding for finding in found if finding.kind == "vulnerability" and finding.suppression is None]


def _realvuln(name: str, found: list[Finding], labels: list[dict]) -> Iterator[Row]:
    free = sorted(labels, key=lambda label: not label["is_vulnerable"])
    for finding in sorted(found, key=lambda finding: (finding.location.path, finding.location.start_line)):
        rule = builtin().rules[finding.rule]
        names = {f"CWE-{cwe}" for cwe in (finding.cwe, *rule.also)}
        line = finding.location.start_line
        fitting = (
            label
            for label in free
            if label["file"] == finding.location.path
            and names & set(label["acceptable_cwes"])
            and label["location"]["start_line"] - 10
            <= line
            <= (label["location"].get("end_line") or label["location"]["start_line"]) + 10
        )
        label = next(fitting, None)
        if label is not None:
            free.remove(label)
        yield Row(name, finding, label is not None and label["is_vulnerable"])


def _good(found: list[Finding]) -> Iterator[Row]:
    rows = [line.split("\t") for line in LABELS.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    labels: dict[tuple[str, str], bool] = {(path, rule): word == "true" for word, rule, path, *_ in rows}
    left: dict[str, int] = defaultdict(int)
    for finding in found:
        at = finding.location.path
        if (at, finding.rule) in labels:
            yield Row(f"good:{at.partition('/')[0]}", finding, labels[at, finding.rule])
        else:
            left[finding.rule] += 1
    if left:
        print(f"without a label, and left out: {sum(left.values())} ({', '.join(sorted(left))})")


if __name__ == "__main__":
    main()
