"""Programs that some tests need. Where one is missing the test is skipped, with what to install; in CI it fails.

`.ci/run` installs them all.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest


def program(name: str, install: str) -> Path:
    """Where `name` is. `install` is the command that brings it: what the reason for skipping says."""
    found = shutil.which(name)
    if found is not None:
        return Path(found)
    message = f"needs {name}: {install}"
    if os.environ.get("CI"):
        pytest.fail(f"{message} (CI skips nothing)")
    pytest.skip(message)
