"""`closeread model ...`: which local models there are, which one is in use; getting, checking, measuring and removing them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..console import complaints, fail

if TYPE_CHECKING:
    from ..model.evaluation import Result
    from ..model.known import Known
    from ..model.shelf import Model, Progress, Served, Shelf

Name = Annotated[str | None, typer.Argument(metavar="[NAME]", help="A model; the default, or the one in use, if none.")]


def register(app: typer.Typer) -> None:
    """Attach the commands."""
    group = typer.Typer(
        name="model", help="Local models: they see more and explain better; nothing needs them.", no_args_is_help=True
    )
    for command in (list_, pull, use, info, verify, bench, quantize, remove):
        group.command(name=command.__name__.rstrip("_"))(command)
    app.add_typer(group)


def list_() -> None:
    """List the models known by name, and say which are here and which is in use."""
    with _problems() as shelf:
        from ..model.known import known
        from ..model.shelf import Model, Served

        current = shelf.current()
        rows = [("model", "size", "licence", "", "")]
        for model in known().values():
            in_use = isinstance(current, Model) and current.path == shelf.place(model)
            state = "in use" if in_use else "here" if shelf.has(model) else ""
            note = "the default" if model.default else model.note
            rows.append((model.name, _size(model.size), model.licence, state, note))
        if isinstance(current, Served):
            rows.append((current.name, "", "", "in use", current.address))
        elif current is not None and current.path.parent != shelf.folder:
            rows.append((current.name, _size(current.size), "", "in use", str(current.path)))
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        for row in rows:
            typer.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def pull(
    name: Name = None,
    from_: Annotated[
        str | None,
        typer.Option("--from", metavar="url|wheels|FILE", help="Only this source: or a file that you brought."),
    ] = None,
) -> None:
    """Get a model, check that its bytes are the right ones, and take it into use. It goes on where it was interrupted."""
    with _problems() as shelf:
        from ..model import download
        from ..model.known import default

        model = _known(name) if name is not None else default()
        with _bar(model.name) as progress:
            download.pull(shelf, model, from_, progress)
            shelf.use(model.name)
        typer.echo(f"{model.title} is in {shelf.place(model)}, and in use. Licence: {model.licence}.")
        typer.echo(_extra())


def use(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE|ADDRESS", help="A model, any GGUF file, or the address of a server.")
    ],
    of: Annotated[str, typer.Argument(metavar="[NAME]", help="Of a server that has several models: which one.")] = "",
) -> None:
    """Take a model into use: a known one that is here, any GGUF file of yours, or one that a server on this machine gives
    (llama.cpp's own, Ollama, vLLM: http://127.0.0.1:PORT)."""
    with _problems() as shelf:
        from ..model import serving
        from ..model.address import is_address
        from ..model.shelf import ModelProblem

        if is_address(name):
            served = serving.look(name, of)
            shelf.choose(served)
            typer.echo(f"{served.name} is in use, as {served.address} gives it. What it is asked is sent there.")
            return
        if of:
            raise ModelProblem(f"{name} is no address of a server, so that {of!r} after it says nothing")
        with _bar("Reading") as progress:
            model = shelf.use(name, progress)
        typer.echo(f"{model.name} is in use: {model.path}")
        typer.echo(_extra())


def info(name: Name = None) -> None:
    """Say what a model is, what it needs, and whether it can run here."""
    with _problems() as shelf:
        from .. import platform_
        from ..model.known import known
        from ..model.shelf import CONTEXT, Served, header

        current = shelf.current()
        if isinstance(current, Served) and name in (None, current.name):
            facts = [("model", current.name), ("server", current.address), ("says", current.says), ("state", "in use")]
            for label, value in facts:
                typer.echo(f"{label:10} {value}")
            return
        if isinstance(current, Served):
            current = None
        if name is None and current is None:
            fail("no model is in use; `closeread model pull` gets the default one, `closeread model list` shows all.")
        name = name if name is not None else current.name if current is not None else ""
        in_use = current is not None and current.name == name
        listed = known().get(name)
        path = current.path if in_use and current is not None else shelf.place(listed) if listed else Path(name)
        facts = [("model", listed.title if listed else name), ("file", str(path))]
        if listed:
            facts += [("licence", listed.licence), ("publisher", listed.publisher), ("sha-256", listed.sha256)]
        elif in_use and current is not None:
            facts += [("sha-256", current.sha256)]
        if path.exists():
            head = header(path)
            free = platform_.free_memory()
            room = "" if free is None else f" ({_size(free)} free)"
            facts += [
                ("parameters", f"{head.parameters / 1e9:.2f} billion, {head.quantisation}, {head.architecture}"),
                ("context", f"{head.context:,} tokens; {min(CONTEXT, head.context or CONTEXT):,} are used"),
                ("size", _size(head.size)),
                ("memory", f"about {_size(head.memory(CONTEXT))}{room}"),
            ]
        state = "in use" if in_use else "here" if path.exists() else f"not here: `closeread model pull {name}`"
        for label, value in (*facts, ("state", state)):
            typer.echo(f"{label:10} {value}")
        typer.echo(_extra())


def verify(name: Name = None) -> None:
    """Read a model's file whole and compare its hash with the pinned one, or with what it was when it was chosen.

    Of a server, ask it whether it says the same of the model as then."""
    with _problems() as shelf:
        from ..model import serving
        from ..model.known import known
        from ..model.shelf import ModelProblem, Served

        current = shelf.current()
        if isinstance(current, Served) and name in (None, current.name):
            serving.verify(current)
            typer.echo(f"{current.address} says the same of {current.name} as when it was chosen.")
            return
        if isinstance(current, Served):
            current = None
        wanted = name or (current.name if current is not None else None)
        if wanted is None:
            fail("no model is in use; name one.")
        own = current is not None and current.name == wanted and wanted not in known()
        with _bar("Reading") as progress:
            model = shelf.look(str(current.path) if own and current is not None else wanted, progress)
        if own and current is not None and model.sha256 != current.sha256:
            raise ModelProblem(f"{model.path} is not what was chosen: its SHA-256 was {current.sha256}")
        typer.echo(f"{model.path}\nSHA-256 {model.sha256}: {'as chosen' if own else 'as published'}.")


def bench(
    name: Annotated[str | None, typer.Argument(metavar="[NAME|FILE]", help="A model; the one in use if none.")] = None,
) -> None:
    """Ask a model narrow questions whose answers are known: what it is good for here, how fast it is, what memory it takes."""
    with _problems() as shelf:
        from ..model.shelf import ModelProblem

        model = shelf.look(name) if name is not None else shelf.ready()
        if model is None:
            raise ModelProblem("no model is in use; name one, or get one with `closeread model pull`")
        _show([(model.name, _measured(shelf, model))])


def quantize(
    name: Annotated[
        str, typer.Argument(metavar="NAME|FILE", help="A model: as near to the publisher's numbers as there is.")
    ],
    to: Annotated[
        str, typer.Option("--to", metavar="KIND", help="F16, Q8_0, Q6_K, Q5_K_M, Q4_K_M, Q3_K_M, Q2_K, ...")
    ] = "Q8_0",
    without: Annotated[str, typer.Option("--without-layers", metavar="N,N", help="Layers to leave out, from 0.")] = "",
    measure: Annotated[bool, typer.Option("--bench/--no-bench", help="Measure both, before and after.")] = True,
) -> None:
    """Make another file of a model with other numbers, or without some layers, and say what that costs and gains."""
    with _problems() as shelf:
        from ..model.quantisation import quantize as make
        from ..model.shelf import ModelProblem

        try:
            layers = [int(layer) for layer in filter(None, without.split(","))]
        except ValueError:
            raise ModelProblem(f"layers are numbers, as in --without-layers 10,11, and not {without!r}") from None
        before = shelf.look(name)
        after = make(shelf, before, to.upper(), layers)
        typer.echo(f"{after.path} ({_size(after.size)}); closeread model use {after.path}")
        if measure:
            _show([(model.path.stem, _measured(shelf, model)) for model in (before, after)])


def _measured(shelf: Shelf, model: Model | Served) -> tuple[Model | Served, Result]:
    from ..model import evaluation

    with _bar(f"Asking {model.name}", of_bytes=False) as progress:
        result = evaluation.measure(model, progress)
    evaluation.keep(model, result, shelf)
    return model, result


def _show(measured: list[tuple[str, tuple[Model | Served, Result]]]) -> None:
    """A column a model. What could not be measured here is not told."""
    from ..model import evaluation
    from ..model.shelf import Model

    first = measured[0][1][1]
    rows: list[tuple[str, list[str]]] = []

    def row(label: str, cell: Callable[[Model | Served, Result], str]) -> None:
        cells = [cell(model, result) for _, (model, result) in measured]
        if any(cells):
            rows.append((label, cells))

    row("", lambda model, _: model.path.stem if isinstance(model, Model) else model.name)
    row("size", lambda model, _: _size(model.size) if isinstance(model, Model) else "")
    row("memory at most", lambda _, result: _size(result.memory) if result.memory else "")
    row("tokens written a second", lambda _, result: f"{result.written:.1f}")
    row("seconds a question", lambda _, result: f"{result.seconds:.2f}")
    row("CPU seconds in all", lambda _, result: f"{result.cpu:.0f}" if result.cpu else "")
    row("sinks, AUC", lambda _, result: f"{result.sink:.3f}")
    row("sources, AUC", lambda _, result: f"{result.source:.3f}")
    row("kinds of sinks", lambda _, result: f"{result.kinds} of {result.of_kinds} right")
    row("defects in code, AUC", lambda _, result: f"{result.review:.3f}")
    row("yes and no", lambda _, result: f"{result.right} of {result.asked} right")
    if len(measured) > 1:
        row("same answers as the first", lambda _, result: f"{result.same(first)} of {len(first.answers)}")
    widths = [max(len(cells[at]) for _, cells in rows) for at in range(len(measured))]
    for label, cells in rows:
        line = "  ".join(cell.rjust(width) for cell, width in zip(cells, widths, strict=True))
        typer.echo(f"{label:26} {line}".rstrip())
    least = evaluation.review_least()
    for name, (_, result) in measured:
        able = "are worth reading" if result.passed else "are not worth reading: the reviewer stays off with it"
        typer.echo(f"Remarks of {name} on code {able} ({result.review:.2f}; {least:.2f} is the mark, 0.5 is chance).")


def remove(name: Annotated[str, typer.Argument(help="A known model.")]) -> None:
    """Delete a model's file from your data folder. A file that you only pointed at stays."""
    with _problems() as shelf:
        freed = shelf.remove(name)
        typer.echo(f"Removed {name}: {_size(freed)}." if freed else f"{name} is not here.")


@contextmanager
def _problems() -> Iterator[Shelf]:
    with complaints():
        from ..model.shelf import ModelProblem, Shelf

        try:
            yield Shelf()
        except ModelProblem as error:
            fail(f"{error}.")


def _known(name: str) -> Known:
    import difflib

    from ..model.known import known

    if name not in known():
        near = difflib.get_close_matches(name, known(), n=1, cutoff=0.4)
        hint = f" Did you mean {near[0]}?" if near else " `closeread model list` shows them."
        fail(
            f"there is no known model {name!r}.{hint} A GGUF file of your own needs no pull: `closeread model use FILE`."
        )
    return known()[name]


def _extra() -> str:
    from ..model.shelf import runtime

    version = runtime()
    if version is None:
        return (
            "Nothing can run it yet: pip install 'closeread[model]' (a C++ compiler builds it once, in some minutes)."
        )
    return f"It runs with llama-cpp-python {version}."


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


@contextmanager
def _bar(label: str, of_bytes: bool = True) -> Iterator[Progress]:
    """A bar of bytes, or of questions, on standard error, if somebody is there to see it."""
    if not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    amount = (DownloadColumn(), TransferSpeedColumn()) if of_bytes else (MofNCompleteColumn(),)
    columns = (TextColumn(label), BarColumn(), *amount, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
