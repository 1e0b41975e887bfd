"""The child's end of `work.py`: reads which files are wanted, line by line, and writes their results.

Started isolated (`python -I -m closeread.worker`) by `platform_.child`; it ends when its input does.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any

from closeread_analyzers.finding import as_json

from . import platform_
from .settings import Settings
from .work import MakeAnalyser, Snapshot, outcome_of, pipeline, start_deep
from .workspace.files import Workspace

_SPENT = 0.8
"""The share of its memory that a worker has had when it should do no more files."""


def serve(make: MakeAnalyser = pipeline) -> None:
    """Answer what is asked for on standard input, until it ends."""
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Whatever prints by accident must not break the protocol.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())

    def answer(message: dict[str, Any]) -> None:
        answers.write(json.dumps(message, separators=(",", ":")).encode() + b"\n")
        answers.flush()

    greeting = json.loads(requests.readline())
    settings = Settings(
        max_file_size=greeting["max-file-size"],
        file_timeout=greeting["file-timeout"],
        models=greeting["models"],
        worker_memory=greeting["worker-memory"],
    )
    memory = settings.worker_memory * 1024 * 1024
    platform_.limit_memory(memory)
    snapshot = Snapshot(Workspace(Path(greeting["root"]), settings))
    analyser = make(snapshot)
    gc.freeze()
    gc.disable()
    answer({"ready": True})
    for line in requests:
        for path in json.loads(line)["paths"]:
            outcome = outcome_of(analyser, snapshot, path, lambda: False)
            spent = platform_.most_memory() > _SPENT * memory
            answer({"result": as_json(outcome.result), "digest": outcome.digest, "spent": spent})


def run_worker(make: MakeAnalyser = pipeline) -> None:
    """`serve` on a thread with a deep stack. The parent's end is the worker's end."""
    with contextlib.suppress(BrokenPipeError):
        start_deep(lambda: serve(make)).join()


if __name__ == "__main__":
    run_worker()
    sys.stderr.flush()
    os._exit(0)  # what was analysed need not be taken apart piece by piece: that costs a second of its own
