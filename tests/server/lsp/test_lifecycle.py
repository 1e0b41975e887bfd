"""Start, end, and everything a client should not do."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from server.lsp.client import Client, ResponseError
from server.lsp.conftest import Start


async def test_a_quick_start_and_what_is_offered(start: Start, tmp_path: Path) -> None:
    started = time.monotonic()
    client = await start()
    pulls = {"textDocument": {"diagnostic": {}}, "workspace": {"diagnostics": {"refreshSupport": True}}}
    result = await client.initialize(tmp_path, capabilities=pulls)
    elapsed = time.monotonic() - started
    offered = result["capabilities"]

    # The promise is 1.5 seconds on a quiet machine; tests run on others.
    assert elapsed < 15
    assert result["serverInfo"]["name"] == "closeread"
    assert offered["positionEncoding"] == "utf-16"
    assert offered["textDocumentSync"] == {"openClose": True, "change": 2, "save": True}
    assert offered["hoverProvider"] is True
    assert offered["codeActionProvider"]["codeActionKinds"] == ["quickfix", "source.fixAll.closeread"]
    assert offered["diagnosticProvider"]["identifier"] == "closeread"
    assert offered["workspace"]["workspaceFolders"] == {"supported": True, "changeNotifications": True}
    assert set(offered["executeCommandProvider"]["commands"]) == {
        "closeread.scanWorkspace",
        "closeread.explain",
        "closeread.why",
        "closeread.clearCache",
        "closeread.reviewCommit",
        "closeread.scanStaged",
        "closeread.restartModel",
        "closeread.showRoutes",
        "closeread.suppress",
        "closeread.status",
    }


async def test_shutdown_and_exit(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path)

    assert await client.stop() == 0


async def test_exit_without_shutdown(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path)
    client.notify("exit")

    assert await client.ended() == 1


async def test_the_end_of_input_ends_the_server(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path)
    client.open(tmp_path / "app.py", "# slow 600\n")
    assert client.process.stdin is not None
    client.process.stdin.close()

    assert await client.ended() == 1


async def test_the_death_of_the_client_ends_the_server(client: Client, tmp_path: Path) -> None:
    parent = await asyncio.create_subprocess_exec(sys.executable, "-I", "-c", "input()", stdin=asyncio.subprocess.PIPE)
    await client.initialize(tmp_path, process_id=parent.pid)
    client.open(tmp_path / "app.py", "# slow 600\n")
    parent.kill()
    await parent.wait()

    assert await client.ended() == 1


async def test_a_process_id_of_nobody_is_not_believed(client: Client, tmp_path: Path) -> None:
    # As a server in a container sees a client outside: it must not end for that.
    await client.initialize(tmp_path, process_id=2**31 - 2)
    await asyncio.sleep(0.2)

    assert await client.stop() == 0


async def test_too_early_twice_and_too_late(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ResponseError) as early:
        await client.request("textDocument/hover", {})
    # A request of the wrong shape is answered too, not dropped.
    assert early.value.code in (-32002, -32602)
    with pytest.raises(ResponseError) as early:
        await client.request("closeread/anything", {})
    assert early.value.code == -32002
    client.notify("textDocument/didClose", {"textDocument": {"uri": "file:///x.py"}})
    await client.initialize(tmp_path)
    with pytest.raises(ResponseError) as twice:
        await client.initialize(tmp_path)
    assert twice.value.code == -32600
    with pytest.raises(ResponseError) as wrong:
        await client.request("textDocument/hover", {"textDocument": []})
    assert wrong.value.code == -32602
    with pytest.raises(ResponseError) as unknown:
        await client.request("no/such", {})
    assert unknown.value.code == -32601
    await client.request("shutdown")
    with pytest.raises(ResponseError) as late:
        await client.request("closeread/anything", {})
    assert late.value.code == -32600
    client.notify("exit")
    assert await client.ended() == 0


BAD_MESSAGES = (
    b"{",
    b"\xff\xfe",
    b"[]",
    b"17",
    b"{}",
    b'{"jsonrpc": "1.0", "id": 1, "method": "shutdown"}',
    b'{"jsonrpc": "2.0"}',
    b'{"jsonrpc": "2.0", "id": 99}',
    b'{"jsonrpc": "2.0", "id": "x", "result": null}',
    b'{"jsonrpc": "2.0", "method": 5}',
    b'{"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {"textDocument": 5}}',
    b'{"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": 12345}}',
    b'{"jsonrpc": "2.0", "method": "no/such", "params": []}',
    b"[" * 100_000,
)


async def test_bad_messages_change_nothing(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    # One server for all, and a document after each: whichever does harm is named by the document's number.
    for number, body in enumerate(BAD_MESSAGES):
        client.raw(body)
        uri = client.open(tmp_path / f"after{number}.py", bad)
        assert len(await client.diagnostics(uri, 1)) == 1

    # Faults of the other side are not the user's business.
    assert client.said("window/showMessage") == []
    # What was not JSON has the answer that JSON-RPC wants.
    assert [message["error"]["code"] for message in client.messages if "error" in message] == [-32700] * 3
    assert await client.stop() == 0


async def test_documents_treated_badly(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    uri = (tmp_path / "app.py").as_uri()
    client.change(uri, 5, {"text": "never opened"})
    client.close(uri)
    client.open(tmp_path / "app.py", "pass\n", version=9)
    client.open(tmp_path / "app.py", bad, version=3)
    assert len(await client.diagnostics(uri, 3)) == 1

    far = {"line": 10**6, "character": 10**6}
    client.change(uri, 1, {"range": {"start": far, "end": far}, "text": "os.popen('y')\n"})
    assert len(await client.diagnostics(uri, 1)) == 2

    # End before start, and beyond the line: still an edit of what there is.
    backwards = {"start": {"line": 2, "character": 500}, "end": {"line": 2, "character": 0}}
    client.change(uri, 2, {"range": backwards, "text": ""})
    assert len(await client.diagnostics(uri, 2)) == 1

    # Half a surrogate pair is JSON, and no text.
    client.change(uri, 4, {"text": "\ud83d os.system('x')\n"})
    (found,) = await client.diagnostics(uri, 4)
    assert found["range"]["start"]["character"] == 2
    assert await client.stop() == 0


async def test_a_crash_is_told_once_and_survived(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    broken = client.open(tmp_path / "broken.py", "# crash\n")
    await client.hears("window/showMessage")
    client.change(broken, 2, {"text": "# crash\n# crash\n"})
    stories = lambda: [said for said in client.said("window/logMessage") if "RuntimeError" in said["message"]]  # noqa: E731
    await client.until(lambda: len([said for said in stories() if "Traceback" in said["message"]]) >= 2)
    uri = client.open(tmp_path / "app.py", bad)

    assert len(await client.diagnostics(uri, 1)) == 1
    assert len(client.said("window/showMessage")) == 1
    assert await client.stop() == 0


async def test_a_stray_print_does_not_reach_the_client(client: Client, tmp_path: Path, bad: str) -> None:
    await client.initialize(tmp_path)
    uri = client.open(tmp_path / "app.py", bad + "# print\n")

    assert len(await client.diagnostics(uri, 1)) == 1
    assert await client.stop() == 0


async def test_a_document_too_large_is_said_to_be(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path, options={"maxFileSize": 10})
    uri = client.open(tmp_path / "app.py", "x = 1\n" * 10)
    (found,) = await client.diagnostics(uri, 1)

    assert found["code"] == "too-large"


async def test_a_file_that_takes_too_long_is_said_to(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path, options={"fileTimeout": 0.05})
    uri = client.open(tmp_path / "app.py", "# slow 600\n")
    (found,) = await client.diagnostics(uri, 1)

    assert found["code"] == "timeout"


async def test_the_loop_is_free_while_the_worker_is_not(client: Client, tmp_path: Path) -> None:
    await client.initialize(tmp_path)
    client.open(tmp_path / "app.py", "# slow 600\n")
    started = time.monotonic()
    for _ in range(20):
        with pytest.raises(ResponseError):
            await client.request("no/such", {})

    # Generous, for a busy machine; a held loop would take ten minutes.
    assert time.monotonic() - started < 5
