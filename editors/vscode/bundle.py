"""Builds `bundled/`: the server and all it needs, for one platform, as a folder that Python runs.

    python bundle.py [TARGET]     # linux-x64 (the default is this machine), darwin-arm64, win32-x64, ...

`python -I bundled serve` then needs nothing installed. What is installed into it is pinned by hash (requirements.txt,
made by `make vscode-lock`), from wheels alone, so that nothing is compiled and no package's code is run. Compiled modules carry the
version of their interpreter in their names, so one folder serves every version in `PYTHONS`.

Closeread's own analysers are there as source, for all of these, and compiled for those that a wheel in `dist/` was made for (`make
wheel`, with each Python on each platform): Python prefers the compiled module that lies beside the source.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from zipfile import ZipFile

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DIST = ROOT / "dist"
BUNDLED = HERE / "bundled"

PYTHONS = ("3.11", "3.12", "3.13", "3.14")

_GLIBC = (
    "manylinux_2_17",
    "manylinux2014",
    "manylinux_2_12",
    "manylinux2010",
    "manylinux_2_5",
    "manylinux1",
    "manylinux_2_28",
)
_MUSL = ("musllinux_1_1", "musllinux_1_2")
TARGETS = {
    "linux-x64": [f"{tag}_x86_64" for tag in _GLIBC],
    "linux-arm64": [f"{tag}_aarch64" for tag in _GLIBC],
    "alpine-x64": [f"{tag}_x86_64" for tag in _MUSL],
    "alpine-arm64": [f"{tag}_aarch64" for tag in _MUSL],
    "darwin-x64": [
        f"macosx_{version}_{arch}"
        for version in ("10_9", "10_12", "10_13", "11_0")
        for arch in ("x86_64", "universal2")
    ],
    "darwin-arm64": [
        f"macosx_{version}_{arch}" for version in ("10_9", "10_13", "11_0", "12_0") for arch in ("arm64", "universal2")
    ],
    "win32-x64": ["win_amd64"],
    "win32-arm64": ["win_arm64"],
}
"""VS Code's names of platforms, and the tags of wheels that run there."""


def here() -> str:
    """This machine's target."""
    system = {"linux": "linux", "darwin": "darwin", "win32": "win32"}[sys.platform]
    return f"{system}-{'arm64' if platform.machine().lower() in ('arm64', 'aarch64') else 'x64'}"


def pip(*arguments: str | Path) -> None:
    """Run pip. Raises CalledProcessError."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    subprocess.run([*command, *arguments], check=True)


def bundle(target: str, folder: Path) -> None:
    """Fill `folder`, which must not exist, for `target`."""
    platforms = [argument for tag in TARGETS[target] for argument in ("--platform", tag)]
    with tempfile.TemporaryDirectory() as temporary:
        wheels = Path(temporary, "wheels")
        pip("wheel", "--no-deps", "--wheel-dir", wheels, ROOT)
        (wheel,) = wheels.glob("closeread-*.whl")
        pip("install", "--no-deps", "--no-compile", "--target", folder, wheel)
        for python in PYTHONS:
            installed = Path(temporary, python)
            pip(
                *("install", "--no-deps", "--no-compile", "--only-binary", ":all:", "--require-hashes"),
                *("--requirement", HERE / "requirements.txt", "--target", installed),
                *("--python-version", python, "--implementation", "cp", *platforms),
            )
            shutil.copytree(installed, folder, dirs_exist_ok=True)
    shutil.rmtree(folder / "bin", ignore_errors=True)
    shutil.copy(HERE / "bundled.py", folder / "__main__.py")


def add_compiled(target: str, wheels: Iterable[Path], folder: Path) -> None:
    """Put the compiled modules of those wheels into `folder` that are for `target` and of the very sources that are there."""
    from packaging.tags import platform_tags  # `--target` is asked of any Python

    fitting = {*TARGETS[target], *(platform_tags() if target == here() else ())}
    for wheel in wheels:
        if fitting.isdisjoint(
            wheel.stem.rpartition("-")[2].split(".")
        ):  # its name ends with the platforms that it is for
            continue
        with ZipFile(wheel) as archive:
            names = archive.namelist()
            changed = [
                name
                for name in names
                if name.startswith("closeread_analyzers/") and name.endswith(".py")
                if not (folder / name).is_file() or (folder / name).read_bytes() != archive.read(name)
            ]
            if changed:
                print(f"{wheel.name} is left out: it was made of another {changed[0]}; `make wheel` makes it anew")
                continue
            print(f"{wheel.name} gives the compiled analysers")
            archive.extractall(folder, [name for name in names if name.endswith((".so", ".pyd"))])


def main() -> None:
    """Build for the target on the command line, and try it if this machine can run it."""
    target = sys.argv[1] if len(sys.argv) > 1 else here()
    if target == "--target":
        sys.exit(print(here()))
    if target not in TARGETS:
        sys.exit(f"{target} is no target; there are {', '.join(TARGETS)}")
    shutil.rmtree(BUNDLED, ignore_errors=True)
    bundle(target, BUNDLED)
    add_compiled(target, sorted(DIST.glob("closeread-*.whl")), BUNDLED)
    if target == here():
        subprocess.run([sys.executable, "-I", "-B", BUNDLED, "--version"], check=True, cwd="/")


if __name__ == "__main__":
    main()
