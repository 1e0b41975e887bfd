"""A real server that speaks OpenAI's protocol: llama-cpp-python's own, with SmolLM2. `make with-model` brings what it needs."""

from __future__ import annotations

import importlib.util
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import needs
from model.smollm2 import smollm2

NAME = "smollm2"
_START_SECONDS = 60.0


@contextmanager
def server() -> Iterator[int]:
    """The port that it listens on, on 127.0.0.1 alone; what it computes is over when this is."""
    model = smollm2()
    if importlib.util.find_spec("uvicorn") is None:
        needs.missing("needs what llama-cpp-python's server is made of: make with-model")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "llama_cpp.server", "--model", str(model.path), "--model_alias", NAME),
            *("--host", "127.0.0.1", "--port", str(port), "--n_ctx", "4096", "--n_threads", "1"),
            *("--logits_all", "true", "--interrupt_requests", "false"),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        ends = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert process.poll() is None and time.monotonic() < ends, "the server does not start"
                time.sleep(0.1)
        yield port
    finally:
        process.kill()
        process.wait()
