"""The entry point: answers what needs nothing at once, and hands the rest to `commands/`.

Separate so that what somebody waits for every time (a version, the hook of a commit, an editor's server) does not wait for the
libraries of the command line to be imported; `commands/` has the same with options.
"""

from __future__ import annotations

import gc
import os
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        # A file name or a line of code that the terminal cannot show must not end the program.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    at_once = {"--version": _version, "hook": _hook, "serve": _serve}
    if len(sys.argv) == 2 and (run := at_once.get(sys.argv[1])):
        gc.disable()  # what is imported is no garbage
        run()
        return
    from .commands import application

    try:
        application()()
    except BrokenPipeError:
        # `closeread rules | head`: whoever read has had enough. Python would complain when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _version() -> None:
    from . import version

    print(f"closeread {version()}")


def _hook() -> None:
    from .hooks import before_commit

    sys.exit(before_commit())


def _serve() -> None:
    from . import sidecar
    from .lsp.server import run

    try:
        with sidecar.beside():
            run()
    except KeyboardInterrupt:
        print("closeread: interrupted.", file=sys.stderr)
        sys.exit(2)
