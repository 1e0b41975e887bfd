"""Programs that some tests need. Where one is missing the test is skipped, with what to install; in CI it fails.

`.ci/run` installs them all.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import NoReturn

import pytest


def missing(message: str) -> NoReturn:
    """Skip this test, or fail it in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"{message} (CI skips nothing)")
    pytest.skip(message)


def program(name: str, install: str) -> Path:
    """Where `name` is. `install` is the command that brings it: what the reason for skipping says."""
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    missing(f"needs {name}: {install}")


def installed(script: Path, install: str) -> Path:
    """What `script` installs, if it has been run before: asked, it prints the place. `install` is the command that runs it."""
    asked = subprocess.run([script, "--only-ask"], capture_output=True, text=True, check=False)
    if asked.returncode == 0:
        return Path(asked.stdout.splitlines()[-1])
    missing(f"needs what {script.name} brings: {install}")
