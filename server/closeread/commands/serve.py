"""`closeread serve`: the language server."""

from __future__ import annotations

from typing import Annotated

import typer

from ..console import complaints, fail


def register(app: typer.Typer) -> None:
    """Attach the command."""
    app.command()(serve)


def serve(
    tcp: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Listen on this loopback address instead of stdio.")
    ] = None,
) -> None:
    """Run the language server, on standard input and output."""
    with complaints():
        address = _loopback(tcp) if tcp is not None else None
        from .. import sidecar
        from ..lsp.server import run

        with sidecar.beside():
            run(stdio=address is None, tcp=address)


def _loopback(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]")
    if host not in {"127.0.0.1", "localhost", "::1"}:
        fail(f"--tcp listens on this machine only (127.0.0.1, localhost or [::1]), not on {host!r}.")
    if not port.isdigit() or int(port) > 65535:
        fail(f"--tcp wants HOST:PORT; {port!r} is no port.")
    return host, int(port)
