"""The command line's commands. Standard output has what people asked for; standard error, progress and complaints.

Exit codes: 0 the scan was done (findings or not), 1 findings at or above `--fail-on`, 2 a usage or
internal error, 3 an incomplete scan under `--strict`. Where several hold, 2 comes before 1 before 3.

Heavy libraries are imported where they are used, so that a scan answered from the cache is quick.
"""

from __future__ import annotations

import difflib
import json
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NoReturn

import typer

from . import version
from .settings import ModelsError, confidence, severity

if TYPE_CHECKING:
    from closeread_analyzers.catalogue import Rule

    from .reports import Report
    from .scan import Progress, Scan, Tools

app = typer.Typer(
    name="closeread",
    help="Reads code for security bugs and review remarks, on this machine alone.",
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
cache_app = typer.Typer(name="cache", help="What is remembered between scans.", no_args_is_help=True)
app.add_typer(cache_app)

_FINDINGS, _ERROR, _INCOMPLETE = 1, 2, 3

Level = Literal["info", "low", "medium", "high", "critical"]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"closeread {version()}")
        raise typer.Exit


@app.callback()
def _common(
    version_: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


@app.command()
def analyze(
    context: typer.Context,
    path: Annotated[list[str], typer.Option("--path", "-p", help="A file or folder; may be repeated.")],
    output: Annotated[str | None, typer.Option("--output", "-o", help="Write a report here.")] = None,
    format_: Annotated[str | None, typer.Option("--format", "-f", help="text, gitlab, json, sarif.")] = None,
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
    if no_cache:
        changes["cache"] = False
    with _complaints(verbose):
        name = _format(format_, output)
        scan = _scan(path, changes, exclude or [], quiet, context.obj, output)
        for warning in scan.warnings:
            _complain(f"warning: {warning}")
        _deliver(scan.report, name, output, quiet=quiet, verbose=verbose)
        code = _exit_code(scan, strict)
    raise typer.Exit(code)


def _scan(
    paths: list[str],
    changes: dict[str, Any],
    exclude: list[str],
    quiet: bool,
    tools: Tools | None,
    output: str | None,
) -> Scan:
    from dataclasses import replace

    from .scan import Tools, scan

    with _progress(quiet) as progress:
        return scan(paths, changes, exclude, replace(tools or Tools(), progress=progress), output)


def _exit_code(scan: Scan, strict: bool) -> int:
    if scan.report.failed:
        return _ERROR
    if scan.gate:
        return _FINDINGS
    return _INCOMPLETE if strict and scan.report.problems else 0


def _format(name: str | None, output: str | None) -> str:
    from . import reports

    if name is not None and name not in reports.names():
        near = difflib.get_close_matches(name, reports.names(), n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else ""
        _fail(f"there is no format {name!r}; there are {', '.join(reports.names())}.{hint}")
    if output is not None and output != "-":
        parent = Path(output).absolute().parent
        if not parent.is_dir():
            _fail(f"the folder of the report does not exist: {parent}")
        if Path(output).is_dir():
            _fail(f"the report cannot be written, it is a folder: {output}")
    if name is not None:
        return name
    return "text" if output in (None, "-") else reports.for_file(str(output))


def _deliver(report: Report, name: str, output: str | None, *, quiet: bool, verbose: bool) -> None:
    from . import platform_, reports

    on_stdout = output in (None, "-")
    if on_stdout and name != "text":
        sys.stdout.flush()
        sys.stdout.buffer.write(reports.named(name).render(report))
        sys.stdout.buffer.flush()
        return
    if not on_stdout:
        try:
            platform_.write_atomically(Path(str(output)), reports.named(name).render(report))
        except OSError as error:
            _fail(f"the report cannot be written to {output}: {platform_.reason(error)}")
    if not quiet or (on_stdout and output == "-"):
        _print_summary(report, verbose)
        if not on_stdout:
            typer.echo(f"The report is in {output}.")
    elif report.failed or report.problems:
        _complain(f"the scan is incomplete: {len(report.problems)} problems.")


def _print_summary(report: Report, verbose: bool) -> None:
    from .reports import text

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


@app.command()
def explain(rule: Annotated[str, typer.Argument(help="A rule's name, as in a finding.")]) -> None:
    """Show a rule's page: why it matters, what to do, what is and is not flagged."""
    with _complaints():
        rules = _rules()
        if rule not in rules:
            near = [name for name in rules if rule and rule in name][:3] or difflib.get_close_matches(rule, rules)
            hint = f" Did you mean {', '.join(near)}?" if near else " `closeread rules` lists them all."
            _fail(f"there is no rule {rule!r}.{hint}")
        page = _page(rules[rule])
        if not sys.stdout.isatty():
            typer.echo(page)
            return
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(page))


@app.command()
def why(
    place: Annotated[str, typer.Argument(metavar="FILE:LINE", help="A line of a source file.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """Say why a line was or was not reported: what reaches it, what cleared it, where it was lost."""
    with _complaints():
        from . import why as why_

        try:
            told = why_.ask(place)
        except why_.BadQuestion as error:
            _fail(f"{error}.")
        if as_json:
            typer.echo(json.dumps(why_.as_json(told), indent=2))
        else:
            typer.echo(why_.text(told), nl=False)


def _page(rule: Rule) -> str:
    weakness = f", CWE-{rule.cwe}" if rule.cwe is not None else ""
    document = rule.document.read_text("utf-8")
    body = document.split("\n+++\n", 1)[-1].strip()
    fix = f"\n\n**Fix:** {rule.fix}" if rule.fix else ""
    return f"{body}\n\n---\n\n`{rule.id}`: {rule.kind}, {rule.severity.label} severity{weakness}{fix}"


@app.command()
def rules(as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False) -> None:
    """List the rules."""
    with _complaints():
        known = sorted(_rules().values(), key=lambda rule: (rule.kind != "vulnerability", rule.topic, rule.id))
        if as_json:
            typer.echo(json.dumps([_facts(rule) for rule in known], indent=2))
            return
        rows = [
            (rule.id, rule.topic, rule.severity.label, f"CWE-{rule.cwe}" if rule.cwe else "", rule.title)
            for rule in known
        ]
        head = ("rule", "topic", "severity", "weakness", "title")
        if sys.stdout.isatty():
            from rich.console import Console
            from rich.table import Table

            table = Table(box=None, pad_edge=False)
            for name in head:
                table.add_column(name, no_wrap=name != "title")
            for row in rows:
                table.add_row(*row)
            Console().print(table)
            return
        widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
        for row in (head, *rows):
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _facts(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "topic": rule.topic,
        "title": rule.title,
        "kind": rule.kind,
        "severity": rule.severity.label,
        "confidence": rule.confidence.label,
        "cwe": rule.cwe,
        "fix": rule.fix,
    }


def _rules() -> dict[str, Rule]:
    from closeread_analyzers.catalogue import builtin

    return builtin().rules


@app.command()
def serve(
    tcp: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Listen on this loopback address instead of stdio.")
    ] = None,
) -> None:
    """Run the language server, on standard input and output."""
    with _complaints():
        address = _loopback(tcp) if tcp is not None else None
        from .lsp.server import run

        run(stdio=address is None, tcp=address)


def _loopback(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if host not in {"127.0.0.1", "localhost", "::1"}:
        _fail(f"--tcp listens on this machine only (127.0.0.1, localhost or [::1]), not on {host!r}.")
    if not port.isdigit() or int(port) > 65535:
        _fail(f"--tcp wants HOST:PORT; {port!r} is no port.")
    return host, int(port)


@cache_app.command()
def stats() -> None:
    """Say where the cache is and what it holds."""
    with _complaints():
        from .store import Store

        store = Store()
        typer.echo(f"folder   {store.folder}")
        typer.echo(f"results  {store.count():,}")
        typer.echo(f"size     {store.size() / 1e6:.1f} MB")
        store.close()
        if store.warning:
            _fail(store.warning)


@cache_app.command()
def clear() -> None:
    """Forget every result. Changes nothing but the time of the next scan."""
    with _complaints():
        from .platform_ import reason
        from .store import Store

        store = Store()
        try:
            store.clear()
        except OSError as error:
            _fail(f"the cache in {store.folder} cannot be cleared: {reason(error)}")
        typer.echo(f"Cleared {store.folder}.")


def _complain(message: str) -> None:
    typer.echo(f"closeread: {message}", err=True)


def _fail(message: str) -> NoReturn:
    _complain(message)
    raise typer.Exit(_ERROR)


@contextmanager
def _complaints(verbose: bool | None = None) -> Iterator[None]:
    """Whatever goes wrong ends in one line and exit code 2, never in a green job."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        _fail("interrupted.")
    except ModelsError as error:
        _fail(str(error))
    except Exception as error:
        if verbose:
            traceback.print_exc()
        hint = " (--verbose shows where)" if verbose is False else ""
        _fail(f"internal error: {type(error).__name__}: {error}{hint}")
