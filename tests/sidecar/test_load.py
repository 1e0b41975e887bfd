"""The load benchmark, in small: the promises hold with many clients at once."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = Path(__file__).parents[2] / "benchmarks" / "sidecar_load.py"


def test_two_hundred_clients_are_answered_quickly_by_a_small_process() -> None:
    command = [sys.executable, str(PROGRAM), "--clients", "200", "--every", "1", "--seconds", "3"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout)

    assert told["answers"] >= 400
    assert (told["p99 ms"] < 250, told["resident MB"] < 150) == (True, True), told
