"""Every way out: a handler that says secrets wherever it can say something, asked by everybody who can ask; then what left is read.

That is what the other side got: the gateway's frames, Telegram's calls, the collector's requests, the log, and what commands print.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

from sidecar.doubles.collector import Collector
from sidecar.doubles.telegram import TOKEN, Telegram
from sidecar.running import Home, connected, eventually, start, stop

SECRETS = ("AKIAABCDEFGHIJKLMNOP", "hunter2secret", "collector-key-of-ours", TOKEN)
CODE = "x = eval(of_our_own)"
SAYS = f"{SECRETS[0]} password = {SECRETS[1]} {SECRETS[2]} {SECRETS[3]}"
HANDLER = f"""
import time
SAYS = {SAYS!r} + chr(0) + chr(0xd800)  # and what no protocol can carry
CODE = "\\n```\\n{CODE}\\n```\\n"
def handle(task):
    task.progress(SAYS + CODE)
    time.sleep(2.3)  # a platform is shown progress every two seconds
    task.progress(SAYS + CODE)
    yield SAYS + CODE
    task.file(SAYS.split()[0] + ".txt", (SAYS.rstrip(chr(0xd800)) + CODE).encode())
    task.file("picture.png", b"\\x89PNG\\xff" + SAYS.encode("utf-8", "replace"))
    if "fail" in task.argument:
        raise ValueError("x " * 245 + SAYS)
"""
SETTINGS = """
gateway: {{port: 0}}
queue: {{attempts: 1}}
collector: {{url: '{collector}', key: {key}}}
platforms:
  telegram: {{token: '{token}', base-url: '{telegram}', allow: [7]}}
"""


async def test_no_secret_and_no_code_leaves_by_any_way(tmp_path: Path) -> None:
    telegram, collector = Telegram(), Collector(SECRETS[2])
    await telegram.start()
    await collector.start()
    settings = SETTINGS.format(collector=collector.url, key=SECRETS[2], token=TOKEN, telegram=telegram.url)
    home = Home(tmp_path / "home", settings, "routes: [{pattern: 'leak*', handler: leak.py}]\n", leak=HANDLER)
    process, _ = await asyncio.to_thread(start, home)
    frames = []
    try:
        telegram.say(f"leak well {SAYS}")
        telegram.say(f"leak and fail {SAYS}")
        telegram.say(f"{SAYS} is no question")
        async with connected(home) as client:
            for id_, content in [
                ("a", "leak well"),
                ("b", "leak and fail"),
                ("b", "leak and fail"),
                ("c", "explain"),
                ("d", ""),
            ]:
                frames += await client.ask(f"{content} {SAYS}\ud800", id_)
            frames += await client.ask("status")
        await eventually(lambda: len(collector.results) == 5 and len(telegram.sent) >= 6)
        await eventually(lambda: collector.lines and not collector.disorder)
        printed = [
            home.command(*words).stdout for words in (("queue", "show"), ("audit", "export"), ("doctor", "--json"))
        ]
    finally:
        assert process.stderr is not None
        process.terminate()
        log = (await asyncio.to_thread(process.communicate))[1].decode()
        await asyncio.to_thread(stop, process)
        await telegram.stop()
        await collector.stop()
    ways = {
        "gateway": json.dumps(frames),
        "telegram": repr(telegram.sent),
        "collector": json.dumps([list(collector.results.values()), list(collector.lines.values())]),
        "log": log,
        "commands": "\n".join(printed),
    }

    assert {} == {
        name: [s for s in (*SECRETS, CODE) if s in said]
        for name, said in ways.items()
        if any(s in said for s in (*SECRETS, CODE))
    }
    for name in ("gateway", "telegram", "collector"):  # something did leave
        assert "[redacted]" in ways[name] and "code is not shown" in ways[name]
    kinds = {frame["type"] for frame in frames}
    assert {"progress", "partial", "answer", "error", "accepted"} <= kinds
    assert {"document", "edits"} <= {key for sent in telegram.sent for key in sent}
    assert "picture.png stays here" in ways["telegram"]
