"""`closeread analyze`: a scan from paths to a report and an exit code."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ..console import ERROR, FINDINGS, INCOMPLETE, complain, complaints
from ..settings import confidence, severity

if TYPE_CHECKING:
    from ..baseline import Baseline
    from ..outputs import Output
    from ..reports import Report
    from ..scan import Progress, Scan, Scope, Tools

FORMATS = (*("text", "gitlab", "sarif", "codequality", "github", "junit", "html", "markdown", "json", "jsonl"),)
Level = Literal["info", "low", "medium", "high", "critical"]


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command()(analyze)


def analyze(
    context: typer.Context,
    path: Annotated[list[str], typer.Option("--path", "-p", help="A file or folder; may be repeated.")],
    output: Annotated[
        list[str] | None,
        typer.Option("--output", "-o", help="Write a report here, in the format of its name; may be repeated."),
    ] = None,
    format_: Annotated[
        list[str] | None,
        typer.Option("--format", "-f", help=f"The format of the output: {', '.join(FORMATS)}."),
    ] = None,
    min_severity: Annotated[Level | None, typer.Option(help="Leave out what is less severe.")] = None,
    min_confidence: Annotated[
        Literal["low", "medium", "high"] | None, typer.Option(help="Leave out what is less certain.")
    ] = None,
    fail_on: Annotated[
        Literal["low", "medium", "high", "critical"] | None,
        typer.Option(help="Exit with 1 if a vulnerability is this severe, or more."),
    ] = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 if anything could not be analysed.")] = False,
    exclude: Annotated[list[str] | None, typer.Option(help="A pattern as in .gitignore; may be repeated.")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=0, help="Processes; 0 is one a core.")] = None,
    inferred: Annotated[
        bool,
        typer.Option("--inferred", help="Count what a local model infers of libraries that no file describes."),
    ] = False,
    diff: Annotated[
        str, typer.Option(metavar="REF", help="Only what changed since the work left this commit or branch.")
    ] = "",
    baseline: Annotated[Path | None, typer.Option(help="Findings in this file are known; they are suppressed.")] = None,
    write_baseline: Annotated[
        Path | None, typer.Option(help="Make a baseline of all findings there are; never over an older one.")
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Take out of the baseline what is not found any more.")
    ] = False,
    deadline: Annotated[
        float | None, typer.Option(min=0.001, help="Seconds for the whole run; then a partial report, and exit code 3.")
    ] = None,
    cache_dir: Annotated[
        Path | None, typer.Option(help="Keep the cache here, to be shared between runs of CI.")
    ] = None,
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Neither use nor fill the cache.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print no summary.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Print every problem, and tracebacks.")] = False,
) -> None:
    """Find bugs in files and folders."""
    changes: dict[str, Any] = {}
    if min_severity is not None:
        changes["min_severity"] = severity(min_severity)
    if min_confidence is not None:
        changes["min_confidence"] = confidence(min_confidence)
    if fail_on is not None:
        changes["fail_on"] = severity(fail_on)
    if jobs is not None:
        changes["jobs"] = jobs
    if inferred:
        changes["inferred"] = True
    if no_cache:
        changes["cache"] = False
    with complaints(verbose):
        from ..baseline import checked
        from ..outputs import planned
        from ..scan import Scope

        reports = planned(output or [], format_ or [])
        known = checked(baseline, write_baseline, prune=prune, partial=bool(diff))
        tools = _tools(context.obj, cache_dir)
        scan = _scan(path, changes, exclude or [], quiet, tools, reports, Scope(diff, deadline, known))
        for warning in scan.warnings:
            complain(f"warning: {warning}")
        if known is not None and not scan.report.late:
            _keep(known, scan.report, write_baseline is not None, prune)
        _deliver(scan.report, reports, quiet=quiet, verbose=verbose)
        code = _exit_code(scan, strict)
    raise typer.Exit(code)


def _tools(given: Tools | None, cache_folder: Path | None) -> Tools:
    from dataclasses import replace

    from ..scan import Tools

    tools = given or Tools()
    # A folder of its own inside: it is made private, and what is shared around it stays as it is.
    return tools if cache_folder is None else replace(tools, cache_folder=cache_folder.absolute() / "closeread")


def _keep(known: Baseline, report: Report, is_new: bool, prune: bool) -> None:
    """Write what a baseline has become."""
    if is_new:
        known.write()
        complain(f"{known.entries.total()} findings are in the new baseline {known.file}.")
    elif prune and (gone := known.prune(lambda path: path in report.scanned or not Path(path).exists())):
        complain(f"{gone} findings are gone from the baseline {known.file}.")


def _scan(
    paths: list[str],
    changes: dict[str, Any],
    exclude: list[str],
    quiet: bool,
    tools: Tools,
    reports: tuple[Output, ...],
    scope: Scope,
) -> Scan:
    from dataclasses import replace

    from ..scan import scan

    with _progress(quiet) as progress:
        return scan(
            paths,
            changes,
            exclude,
            replace(tools, progress=progress),
            [output.file for output in reports if output.file],
            scope,
        )


def _exit_code(scan: Scan, strict: bool) -> int:
    if scan.report.failed:
        return ERROR
    if scan.gate:
        return FINDINGS
    return INCOMPLETE if scan.report.late or (strict and scan.report.problems) else 0


def _deliver(report: Report, reports: tuple[Output, ...], *, quiet: bool, verbose: bool) -> None:
    on_stdout = [output for output in reports if output.file is None]
    for output in reports:
        if output.file is not None or output.format != "text":
            output.write(report)
    if on_stdout and on_stdout[0].format != "text":
        return  # all of standard output is the report
    if not quiet or on_stdout:
        _print_summary(report, verbose)
        for output in reports:
            if output.file is not None:
                typer.echo(f"The report is in {output.file}.")
    elif report.failed or report.problems:
        complain(f"the scan is incomplete: {len(report.problems)} problems.")


def _print_summary(report: Report, verbose: bool) -> None:
    from ..reports import text

    if not sys.stdout.isatty():
        for line in text.lines(report, verbose):
            sys.stdout.write("".join(piece for piece, _ in line).rstrip() + "\n")
        sys.stdout.flush()
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(highlight=False, soft_wrap=True)
    for line in text.lines(report, verbose):
        console.print(Text.assemble(*line))


@contextmanager
def _progress(quiet: bool) -> Iterator[Progress]:
    """A bar on standard error, if somebody is there to see it."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
