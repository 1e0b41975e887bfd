"""Invariants 3 and 12: children are started in one module and one way, and nothing is ever unpickled."""

from __future__ import annotations

import ast

import pytest

from invariants.sources import ANALYZERS, SERVER, SIDECAR, Source, importing, sources

DOOR = "closeread/platform_.py"
SIDECAR_DOOR = "closeread_sidecar/platform_.py"
GIT = "closeread/workspace/git.py"
STARTS = (
    *("subprocess.Popen", "subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output"),
    *("subprocess.getoutput", "subprocess.getstatusoutput", "os.system", "os.popen", "os.fork", "os.forkpty"),
    *("os.posix_spawn", "os.posix_spawnp", "os.startfile", "pty.spawn", "pty.fork", "webbrowser.open"),
    *("asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell"),
)
UNPICKLERS = ("pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle")
RUNS_CODE = frozenset({"eval", "exec", "compile", "__import__"})


def starting(files: list[Source]) -> list[str]:
    """Every call that starts a process."""
    return [
        f"{source.name}:{line} {call}"
        for source in files
        for line, call in source.calls()
        if call in STARTS or call.startswith(("os.exec", "os.spawn"))
    ]


def test_children_are_started_in_one_module() -> None:
    files = [source for source in sources(SERVER, ANALYZERS, SIDECAR) if source.name not in (DOOR, SIDECAR_DOOR, GIT)]

    assert starting(files) == []


def test_no_other_way_to_a_process_is_imported() -> None:
    everywhere = sources(SERVER, ANALYZERS, SIDECAR)
    parts = [f"subprocess.{call.rpartition('.')[2]}" for call in STARTS if call.startswith("subprocess.")]

    assert importing(everywhere, "multiprocessing", "concurrent.futures.ProcessPoolExecutor", "pty", *parts) == []


def test_every_child_is_our_own_isolated_python() -> None:
    door = next(source for source in sources(SERVER) if source.name == DOOR)
    children = [node for node in ast.walk(door.tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in STARTS]

    assert children
    for child in children:
        assert ast.unparse(child.args[0]).startswith("[sys.executable, '-I', *_runnable(module), ")
        assert {keyword.arg for keyword in child.keywords} >= {"cwd", "env"}
        assert "shell" not in {keyword.arg for keyword in child.keywords}


def test_every_child_of_the_sidecar_is_its_own_isolated_python_that_confines_itself() -> None:
    door = next(source for source in sources(SIDECAR) if source.name == SIDECAR_DOOR)
    children = [node for node in ast.walk(door.tree) if isinstance(node, ast.Call) and ast.unparse(node.func) in STARTS]

    assert children
    for child in children:
        assert ast.unparse(child.args[0]).startswith(
            "*[sys.executable, '-I', *_runnable('closeread_sidecar.confined'), "
        )
        assert {keyword.arg for keyword in child.keywords} >= {"cwd", "env"}


def test_nothing_is_unpickled() -> None:
    assert importing(sources(SERVER, ANALYZERS, SIDECAR), *UNPICKLERS) == []


def test_no_text_is_run_as_code() -> None:
    running = [
        f"{source.name}:{line} {call}"
        for source in sources(SERVER, ANALYZERS, SIDECAR)
        for line, call in source.calls()
        if call in RUNS_CODE
    ]

    assert running == []


@pytest.mark.parametrize("text", ["subprocess.run(['x'])", "os.execv('x', [])", "os.system('x')"])
def test_a_start_is_seen(text: str) -> None:
    assert starting([Source("closeread/x.py", text)])
