"""`closeread sidecar | queue | audit | doctor`: what people do with the sidecar on its own machine.

These read and write the database beside a running sidecar, or without one. Exit codes: 0 well, 1 something was found (a broken chain,
drift), 2 a usage or internal error, 75 (of `sidecar run --follow` alone) what may go well another time: the port is taken, say.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from . import audit, doctor, platform_, policy
from .configuration import ConfigurationError
from .gateway.door import DoorError
from .queue import entries
from .queue.ledger import connect, transaction
from .settings import Home, read

FOUND, ERROR, LATER = 1, 2, 75

HomeOption = Annotated[Path | None, typer.Option("--home", help="A folder of its own for settings and state.")]
JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


def application() -> typer.Typer:
    """The whole command line of the sidecar."""
    app = typer.Typer(
        name="closeread",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.command(
        "doctor", help="Say what is open, who may ask, what may leave; with a non-zero exit if it is unsafe or drifted."
    )(_doctor)
    groups: dict[str, tuple[str, tuple[Callable[..., None], ...]]] = {
        "sidecar": (
            "Chat platforms, a local gateway and a queue, in a process of their own.",
            (run, pair, unpair, token),
        ),
        "queue": ("What waits, what failed, what was done.", (list_, show, retry, purge)),
        "audit": ("The hash-chained log of every request, decision and delivery.", (verify, export)),
    }
    for name, (help_, commands) in groups.items():
        group = typer.Typer(
            name=name, help=help_, no_args_is_help=name != "sidecar", invoke_without_command=name == "sidecar"
        )
        if name == "sidecar":
            group.callback()(_sidecar)
        for command in commands:
            group.command(command.__name__.rstrip("_"))(command)
        app.add_typer(group)
    return app


def fail(message: str) -> NoReturn:
    """Say it on standard error and end with the code of an error."""
    typer.echo(f"closeread: {message}", err=True)
    raise typer.Exit(ERROR)


@contextmanager
def complaints() -> Iterator[None]:
    """Whatever goes wrong ends in one line."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        fail("interrupted.")
    except (ConfigurationError, DoorError) as error:
        fail(f"{error}")
    except (LookupError, ValueError) as error:
        fail(f"{error.args[0] if error.args else error}")
    except OSError as error:
        fail(f"{error.filename + ': ' if error.filename else ''}{(error.strerror or str(error)).lower()}")
    except sqlite3.Error as error:
        fail(f"the queue cannot be used: {error}")


# --- sidecar ---------------------------------------------------------------------------------------


def _sidecar(context: typer.Context, home: HomeOption = None) -> None:
    if context.invoked_subcommand is None:
        run(home)


def run(
    home: HomeOption = None,
    follow: Annotated[bool, typer.Option("--follow", hidden=True, help="End when standard input does.")] = False,
) -> None:
    """Run the sidecar until it is interrupted."""
    with complaints():
        place = Home.of(home)
        if follow:
            platform_.follow_parent(sys.stdin.buffer)
        if not place.settings.exists():
            if follow:
                return
            fail(
                f"the sidecar is off: there is no {place.settings}. "
                "An empty one (mode 0600) opens the gateway on loopback, and nothing else."
            )
        settings = read(place)
        if not settings.enabled:
            if follow:
                return
            fail(f"the sidecar is off: {place.settings} says `enabled: false`.")
        from .service import AlreadyRunning, serve

        if follow:
            platform_.step_back(10)  # beside an editor
        try:
            asyncio.run(serve(place, settings, follow=follow))
        except AlreadyRunning:
            fail(f"a sidecar runs already in {place.state}.")
        except (OSError, sqlite3.Error) as error:
            if not follow:
                raise
            typer.echo(f"closeread: the sidecar ended: {error}", err=True)
            raise typer.Exit(LATER) from None
        except BaseExceptionGroup as group:
            logging.getLogger(__name__).debug("ended", exc_info=group)
            first: BaseException = group
            while isinstance(first, BaseExceptionGroup):
                first = first.exceptions[0]
            raise first from None


def pair(platform: Annotated[str, typer.Argument(help="A platform of sidecar.yaml.")], home: HomeOption = None) -> None:
    """Show a code that lets one sender of a platform in, for ten minutes."""
    with complaints():
        place = Home.of(home)
        if platform not in read(place).platforms:
            fail(f"sidecar.yaml sets up no platform {platform!r}.")
        with _database(place) as db:
            code = policy.new_code(db, platform)
        typer.echo(code)
        typer.echo(
            f"Whoever sends this to the bot on {platform} within ten minutes may ask from then on. It works once.",
            err=True,
        )


def unpair(
    platform: Annotated[str, typer.Argument(help="A platform.")],
    sender: Annotated[str, typer.Argument(help="A sender's id, as `closeread doctor` shows it.")],
    home: HomeOption = None,
) -> None:
    """Let somebody who was paired in no longer."""
    with complaints(), _database(Home.of(home)) as db:
        if not policy.forget(db, platform, sender):
            fail(f"{sender} was not paired on {platform}.")
        typer.echo(f"{sender} may not ask on {platform} any more.")


def token(home: HomeOption = None) -> None:
    """Print the gateway's token, made if there is none."""
    with complaints():
        from .gateway import door

        typer.echo(door.token(Home.of(home).token))


# --- queue -----------------------------------------------------------------------------------------


def list_(
    home: HomeOption = None,
    everything: Annotated[bool, typer.Option("--all", "-a", help="Also what was settled.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="So many at most.")] = 100,
    as_json: JsonOption = False,
) -> None:
    """List what waits and what failed."""
    with complaints(), _database(Home.of(home)) as db:
        states = ("held", "ready", "leased", "done", "dead", *(entries.SETTLED if everything else ()))
        found = entries.listed(db, states, most)
        if as_json:
            typer.echo(json.dumps([_facts(entry) for entry in found], indent=2))
            return
        for entry in found:
            wait = f"  due {_time(entry.due)}" if entry.state == "ready" and entry.due > time.time() else ""
            error = f"  {entry.error}" if entry.error else ""
            typer.echo(
                f"{entry.id:>7}  {entry.kind:<6}  {entry.state:<9}  {entry.lane}  attempts {entry.attempts}{wait}{error}"
            )
        tally = entries.tally(db)
        total = {state: sum(kind.get(state, 0) for kind in tally.values()) for state in (*states, *entries.SETTLED)}
        typer.echo(", ".join(f"{count:,} {state}" for state, count in total.items() if count) or "The queue is empty.")


def show(
    number: Annotated[int | None, typer.Argument(help="An entry; without one, the collector's next batch.")] = None,
    home: HomeOption = None,
) -> None:
    """Show an entry, or exactly what would be sent to the collector next."""
    with complaints():
        place = Home.of(home)
        with _database(place) as db:
            if number is not None:
                typer.echo(
                    json.dumps(
                        {
                            **_facts(entries.get(db, number)),
                            "body": entries.get(db, number).body,
                            "result": entries.get(db, number).result,
                        },
                        indent=2,
                    )
                )
                return
            from . import sync

            collector = read(place).collector if place.settings.exists() else None
            if collector is None:
                typer.echo("No collector is set: nothing would be sent.", err=True)
                return
            typer.echo(f"POST {collector.url}", err=True)
            typer.echo(sync.waiting(db, sync.source(db)).decode())


def retry(
    numbers: Annotated[
        list[int] | None,
        typer.Argument(help="Entries; all that are dead or wait for another attempt, if none is named."),
    ] = None,
    home: HomeOption = None,
) -> None:
    """Try dead entries again, and waiting ones at once."""
    with complaints(), _database(Home.of(home)) as db:
        for number in numbers or ():
            entries.get(db, number)
        count = entries.retry(db, time.time(), numbers or None)
        audit.append(db, time.time(), "retried", entries=count)
        typer.echo(f"{count:,} will be tried again.")


def purge(
    home: HomeOption = None,
    dead: Annotated[bool, typer.Option("--dead", help="Also what failed for good.")] = False,
    days: Annotated[float, typer.Option("--older-than", min=0, help="Only what was settled so many days ago.")] = 0,
) -> None:
    """Delete what was settled. What is still to be done or delivered stays."""
    with complaints(), _database(Home.of(home)) as db:
        states = (*entries.SETTLED, *(("dead",) if dead else ()))
        count = entries.purge(db, time.time() - days * 86_400 + 1e-3, states)
        audit.append(db, time.time(), "purged", entries=count, dead=dead)
        typer.echo(f"{count:,} deleted.")


# --- audit -----------------------------------------------------------------------------------------


def verify(
    home: HomeOption = None,
    anchor: Annotated[
        str | None, typer.Option(help="LINES:DIGEST, as an earlier run printed it and you kept elsewhere.")
    ] = None,
) -> None:
    """Find any edit, cut or reorder of the audit log."""
    with complaints():
        place = Home.of(home)
        if not place.queue.exists():
            fail(f"there is no audit log in {place.state}.")
        verdict = doctor.verify(place)
        if anchor is not None and not verdict.broken:
            lines, _, digest = anchor.partition(":")
            if not lines.isdigit() or len(digest) != 64:
                fail("an anchor is LINES:DIGEST, as this command prints it.")
            with _database(place) as db:
                verdict = audit.verify(db, (int(lines), digest))
        if verdict.broken:
            typer.echo(f"The audit log does not hold: {verdict.broken}.")
            raise typer.Exit(FOUND)
        typer.echo(f"The audit log holds: {verdict.lines:,} lines.")
        typer.echo(f"{verdict.lines}:{verdict.digest}")


def export(
    home: HomeOption = None, after: Annotated[int, typer.Option(min=0, help="Only lines after this one.")] = 0
) -> None:
    """Print the audit log, a JSON object a line."""
    with complaints(), _database(Home.of(home)) as db:
        while lines := audit.after(db, after, 1000):
            for line in lines:
                typer.echo(json.dumps(line.as_json()))
            after = lines[-1].sequence


# --- doctor ----------------------------------------------------------------------------------------


def _doctor(
    security: Annotated[bool, typer.Option("--security", help="What is open. (The one examination there is.)")] = True,
    accept: Annotated[
        bool, typer.Option("--accept", help="This is how it should be: whatever differs from now on is drift.")
    ] = False,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    with complaints():
        place = Home.of(home)
        if accept:
            platform_.private_folder(place.state)
        posture = doctor.posture(place)
        kept = place.state / "accepted.json"
        if accept:
            platform_.write_private(kept, json.dumps(posture, indent=2).encode())
        try:
            accepted = json.loads(kept.read_bytes()) if kept.exists() else None
        except ValueError:
            fail(f"{kept} makes no sense; `closeread doctor --security --accept` writes a new one.")
        drift = doctor.drift(posture, accepted) if isinstance(accepted, dict) else []
        if as_json:
            typer.echo(json.dumps({**posture, "accepted": accepted is not None, "drift": drift}, indent=2))
        else:
            for name, value in doctor.flat({key: part for key, part in posture.items() if key != "unsafe"}):
                typer.echo(f"{name}: {value}")
            for line in posture["unsafe"]:
                typer.echo(f"unsafe: {line}")
            for line in drift:
                typer.echo(f"drift: {line}")
            if accepted is None:
                typer.echo("drift: unknown; `--accept` says that this is how it should be")
        if posture["unsafe"] or drift:
            raise typer.Exit(FOUND)


@contextmanager
def _database(home: Home) -> Iterator[sqlite3.Connection]:
    connection = connect(home.queue)
    try:
        with transaction(connection):
            yield connection
    finally:
        connection.close()


def _facts(entry: entries.Entry) -> dict[str, Any]:
    names = ("id", "key", "kind", "lane", "state", "attempts", "error", "parent")
    facts = {name: getattr(entry, name) for name in names}
    return facts | {"created": _time(entry.created), "changed": _time(entry.changed), "due": _time(entry.due)}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
