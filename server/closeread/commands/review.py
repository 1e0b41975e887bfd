"""`closeread review [COMMIT]`: what a commit introduced and fixed; and `closeread log`: the reviews there were."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ..console import complain, complaints

if TYPE_CHECKING:
    from ..review import Review


def register(app: typer.Typer) -> None:
    """Attach the commands."""
    app.command()(review)
    app.command()(log)


def review(
    commit: Annotated[
        str, typer.Argument(help="A commit; its changes against its first parent are looked at.")
    ] = "HEAD",
    path: Annotated[Path, typer.Option("--path", "-p", help="A folder of the repository.")] = Path(),
    format_: Annotated[Literal["text", "json"], typer.Option("--format", "-f", help="text or json.")] = "text",
) -> None:
    """Review a commit: findings introduced and fixed, and remarks on the functions it changed."""
    with complaints():
        from .. import log as log_
        from ..review import of_commit, repository_of

        repository = repository_of(path.absolute())
        try:
            made = of_commit(repository, commit)
            try:
                log_.keep(repository, made)
            except OSError as error:
                complain(f"warning: the review cannot be kept: {error}")
            _show(made, format_)
        finally:
            repository.close()


def _show(made: Review, format_: str) -> None:
    from .. import log as log_
    from ..reports import text
    from ..reports.json import document, finding_data

    if format_ == "json":
        commit = made.commit.id if made.commit is not None else ""
        fixed = [finding_data(made.report, finding) for finding in made.fixed]
        json.dump({"commit": commit, **document(made.report), "fixed": fixed}, sys.stdout, indent=2)
        print()
        return
    for line in text.lines(made.report):
        print("".join(piece for piece, _ in line).rstrip())
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
