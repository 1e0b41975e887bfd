"""The build hook that compiles the analysers' hottest modules to machine code, with mypyc.

Off unless `HATCH_BUILD_HOOK_ENABLE_CUSTOM=1` is set, as `make wheel` does: a wheel for one platform comes of it. Without it
(a machine that has no C compiler, a clone, an editable installation) the very same modules are interpreted: the same
findings, in half as much time again. Which modules is said in pyproject.toml; nothing is written into the source tree.

Modules that stay interpreted: those that are called seldom, those that users' patience does not depend on, and `pipeline.py`,
between whose calls other threads (an editor's event loop) get their turn.
"""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

GROUP = "closeread_analyzers"
"""Names the library that compiled modules share: `closeread_analyzers__mypyc`, beside the package."""


class Compiled(BuildHookInterface):  # type: ignore[type-arg]
    """See the module's docstring."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the wheel take the results in; `version` is "standard", or "editable" which is left alone.

        Raises `SystemExit` with the compiler's words where a module does not compile.
        """
        if version != "standard":
            return
        self._folder = Path(tempfile.mkdtemp(prefix="closeread-build-"))
        root = Path(self.root)
        sources = [str(file.relative_to(root)) for pattern in self.config["compile"] for file in root.glob(pattern)]
        with contextlib.chdir(root):
            libraries = _compile(sorted(sources), self._folder)
        for library in libraries:
            build_data["force_include"][str(library)] = library.relative_to(self._folder / "lib").as_posix()
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove what was written on the way."""
        if version == "standard":
            shutil.rmtree(self._folder, ignore_errors=True)


def _compile(sources: list[str], folder: Path) -> list[Path]:
    """The libraries made of these modules, under `folder/lib` as they lie in an installation."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    extensions = mypycify(
        [f"--cache-dir={folder / 'mypy'}", *sources],
        opt_level="3",
        debug_level="0",
        group_name=GROUP,
        target_dir=str(folder / "c"),
    )
    command = build_ext(Distribution({"name": GROUP, "ext_modules": extensions}))
    command.build_lib = str(folder / "lib")
    command.build_temp = str(folder / "temp")
    command.ensure_finalized()
    command.run()
    return [path for path in (folder / "lib").rglob("*") if path.suffix in (".so", ".pyd")]
