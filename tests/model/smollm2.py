"""SmolLM2 135M, with which the machinery is tested: its answers are near chance, and always the same.

`make with-model` runs this file, which gets it; without it (or without llama-cpp-python) the tests that need it are
skipped, and in CI they fail.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from closeread.model.known import known
from closeread.model.shelf import Model, Shelf, runtime

SHELF = Shelf(Path.home() / ".cache" / "closeread-tests" / "models")
LISTED = known()["smollm2-135m"]


def smollm2() -> Model:
    """The model; the test that asks is skipped where it cannot run."""
    if runtime() is None or not SHELF.has(LISTED):
        message = "needs llama-cpp-python and SmolLM2: make with-model"
        if os.environ.get("CI"):
            pytest.fail(f"{message} (CI skips nothing)")
        pytest.skip(message)
    status = SHELF.place(LISTED).stat()
    return Model(LISTED.name, SHELF.place(LISTED), LISTED.sha256, status.st_size, status.st_mtime_ns)


if __name__ == "__main__":
    from closeread.model.download import pull

    print(pull(SHELF, LISTED, None, lambda done, total: None))
