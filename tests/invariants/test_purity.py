"""Invariants 1, 2 and 4: the analysers are pure, only `closeread.lsp` knows LSP, one package may open a socket."""

from __future__ import annotations

import pytest

from invariants.sources import ANALYZERS, SERVER, SIDECAR, Source, importing, sources

OUTER = (
    "closeread",
    "closeread_sidecar",
    "lsprotocol",
    "pygls",
    "llama_cpp",
    "diskcache",
    "watchfiles",
    "rich",
    "typer",
)
OUTSIDE_WORLD = (
    *("asyncio", "datetime", "io", "logging", "multiprocessing", "os", "random", "secrets", "select", "shutil"),
    *("signal", "sqlite3", "subprocess", "tempfile", "threading", "time", "uuid"),
)
NETWORK = (
    *("aiohttp", "ftplib", "http.client", "http.server", "httpx", "imaplib", "poplib", "requests", "smtplib"),
    *("socket", "socketserver", "ssl", "telnetlib", "urllib.request", "urllib3", "websockets", "xmlrpc"),
)
READS_AND_WRITES = frozenset(
    {"open", "print", "input", "read_text", "read_bytes", "write_text", "write_bytes", "glob", "rglob", "iterdir"}
    | {"exists", "is_file", "is_dir", "stat", "mkdir", "unlink"}
)
MODEL_DOORS = {
    "closeread/model/download.py": ["closeread/commands/model.py"],
    "closeread/model/endpoint.py": ["closeread/model/worker.py"],
}
"""Who opens a connection, and who alone may import it: the command that gets a model; the model's process, where the user
chose a server on this machine."""
READER = "closeread_analyzers/catalogue/"


def touching_files(files: list[Source]) -> list[str]:
    """Calls that read or write the outside world, outside the catalogue, which reads the package's own data."""
    return [
        f"{source.name}:{line} {call}()"
        for source in files
        if not source.name.startswith(READER)
        for line, call in source.calls()
        if call.rpartition(".")[2] in READS_AND_WRITES and not call.startswith(("self.", "files.", "project."))
    ]


def test_the_analysers_import_nothing_of_the_outer_layers() -> None:
    assert importing(sources(ANALYZERS), *OUTER) == []


def test_the_analysers_import_nothing_that_touches_the_world() -> None:
    assert importing(sources(ANALYZERS), *OUTSIDE_WORLD, *NETWORK) == []


def test_only_the_catalogue_reads_files() -> None:
    assert touching_files(sources(ANALYZERS)) == []


def test_only_the_editor_side_knows_lsp() -> None:
    files = [source for source in sources(SERVER) if not source.name.startswith("closeread/lsp/")]

    assert importing(files, "lsprotocol", "pygls") == []


def test_no_socket_outside_the_sidecar_but_for_a_model_that_a_user_chose() -> None:
    files = [source for source in sources(SERVER, ANALYZERS) if source.name not in MODEL_DOORS]

    assert importing(files, *NETWORK) == []


@pytest.mark.parametrize("door", MODEL_DOORS)
def test_what_opens_a_connection_is_imported_in_one_place(door: str) -> None:
    module = door.removesuffix(".py").replace("/", ".")

    assert MODEL_DOORS[door] == [name.partition(":")[0] for name in importing(sources(SERVER), module)]


def test_only_the_model_process_runs_a_model() -> None:
    users = {name.partition(":")[0] for name in importing(sources(SERVER, ANALYZERS, SIDECAR), "llama_cpp")}

    assert users <= {"closeread/model/llama.py"}


def test_the_sidecar_is_imported_by_nobody() -> None:
    assert importing(sources(SERVER, ANALYZERS), "closeread_sidecar") == []


@pytest.mark.parametrize("text", ["import socket", "def f():\n    from http import client", "import ssl as s"])
def test_an_import_is_seen_wherever_it_hides(text: str) -> None:
    assert importing([Source("closeread/x.py", text)], *NETWORK)


def test_a_relative_import_is_resolved() -> None:
    assert list(Source("closeread/lsp/x.py", "from ..store import Store").imports()) == [(1, "closeread.store.Store")]


@pytest.mark.parametrize("text", ["open('x')", "Path('x').read_text()", "print(1)"])
def test_a_call_that_reads_is_seen(text: str) -> None:
    assert touching_files([Source("closeread_analyzers/x.py", text)])
    assert touching_files([Source(f"{READER}x.py", text)]) == []
