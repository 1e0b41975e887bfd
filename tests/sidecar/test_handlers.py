"""The built-in handlers, as somebody who asks by the gateway sees them: a real scan of a small repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sidecar.running import Home, connected, eventually, running

BUG = "import flask, os\n\napp = flask.Flask(__name__)\n\n\n@app.get('/')\ndef ping():\n    os.system('ping ' + flask.request.args['h'])\n"


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.org"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


async def test_what_one_asks(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "good.py").write_text("x = 1\n")
    git(shop, "init", "-q")
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "first")
    (shop / "app.py").write_text(BUG)
    git(shop, "add", ".")
    git(shop, "commit", "-qm", "second")
    home = Home(tmp_path / "home", f"gateway: {{port: 0}}\nworkspaces: {{shop: {shop}}}\n")
    with running(home):
        async with connected(home) as client:
            shown: dict[str, list[str]] = {}

            async def ask(content: str) -> str:
                told = await client.ask(content)
                shown[content.split()[0]] = [event["text"] for event in told if event["type"] == "progress"]
                return str(told[-1]["text"])

            scanned = await ask("scan shop")
            assert "command-injection" in scanned and "app.py:8" in scanned
            assert (str(tmp_path) in scanned, "os.system('ping" in scanned) == (False, False)
            assert "1 critical" in await ask("findings")
            assert "introduced, 0 fixed" in await ask("review HEAD")
            assert "**shop**: " in await ask("digest")
            assert "new, 0 gone" in await ask("digest")
            assert "shell" in (await ask("explain command-injection")).lower()
            number = re.search(r"command-injection.*\(`([0-9a-f]{12})`\)", scanned)
            assert number is not None
            assert "Muted" in await ask(f"mute {number[1]}")
            assert "command-injection" not in await ask("findings shop")
            assert "0 waiting" in await ask("status")
            assert [["scanning shop"], ["reviewing HEAD"], ["looking at shop"]] == [
                shown[name] for name in ("scan", "review", "digest")
            ]
            for outside in ("scan shop/../home", "scan /etc", "scan ..", "review --help", "explain ../x", "mute x"):
                assert "It failed: " in await ask(outside)


@pytest.mark.skipif(sys.platform != "linux", reason="whose child is whose is read from /proc, which Linux has")
async def test_a_scan_can_be_cancelled_and_leaves_no_process_behind(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    for number in range(50):
        (shop / f"m{number}.py").write_text(BUG * 50)
    home = Home(tmp_path / "home", f"gateway: {{port: 0}}\nworkspaces: {{shop: {shop}}}\n")

    def children(process: int) -> list[str]:
        return Path(f"/proc/{process}/task/{process}/children").read_text().split()

    with running(home) as process:
        async with connected(home) as client:
            await client.send(type="ask", id="s", content="scan shop")
            assert ["accepted", "progress"] == [(await client.receive())["type"] for _ in range(2)]
            await eventually(lambda: children(process.pid))
            await client.send(type="cancel", id="s")
            assert "cancelled" == (await client.receive())["type"]
            await eventually(lambda: not children(process.pid))
            assert "cancelled" == (await client.ask("scan shop", "s"))[-1]["type"]  # and it stays so
        listed = home.command("queue", "list", "--all").stdout

    assert "cancelled" in listed
