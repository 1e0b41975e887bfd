"""`python -I -m closeread_sidecar`: the sidecar and its commands, or one sentence on what is missing for them."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and exit with its code."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    try:
        from .commands import application
    except ModuleNotFoundError as error:
        print(f"closeread: the sidecar needs {error.name}: pip install 'closeread[sidecar]'", file=sys.stderr)
        sys.exit(2)
    application()(prog_name="closeread")


if __name__ == "__main__":
    main()
