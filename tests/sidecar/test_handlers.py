"""The built-in handlers, as somebody who asks by the gateway sees them: a real scan of a small repository."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from sidecar.running import Home, connected, running

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

            async def ask(content: str) -> str:
                return str((await client.ask(content))[-1]["text"])

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
            for outside in ("scan shop/../home", "scan /etc", "scan ..", "review --help", "explain ../x", "mute x"):
                assert "It failed: " in await ask(outside)
