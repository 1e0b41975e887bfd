"""How a command ends, and how it complains: one line on standard error, and a code that a pipeline can trust.

0 the scan was done (findings or not), 1 findings at or above `--fail-on`, 2 a usage or internal error, 3 an
incomplete scan: a deadline ended it, or under `--strict`. Where several hold, 2 comes before 1 before 3.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import typer

from .errors import Mistake
from .settings import ModelsError

FINDINGS, ERROR, INCOMPLETE = 1, 2, 3


def complain(message: str) -> None:
    """Say it on standard error."""
    typer.echo(f"closeread: {message}", err=True)


def fail(message: str) -> NoReturn:
    """Say it and end with the code of an error."""
    complain(message)
    raise typer.Exit(ERROR)


@contextmanager
def complaints(verbose: bool | None = None) -> Iterator[None]:
    """Whatever goes wrong ends in one line and exit code 2, never in a green job."""
    try:
        yield
    except (typer.Exit, BrokenPipeError):
        raise
    except KeyboardInterrupt:
        fail("interrupted.")
    except (ModelsError, Mistake) as error:
        fail(str(error))
    except Exception as error:
        if verbose:
            traceback.print_exc()
        hint = " (--verbose shows where)" if verbose is False else ""
        fail(f"internal error: {type(error).__name__}: {error}{hint}")
