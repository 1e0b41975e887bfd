"""The entry point: answers what needs nothing at once, and hands the rest to `commands/`.

Separate so that `closeread --version` does not wait for the libraries of the rest to be imported.
"""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    if sys.argv[1:] == ["--version"]:
        from . import version

        print(f"closeread {version()}")
        return
    for stream in (sys.stdout, sys.stderr):
        # A file name or a line of code that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    if sys.argv[1:] == ["hook"]:
        from .hooks import before_commit

        sys.exit(before_commit())
    from .commands import application

    try:
        application()()
    except BrokenPipeError:
        # `closeread rules | head`: whoever read has had enough. Python would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
