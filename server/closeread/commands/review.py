"""`closeread review [COMMIT|--staged]`: what a commit, or what is staged, introduces and fixes; and `closeread log`: the
reviews there were."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..console import complain, complaints, fail

if TYPE_CHECKING:
    from ..model.reviewer import Remark
    from ..review import Review
    from ..workspace.git import Repository


def register(app: typer.Typer) -> None:
    """Attach the commands."""
    app.command()(review)
    app.command()(log)


def review(
    commit: Annotated[
        str | None,
        typer.Argument(
            help="A commit, HEAD if none is named; its changes against its first parent are looked at.",
            show_default=False,
        ),
    ] = None,
    staged: Annotated[bool, typer.Option("--staged", help="What is staged for the next commit, instead.")] = False,
    path: Annotated[Path, typer.Option("--path", "-p", help="A folder of the repository.")] = Path(),
    format_: Annotated[Literal["text", "json"], typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Review a commit, or what is staged: findings introduced and fixed, and remarks on the functions it changed."""
    with complaints():
        from .. import log as log_
        from ..review import of_commit, of_staged, repository_of

        if staged and commit is not None:
            fail("a commit and --staged exclude each other.")
        repository = repository_of(path.absolute())
        try:
            ref = None if staged else commit or "HEAD"
            made = of_staged(repository, with_dependents=True) if ref is None else of_commit(repository, ref)
            if ref is not None:
                try:
                    log_.keep(repository, made)
                except OSError as error:
                    complain(f"warning: the review cannot be kept: {error}")
            _show(made, _remarks(repository, ref), format_)
        finally:
            repository.close()


def _remarks(repository: Repository, ref: str | None) -> tuple[str, tuple[Remark, ...]]:
    """What the model in use remarks on the changed functions, after its name; nothing of one that did not pass."""
    from ..model import assistant, evaluation, reviewer
    from ..model.shelf import ModelProblem
    from ..review import touched

    try:
        with assistant.assistant() as model:
            if model is None or not evaluation.passed(model.model):
                return "", ()
            return model.model.name, reviewer.remarks(touched(repository, ref), model)
    except ModelProblem as error:
        complain(f"warning: the model remarks nothing: {error}.")
        return "", ()


def _show(made: Review, remarked: tuple[str, tuple[Remark, ...]], format_: str) -> None:
    from .. import log as log_
    from ..model.reviewer import sentence
    from ..reports import text
    from ..reports.json import document, finding_data

    if format_ == "json":
        commit = made.commit.id if made.commit is not None else ""
        fixed = [finding_data(made.report, finding) for finding in made.fixed]
        remarks = [{**asdict(remark), "severity": "info"} for remark in remarked[1]]
        said = {"name": remarked[0], "remarks": remarks}
        json.dump({"commit": commit, **document(made.report), "fixed": fixed, "model": said}, sys.stdout, indent=2)
        print()
        return
    for line in text.lines(made.report):
        print("".join(piece for piece, _ in line).rstrip())
    for remark in remarked[1]:
        print(text.harmless(f"{remark.path}:{remark.line}: {sentence(remark, remarked[0])}"))
    for finding in made.fixed:
        print(text.harmless(f"fixed: {finding.location.path} {finding.rule}: {finding.message}"))
    print(text.harmless(log_.sentence(log_.entry(made))))


def log(
    path: Annotated[Path, typer.Option("--path", "-p", help="A folder of the repository.")] = Path(),
    number: Annotated[int, typer.Option("--number", "-n", min=1, help="So many, the newest last.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List the reviews of commits that were made here, in the editor or by `closeread review`."""
    with complaints():
        from .. import log as log_
        from ..reports.text import harmless
        from ..review import repository_of

        found = log_.entries(repository_of(path.absolute()))[-number:]
        if as_json:
            typer.echo(json.dumps(found, indent=2))
            return
        if not found:
            typer.echo("No commit was reviewed here yet: closeread review")
        for one in found:
            typer.echo(harmless(log_.sentence(one)))
            for finding in one["introduced"]:
                place = f"{finding['path']}:{finding['line']}"
                typer.echo(harmless(f"    {finding['severity']:8} {place} {finding['rule']}: {finding['message']}"))
