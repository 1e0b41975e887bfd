"""How many of the model's proposals pass the mender's checks: on every vulnerability inside a function of some projects.

    nice .venv/bin/python benchmarks/mender.py [--most 50] [--minutes 60] [--show] [FOLDER...]    # with the model in use

Without a folder, the projects are the small applications of tests/applications, without the marks that say what is wrong.

A rule's own fix counts apart, since no model is asked then. `--show` prints the accepted patches, to be read. The findings
are taken in the order of a hash of their place, so that a few are a fair sample of all. The model's answers are remembered.
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from closeread import mending
from closeread.model import mender
from closeread.model.assistant import assistant
from closeread.model.shelf import ModelProblem
from closeread.settings import Settings
from closeread.why import deep
from closeread.work import Snapshot, own_catalogue
from closeread.workspace.files import Workspace
from closeread_analyzers.finding import Finding
from closeread_analyzers.pipeline import Project, merged

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from applications import test_applications as applications


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--most", type=int, default=50)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--show", action="store_true")
    options = parser.parse_args()
    deep(lambda: measure(options.folders, options.most, options.minutes, options.show))


def projects(folders: list[Path]) -> Iterator[tuple[Project, Iterable[str]]]:
    """Each project with its files."""
    for folder in folders:
        workspace = Workspace(folder.resolve(), Settings())
        yield Project(Snapshot(workspace), own_catalogue("")), workspace.sources().files
    if not folders:
        for page in applications.PAGES:
            texts = applications.files(page.read_text("utf-8"))
            for path, text in texts.items():
                texts[path] = re.sub(r"[ \t]*" + applications._MARK.pattern, "", text, flags=re.MULTILINE)
            yield Project(texts), texts


def measure(folders: list[Path], most: int, minutes: float, show: bool) -> None:
    candidates: list[tuple[str, Project, Finding]] = []
    for project, paths in projects(folders):
        for finding in merged(project.analyze(path) for path in paths):
            if finding.kind == "vulnerability" and finding.trace and project.function_of(finding) is not None:
                place = f"{finding.location.path}:{finding.location.start_line}:{finding.rule}"
                candidates.append((hashlib.sha256(place.encode()).hexdigest(), project, finding))
    print(f"{len(candidates)} vulnerabilities with a flow, inside functions")
    counts: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    ends = time.monotonic() + 60 * minutes
    with assistant() as model:
        if model is None:
            raise SystemExit("no model is in use: closeread model pull")
        for _, project, finding in sorted(candidates, key=lambda row: row[0]):
            if counts.total() - counts["a rule's own fix"] >= most or time.monotonic() > ends:
                break
            if project.fix(finding) is not None:
                counts["a rule's own fix"] += 1
                continue
            try:
                proposal = mender.propose(project, finding, model)
            except ModelProblem as error:
                counts[f"not asked: {error}"] += 1
                continue
            counts["accepted" if proposal.fix else "not accepted"] += 1
            reasons.update(proposal.refused)
            print(
                f"{'accepted' if proposal.fix else 'refused ':8} {finding.rule} {finding.location.path}:{finding.location.start_line}",
                flush=True,
            )
            if show and proposal.fix is not None:
                print(mending.patch(project, proposal.fix))
    for name, count in (*counts.most_common(), *(("refused: " + why, count) for why, count in reasons.most_common())):
        print(f"{count:4} {name}")


if __name__ == "__main__":
    main()
